"""What is good once is good once, whichever worker it comes to and whatever befalls the cache.

Each thing is used by many at the same moment at two workers, each use honest in all else, while the
cache is whole, emptied again and again, or dead. PostgreSQL alone decides.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import msgspec
import pytest
from redis.asyncio import Redis

from gateway.local.valkey import Valkey
from gateway.oauth.jwt_bearer import JWT_BEARER
from gateway.recognition.visit_sessions import SESSION_PATH
from tests.adversity.recognition.kinds import KINDS, Bench
from tests.adversity.recognition.league import League
from tests.gateway.recognised.partner import Attempt

MANY = 24
Use = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


class Thing(msgspec.Struct, frozen=True):
    """What is good once: from a bench to its use at a worker, and the status of success."""

    ready: Callable[[Bench], Awaitable[Use]]
    good: int = 200


async def _assertion(bench: Bench) -> Use:
    """A city's assertion, by as many requests that are all different."""
    assertion = bench.partner.assertion()

    async def use(http: httpx.AsyncClient) -> httpx.Response:
        partner = bench.neighbours_backend(http)
        return await partner.push(Attempt(), client_assertion=assertion)

    return use


async def _request_uri(bench: Bench) -> Use:
    uri = await KINDS["request URI"](bench)
    asked = {"client_id": bench.neighbour.code, "request_uri": uri}
    return lambda http: http.get("/oauth/authorize", params=asked)


async def _code(bench: Bench) -> Use:
    await KINDS["code"](bench)
    attempt = bench.redeemable
    return lambda http: bench.neighbours_backend(http).redeem(attempt)


async def _home_token(bench: Bench) -> Use:
    token = await KINDS["home token"](bench)
    return lambda http: bench.neighbours_backend(http).exchange(token)


async def _answer(bench: Bench) -> Use:
    """The home city's answer, in the one browser that waits for it."""
    visitor = bench.visitor()
    await bench.neighbour.person(visitor.number)
    location = httpx.URL(await visitor.return_with_code())
    secret = visitor.secret

    async def use(http: httpx.AsyncClient) -> httpx.Response:
        fields = {"cookie": f"qianjiang-visit={secret}"}
        return await http.get(location.raw_path.decode(), headers=fields)

    return use


async def _attempt(bench: Bench) -> Use:
    """The word that was kept, shown by the page."""
    visitor = await bench.arrived()

    async def use(http: httpx.AsyncClient) -> httpx.Response:
        fields = {"cookie": f"qianjiang-visit={visitor.secret}", "dpop": visitor.proof()}
        return await http.post("/v1/visits/token", headers=fields)

    return use


async def _grant(bench: Bench) -> Use:
    """The same word by several attempts of the same browser, each open."""
    visitor = await bench.arrived()
    secrets = [visitor.secret, *[await _another(bench, visitor.key) for _ in range(3)]]
    uses = iter(range(10_000))

    async def use(http: httpx.AsyncClient) -> httpx.Response:
        form = {
            "grant_type": JWT_BEARER,
            "assertion": visitor.grant,
            "visit": secrets[next(uses) % len(secrets)],
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": bench.own_assertion(),
        }
        return await http.post("/oauth/token", data=form, headers={"dpop": visitor.proof()})

    return use


async def _another(bench: Bench, key: object) -> str:
    """The secret of one more attempt that has returned, by the same key."""
    visitor = bench.visitor()
    visitor.key = key  # type: ignore[assignment]  # a Prover
    await bench.neighbour.person(visitor.number)
    await visitor.arrive()
    return visitor.secret


async def _proof(bench: Bench) -> Use:
    """A visitor's proof, for as many visits that all wait for one."""
    first = await bench.arrived()
    proof = first.proof()
    secrets = [first.secret, *[await _another(bench, first.key) for _ in range(MANY // 4)]]
    uses = iter(range(10_000))

    async def use(http: httpx.AsyncClient) -> httpx.Response:
        secret = secrets[next(uses) % len(secrets)]
        fields = {"cookie": f"qianjiang-visit={secret}", "dpop": proof}
        return await http.post("/v1/visits/token", headers=fields)

    return use


async def _visit_token(bench: Bench) -> Use:
    token = await KINDS["visit token"](bench)
    visitor = bench.shown

    async def use(http: httpx.AsyncClient) -> httpx.Response:
        proof = visitor.proof(SESSION_PATH, token=token)
        fields = {"authorization": f"DPoP {token}", "dpop": proof}
        return await http.post(SESSION_PATH, headers=fields)

    return use


THINGS = {
    "city's assertion": Thing(_assertion, 201),
    "request_uri": Thing(_request_uri, 303),
    "code": Thing(_code),
    "home token": Thing(_home_token),
    "answer": Thing(_answer, 303),
    "attempt": Thing(_attempt),
    "grant": Thing(_grant),
    "proof": Thing(_proof),
    "visit token": Thing(_visit_token, 204),
}


@asynccontextmanager
async def befallen(valkey: Valkey, what: str) -> AsyncIterator[None]:
    """The cache is whole, emptied every few milliseconds, or dead."""
    over = asyncio.Event()

    async def emptied() -> None:
        async with Redis.from_url(valkey.admin_url) as cache:
            while not over.is_set():
                await cache.flushall()
                await asyncio.sleep(0.005)

    if what == "dead":
        valkey.kill()
    task = asyncio.create_task(emptied()) if what == "emptied" else None
    try:
        yield
    finally:
        over.set()
        if task is not None:
            await task
        valkey.start()


@pytest.mark.parametrize("what", ["whole", "emptied", "dead"])
async def test_what_is_good_once_is_taken_once(league: League, valkey: Valkey, what: str) -> None:
    bench = Bench(league)
    await bench.settle()
    await league.worker(bench.town)
    workers = [bench.town.http(number) for number in (0, 1)]
    told, uses = {}, {}
    for name, thing in THINGS.items():
        use = uses[name] = await thing.ready(bench)
        async with befallen(valkey, what):
            answers = await asyncio.gather(*(use(workers[n % 2]) for n in range(MANY)))
            late = [await use(worker) for worker in workers]
        taken = [each for each in answers if each.status_code == thing.good]
        told[name] = Counter(each.status_code for each in [*answers, *late])
        assert len(taken) == 1, (name, told[name])
        assert all(400 <= each.status_code < 500 for each in late), (name, told[name])
        assert not any(each.status_code == 500 for each in answers), (name, told[name])
    # Nor by a worker that was not there (as after a restart).
    late_comer = bench.town.http(await league.worker(bench.town))
    for name, use in uses.items():
        answer = await use(late_comer)
        assert 400 <= answer.status_code < 500, (name, answer.text)
    print(told)
