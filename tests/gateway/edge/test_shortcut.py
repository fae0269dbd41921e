"""The way around the application: the same answers, in order, and nothing that is left behind.

Real sockets against a real worker on the real engines, once with shortcuts and once without.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
import uvicorn

from gateway.clock import SECOND_US
from gateway.edge import connection
from gateway.edge.headers import HeaderGuard
from gateway.edge.shortcut import Shortcut
from gateway.server import FLAGS, bound
from gateway.waiting_line import Priority
from tests.gateway.apps import app_of
from tests.gateway.city import MERCHANT, TestCity
from tests.gateway.edge.listening import HOST, Client
from tests.gateway.prover import Prover

PATH = "/v1/scenarios/rent/eligibility"


class Desk:
    """A party's desk at a worker: asks with a token over connections of its own."""

    def __init__(self, town: TestCity, port: int, taken: list[bool]) -> None:
        self.town, self.port, self.taken = town, port, taken
        party = town.city.parties.get(MERCHANT)
        assert party is not None
        self.token = town.city.tokens.issue(party, "k1", ["scenario:rent"]).token
        view = party.registrations["rent"].view
        self._sector = view.sector

    def body(self, citizen: UUID, **changes: Any) -> bytes:
        """A question as JSON."""
        facts = self.town.city.registry["rent"].manifest.example_at(self.town.city.clock.now_us())
        asked = {"subject": self.town.city.pseudonyms.subject(citizen, self._sector)}
        return json.dumps({**asked, "facts": facts, **changes}, default=str).encode()

    def request(self, body: bytes, *fields: str, token: str = "", length: int = -1) -> bytes:
        """It as HTTP."""
        host = self.town.city.settings.issuer.partition("//")[2]
        lines = [
            f"POST {PATH} HTTP/1.1",
            f"Host: {host}",
            f"Authorization: Bearer {token or self.token}",
            "Content-Type: application/json",
            f"Content-Length: {len(body) if length < 0 else length}",
            *fields,
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        reader, writer = await asyncio.open_connection(HOST, self.port)
        try:
            yield Client(reader, writer)
        finally:
            writer.close()

    async def ask(self, request: bytes) -> tuple[int, dict[str, str], Any]:
        """Status, header fields and body of the answer."""
        async with self.client() as client:
            await client.say(request)
            return told(await client.answer())

    async def seen(self) -> None:
        """Ask once, so that the worker knows the token."""
        await self.ask(self.request(b"{}"))
        self.taken.clear()


def told(answer: bytes) -> tuple[int, dict[str, str], Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines)
    return int(first.split()[1]), fields, json.loads(body)


@asynccontextmanager
async def desk_at(town: TestCity, *, shortcuts: bool = True) -> AsyncIterator[Desk]:
    """A worker over this city in the test's own loop."""
    guard = app_of(town.city)
    assert isinstance(guard, HeaderGuard)
    taken: list[bool] = []
    ways: Any = guard.shortcuts
    ordinary = ways.taken

    def noted(*asked: Any) -> Shortcut | None:
        found: Shortcut | None = ordinary(*asked)
        taken.append(found is not None)
        return found

    ways.taken = noted
    if not shortcuts:
        guard.shortcuts = None
    server = uvicorn.Server(uvicorn.Config(lambda: guard, **{**FLAGS, "lifespan": "off"}))
    listener = bound(HOST, 0)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110  # uvicorn tells it by nothing else
        await asyncio.sleep(0.01)
    try:
        desk = Desk(town, listener.getsockname()[1], taken)
        await desk.seen()
        yield desk
    finally:
        server.should_exit = True
        await task
    assert town.city.admission.in_flight == 0, "everybody left"


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what the server does in its own time, which is not long."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  # nothing tells it
            await asyncio.sleep(0.002)


async def _rows(town: TestCity) -> int:
    return int(await town.owner.fetchval("SELECT count(*) FROM decision"))


async def test_a_question_in_order_is_answered_and_on_record(town: TestCity) -> None:
    await town.party()
    citizen = await town.ready()
    async with desk_at(town) as desk:
        status, fields, answer = await desk.ask(
            desk.request(desk.body(citizen), "X-Request-ID: case-7")
        )
        assert (status, answer["outcome"], desk.taken) == (200, "eligible", [True])
        assert fields["x-request-id"] == "case-7"
        assert {"ratelimit", "ratelimit-policy", "cache-control", "date"} <= fields.keys()
    found = await town.owner.fetchval("SELECT id FROM decision")
    assert str(found) == answer["decision_id"]


def _bodies(desk: Desk, citizen: UUID) -> list[bytes]:
    good = desk.body(citizen)
    return [
        good,
        desk.body(citizen, staff="desk 4", reference="case/1"),
        desk.body(citizen, staff=None),
        desk.body(citizen, request_id="r-1"),
        desk.body(citizen, nobody="knows"),
        desk.body(citizen, facts={"deposit_fen": "1"}),
        desk.body(citizen, facts={}),
        desk.body(citizen, subject="A" * 44),
        good.replace(b"{", b'{"subject":"x",', 1),
        good[:-1],
        good + b" ",
        b"",
        b"\xff",
        b"[" * 3000,
    ]


async def test_both_ways_answer_alike(town: TestCity) -> None:
    await town.party()
    citizen = await town.ready()
    seen: dict[bool, list[Any]] = {}
    for shortcuts in (True, False):
        async with desk_at(town, shortcuts=shortcuts) as desk:
            answers = [await desk.ask(desk.request(each)) for each in _bodies(desk, citizen)]
            assert desk.taken == ([True] * len(answers) if shortcuts else [])
        seen[shortcuts] = [_comparable(*answer) for answer in answers]
    assert seen[True] == seen[False]
    assert {status for status, *_ in seen[True]} == {200, 400}


def _comparable(status: int, fields: dict[str, str], body: Any) -> tuple[int, Any, Any]:
    varying = {"decision_id", "valid_until", "freshness", "receipt"}
    kept = {name: value for name, value in body.items() if name not in varying}
    names = {name: value for name, value in fields.items() if name != "ratelimit"}
    names.pop("date", None)
    return status, {**names, "content-length": ""}, kept


@pytest.mark.parametrize(
    "fields",
    [
        ("Expect: 100-continue",),
        ("Connection: close",),
        ("Transfer-Encoding: chunked",),
        ("Content-Encoding: gzip",),
        ("Host: other.example",),
        ("X-A: é",),
    ],
)
async def test_what_is_out_of_the_ordinary_goes_the_long_way(
    town: TestCity, fields: tuple[str, ...]
) -> None:
    await town.party()
    citizen = await town.ready()
    async with desk_at(town) as desk, desk.client() as client:
        await client.say(desk.request(desk.body(citizen), *fields))
        assert await client.reader.readuntil(b"\r\n\r\n")
        assert not any(desk.taken)


async def test_a_token_that_was_not_seen_before_goes_the_long_way_once(town: TestCity) -> None:
    await town.party()
    citizen = await town.ready()
    async with desk_at(town) as desk:
        party = town.city.parties.get(MERCHANT)
        assert party is not None
        fresh = town.city.tokens.issue(party, "k1", ["scenario:rent"]).token
        request = desk.request(desk.body(citizen), token=fresh)
        assert [(await desk.ask(request))[0] for _ in range(2)] == [200, 200]
        assert desk.taken == [False, True]
        forged = desk.request(desk.body(citizen), token=fresh[:-4] + "AAAA")
        assert (await desk.ask(forged))[0] == 401
        assert (await desk.ask(desk.request(desk.body(citizen), token="none")))[0] == 401


async def test_a_bound_token_takes_no_shortcut(town: TestCity) -> None:
    """Neither with its proof nor, once it was seen, as a Bearer token."""
    await town.party()
    citizen, key = await town.ready(), Prover()
    async with desk_at(town) as desk:
        party = town.city.parties.get(MERCHANT)
        assert party is not None
        bound = town.city.tokens.issue(party, "k1", ["scenario:rent"], key.jkt).token
        url, now_s = town.city.settings.issuer + PATH, town.city.clock.now_us() // SECOND_US
        as_bearer = desk.request(desk.body(citizen), token=bound)
        proof = f"DPoP: {key.proof('POST', url, now_s, token=bound)}"
        proven = desk.request(desk.body(citizen), proof, token=bound)
        proven = proven.replace(b"Authorization: Bearer", b"Authorization: DPoP")
        sent = as_bearer, proven, proven, as_bearer
        assert [(await desk.ask(each))[0] for each in sent] == [401, 200, 401, 401]
        assert not any(desk.taken)


async def test_requests_sent_ahead_are_answered_in_order(town: TestCity) -> None:
    await town.party()
    citizens = [await town.ready() for _ in range(5)]
    async with desk_at(town) as desk, desk.client() as client:
        health = desk.request(b"").replace(b"POST " + PATH.encode(), b"GET /healthz")
        requests = [desk.request(desk.body(each, reference=str(each))) for each in citizens]
        await client.say(b"".join([requests[0], health, *requests[1:]]))
        answers = [told(await client.answer()) for _ in range(6)]
        assert [status for status, *_ in answers] == [200] * 6
        ids = [body.get("decision_id") for *_, body in answers]
        assert ids[1] is None
    rows = await town.owner.fetch("SELECT id, reference FROM decision")
    by_id = {str(row["id"]): row["reference"] for row in rows}
    assert [by_id[each] for each in (ids[0], *ids[2:])] == [str(each) for each in citizens]


async def test_a_body_may_come_in_pieces(town: TestCity) -> None:
    await town.party()
    citizen = await town.ready()
    async with desk_at(town) as desk, desk.client() as client:
        request = desk.request(desk.body(citizen))
        for at in range(0, len(request), 40):
            await client.say(request[at : at + 40])
            await asyncio.sleep(0.002)
        assert told(await client.answer())[0] == 200
        assert desk.taken == [True]


async def test_a_body_that_takes_too_long_is_cut(
    town: TestCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BODY_DEADLINE_S", 0.2)
    await town.party()
    citizen = await town.ready()
    async with desk_at(town) as desk, desk.client() as client:
        body = desk.body(citizen)
        await client.say(desk.request(body[:-1], length=len(body)))
        assert told(await client.answer())[0] == 408
        assert await client.rest() == b""
    assert await _rows(town) == 0


async def test_nothing_is_recorded_for_who_left_before_the_commit(
    town: TestCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.party()
    citizen = await town.ready()
    gate, cache = asyncio.Event(), town.city.cache
    ordinary = cache.get_limited

    async def held(*asked: Any) -> Any:
        await gate.wait()
        return await ordinary(*asked)

    async with desk_at(town) as desk:
        monkeypatch.setattr(cache, "get_limited", held)
        async with desk.client() as client:
            await client.say(desk.request(desk.body(citizen)))
            await until(lambda: town.city.admission.in_flight == 1)
        await until(lambda: town.city.admission.in_flight == 0)  # heard that the client is gone
        gate.set()
        await town.city.decisions.settled()
        assert desk.taken == [True]
    assert await _rows(town) == 0


async def test_without_room_a_question_waits_at_the_door(town: TestCity) -> None:
    await town.party()
    citizen = await town.ready()
    async with desk_at(town) as desk:
        door, entered = town.city.admission, 0
        while door.try_enter(Priority.MERCHANT):
            entered += 1
        asking = asyncio.create_task(desk.ask(desk.request(desk.body(citizen))))
        await until(lambda: door.waiting == 1)
        for _ in range(entered):
            door.leave()
        status, _, answer = await asking
        assert (status, answer["outcome"], desk.taken) == (200, "eligible", [True])


async def test_what_the_first_try_does_not_settle_is_finished(town: TestCity) -> None:
    """A stale copy, a consent that counts questions, and a repeat all need more than one step."""
    await town.party()
    citizen = await town.ready()
    counted = await town.citizen()
    await town.commitment(counted)
    await town.consent(counted, frequency=1)
    async with desk_at(town) as desk:
        cache, key = town.city.cache, town.city.cache.key(citizen)
        (old,) = await cache.get([key])
        assert old is not None
        await town.owner.execute(
            "UPDATE standing SET version = nextval('standing_version'), digest = 7"
            " WHERE citizen = $1",
            citizen,
        )
        await town.city.writer.rebuild(citizen)
        await cache.put(key, old, 60)
        for asked, outcomes in (
            (desk.body(citizen), ["eligible"]),
            (desk.body(counted), ["eligible", "standard_path"]),
            (desk.body(citizen, request_id="again"), ["eligible", "eligible"]),
        ):
            answers = [await desk.ask(desk.request(asked)) for _ in outcomes]
            assert [body["outcome"] for *_, body in answers] == outcomes
        assert all(desk.taken)
        other = desk.body(citizen, request_id="again", staff="other")
        assert (await desk.ask(desk.request(other)))[0] == 422
