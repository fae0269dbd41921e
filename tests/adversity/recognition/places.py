"""Every place that takes a token, each with all else about the request as it should be.

A place answers with what became of the token: the status that was answered (0 where nobody is
answered, for the city read it by itself), and whether it was taken for what it is not.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import httpx
import msgspec

from gateway.oauth.jwt_bearer import JWT_BEARER
from gateway.recognition.visit_sessions import SESSION_PATH
from tests.adversity.recognition.front import Asked, Front, Writer, write
from tests.adversity.recognition.kinds import Bench
from tests.adversity.recognition.league import Visitor

QUESTION = "/v1/scenarios/library/eligibility"


class Seen(msgspec.Struct, frozen=True):
    """What became of a token."""

    passed: bool
    status: int = 0
    error: str = ""


class Place(msgspec.Struct, frozen=True):
    """Where a token is shown; `kinds` are those that are good there, `records` the place whose
    count of refusals the city keeps ('' where none is promised)."""

    show: Callable[[Bench, str], Awaitable[Seen]]
    kinds: tuple[str, ...] = ()
    records: str = ""


def _seen(answer: httpx.Response, good: int = 200) -> Seen:
    said = answer.text if answer.status_code != good else ""
    return Seen(answer.status_code == good, answer.status_code, said)


def _credential(scheme: str, token: str) -> dict[bytes, bytes]:
    return {b"authorization": f"{scheme} {token}".encode()}


async def _bearer(bench: Bench, token: str) -> Seen:
    fields = _credential("Bearer", token)
    return _seen(await bench.http.post(QUESTION, json=bench.question, headers=fields))


async def _bound(bench: Bench, token: str) -> Seen:
    url = bench.town.issuer + QUESTION
    proof = bench.prover.proof("POST", url, bench.town.now_s, token=token)
    fields = _credential("DPoP", token) | {b"dpop": proof.encode()}
    answer = await bench.http.post(QUESTION, json=bench.foreign, headers=fields)
    return _seen(answer)


async def _citizens_route(bench: Bench, token: str) -> Seen:
    fields = {"authorization": f"Bearer {token}"}
    return _seen(await bench.http.get("/v1/me", headers=fields))


async def _party_client(bench: Bench, token: str) -> Seen:
    return _seen(await bench.party.ask(client_assertion=token))


async def _city_client(bench: Bench, token: str) -> Seen:
    """At the exchange: what comes after the client is a token that nobody was given."""
    told = await bench.partner.exchange("A" * 32, client_assertion=token)
    is_in = told.json()["error"] == "invalid_grant"
    return Seen(is_in, told.status_code, "" if is_in else told.text)


async def _push(bench: Bench, token: str) -> Seen:
    return _seen(await bench.partner.push(client_assertion=token), 201)


async def _authorize(bench: Bench, token: str) -> Seen:
    asked = {"client_id": bench.neighbour.code, "request_uri": token}
    async with bench.town.http() as page:
        return _seen(await page.get("/oauth/authorize", params=asked), 303)


async def _code(bench: Bench, token: str) -> Seen:
    return _seen(await bench.partner.redeem(bench.redeemable, code=token))


async def _subject_token(bench: Bench, token: str) -> Seen:
    return _seen(await bench.partner.exchange(token))


async def _assertion(bench: Bench, token: str) -> Seen:
    return await _jwt_bearer(bench, bench.carrier, grant=token)


async def _own_client(bench: Bench, token: str) -> Seen:
    carrier = await bench.arrived()
    return await _jwt_bearer(bench, carrier, grant=carrier.grant, client=token)


async def _attempt_named(bench: Bench, token: str) -> Seen:
    """The grant is that of the attempt `waiting`, if it is named."""
    return await _jwt_bearer(bench, bench.waiting, grant=bench.waiting.grant, secret=token)


async def _jwt_bearer(
    bench: Bench,
    visitor: Visitor,
    *,
    grant: str,
    client: str | None = None,
    secret: str | None = None,
) -> Seen:
    form = {
        "grant_type": JWT_BEARER,
        "assertion": grant,
        "visit": visitor.secret if secret is None else secret,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": bench.own_assertion() if client is None else client,
    }
    fields = {"dpop": visitor.proof()}
    return _seen(await bench.http.post("/oauth/token", data=form, headers=fields))


async def _presented(bench: Bench, token: str) -> Seen:
    """The home city gives it for the code, as its word."""
    visitor = bench.visitor()
    visitor.key = bench.carrier.key
    assert (await visitor.begin()).status_code == 201
    state = (await bench.neighbour.rows(_STATE))[0]["state"]
    bench.neighbour.front.lie = _says(bench.neighbour.front, token)
    back = {"code": "x", "state": state, "iss": bench.neighbour.issuer}
    await visitor.page.get(f"{bench.town.issuer}/recognition/callback", params=back)
    bench.neighbour.front.lie = None
    answer = await visitor.present()
    await visitor.close()
    return _seen(answer)


def _says(front: Front, token: str) -> Callable[[Asked, Writer], Awaitable[None]]:
    async def lie(asked: Asked, writer: Writer) -> None:
        if asked.path.startswith("/oauth/token"):
            write(writer, 200, json.dumps({"access_token": token}).encode())
        else:
            await front.honest(asked, writer)

    return lie


async def _entered(bench: Bench, token: str) -> Seen:
    proof = bench.shown.proof(SESSION_PATH, token=token)
    fields = {"authorization": f"DPoP {token}", "dpop": proof}
    return _seen(await bench.http.post(SESSION_PATH, headers=fields), 204)


async def _login(bench: Bench, token: str) -> Seen:
    """What the provider says is for another login; the honest one is said in its own."""
    honest = token == bench.held["ID token"]
    return _seen(await bench.login(None if honest else token), 303)


async def _signed(bench: Bench, token: str) -> Seen:
    return _seen(await bench.citizen.post("/v1/me/commitments", {"jws": token}), 201)


async def _proof(bench: Bench, token: str) -> Seen:
    answer = await bench.http.post("/oauth/token", data=bench.bound.form(), headers={"dpop": token})
    return _seen(answer)


async def _session(bench: Bench, token: str) -> Seen:
    async with bench.town.http() as page:
        page.cookies.set("qianjiang-session", token)
        return _seen(await page.get("/v1/me"))


async def _status_list(bench: Bench, token: str) -> Seen:
    """Published by the neighbour, and read by the town."""
    reader = bench.town.town.city.status_reader
    reader._tried.clear()
    reader._seen.clear()

    async def lie(_asked: Asked, writer: Writer) -> None:
        write(writer, 200, token.encode(), "content-type: application/statuslist+jwt")

    bench.neighbour.front.lie = lie
    uri = f"{bench.neighbour.issuer}/status-lists/1"
    stands = await reader.valid(bench.neighbour.code, uri, 0)
    bench.neighbour.front.lie = None
    reader._tried.clear()
    return Seen(stands is not None)


async def _trust_list(bench: Bench, token: str) -> Seen:
    """Published by the region, and fetched by the town."""
    server, town = bench.league.server, bench.town
    before = (await town.rows(_SERIAL))[0]["serial"]
    server.answer = lambda: server.saying(token)
    await town.town.city.trust_fetcher.step()
    server.answer = server.honest
    after: int = (await town.rows(_SERIAL))[0]["serial"]
    bench.league.region.serial = after
    return Seen(after > before)


async def _statement(bench: Bench, token: str) -> Seen:
    """One of the two suspensions that it takes; the other is there."""
    region, league = bench.league.region, bench.league
    cities = sorted((bench.neighbour.code, bench.town.code))
    name = "-".join(cities)
    before = region.agreements[name]
    other = bench.neighbour.says(1, "suspend", cities, bench.town.now_s, agreement=name)
    region.agreements[name] = [*before, other, token]
    await league.publish()
    trust = bench.town.town.city.trust
    agreed = trust.agreed(bench.neighbour.code, bench.town.clock.now_us())
    region.agreements[name] = before
    await league.publish()
    return Seen(agreed is None)


_STATE = "SELECT state FROM recognition_request ORDER BY created_at DESC LIMIT 1"
_SERIAL = "SELECT serial FROM trust_list"

#: As a home city: who asks about its citizens, and by what.
HOME: dict[str, Place] = {
    "client of the exchange": Place(_city_client, ("city's assertion",), "exchange"),
    "client of PAR": Place(_push, ("city's assertion",), "par"),
    "request_uri": Place(_authorize, ("request URI",), "authorize"),
    "code": Place(_code, ("code",), "code"),
    "subject_token": Place(_subject_token, ("home token",), "exchange"),
}
#: As a visited city.
VISITED: dict[str, Place] = {
    "assertion": Place(_assertion, ("grant",), "visit"),
    "client of jwt-bearer": Place(_own_client, ("own assertion",), "visit"),
    "visit": Place(_attempt_named, ("attempt",), "visit"),
    "presentation": Place(_presented, ("grant",), "visit"),
    "visit session": Place(_entered, ("visit token",), "visit-session"),
    "status list reader": Place(_status_list, ("status list",), "status-list"),
    "trust list reader": Place(_trust_list, ("trust list",), "trust-list"),
    "agreement reader": Place(_statement, ("statement",)),
}
#: As any city: its parties and its citizens.
OWN: dict[str, Place] = {
    "resource, Bearer": Place(_bearer, ("access token",)),
    "resource, DPoP": Place(_bound, ("bound access token",)),
    "a citizen's route, Bearer": Place(_citizens_route),
    "client_assertion": Place(_party_client, ("party's assertion",)),
    "DPoP field": Place(_proof, ("proof",)),
    "login": Place(_login, ("ID token",)),
    "commitment": Place(_signed, ("commitment",)),
    "session cookie": Place(_session, ("session",)),
}
