"""A page hears of a lookup while it happens: its own citizen's, once, for as long as it may.

Whole workers on sockets; decisions are made by another worker, which knows nothing of streams.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from uuid import UUID

import pytest

from gateway import watch, watch_stream
from gateway.edge import lookup_stream
from gateway.ids import uuid7_millis
from tests.gateway.city import TestCity
from tests.gateway.edge.listening import HOST
from tests.gateway.edge.serving import STREAM, Ear, Served, served
from tests.gateway.searching import search


@pytest.fixture
async def worker(town: TestCity) -> AsyncIterator[Served]:
    await town.party()
    async with served(town) as opened:
        yield opened


async def asked(town: TestCity, citizen: UUID) -> str:
    """A decision about a citizen, made by the town's other worker."""
    return str((await town.ask(citizen)).decision)


async def as_if(town: TestCity, decision: str, *, earlier_ms: int) -> str:
    """A copy of a decision that arrived so much earlier and is committed only now."""
    number = UUID(decision)
    then_us = (uuid7_millis(number) - earlier_ms) * 1000
    copy = town.city.ids.uuid7(then_us)
    columns = await town.owner.fetchval(
        "SELECT string_agg(attname, ', ') FROM pg_attribute"
        " WHERE attrelid = 'decision'::regclass AND attnum > 0 AND attname <> 'id'"
    )
    await town.owner.execute(
        f"INSERT INTO decision (id, {columns}) SELECT $1, {columns} FROM decision WHERE id = $2",
        *(copy, number),
    )
    return str(copy)


# ------------------------------------------------------------------ strangers


async def test_a_stranger_hears_nothing(worker: Served) -> None:
    for session in ("", "A" * 32):
        async with worker.ear(session) as ear:
            assert ear.answer.status_code == 401
    assert worker.city.counts.lookup_streams == 0


async def test_a_citizen_hears_of_the_own_lookups_alone(town: TestCity, worker: Served) -> None:
    mine, another = await town.ready(), await town.ready()
    async with (
        worker.ear(await worker.session(mine)) as ear,
        worker.ear(await worker.session(another)) as other,
    ):
        first = await asked(town, mine)
        assert (await ear.lookup())["decision_id"] == first
        second = await asked(town, another)
        assert (await other.lookup())["decision_id"] == second
        assert [each for each in await ear.silence() if each.name == "lookup"] == []
        assert [each for each in await other.silence(0.2) if each.name == "lookup"] == []


# ------------------------------------------------------------------ what is told


async def test_a_line_is_told_as_the_list_has_it(town: TestCity, worker: Served) -> None:
    await town.party("mall", scenarios=("rent", "library"), entity="mall-house")
    citizen = await town.ready()
    session = await worker.session(citizen)
    async with worker.ear(session) as ear, worker.client(session) as client:
        assert ear.answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert ear.answer.headers["cache-control"] == "no-store"
        await town.ask(citizen, staff="desk-1", reference="c/7")
        told = [await ear.lookup()]
        await search(town, citizen, town.principal("mall"))
        told.append(await ear.lookup())
        await town.owner.execute(
            "INSERT INTO staff_access (id, staff, purpose, action, citizen)"
            " VALUES (uuidv7(), 'li', 'objection', 'read', $1)",
            citizen,
        )
        told.append(await ear.lookup())
        listed = (await client.get("/v1/me/lookups")).json()["lookups"]
    assert told[::-1] == listed
    assert [line["kind"] for line in told] == ["question", "search", "staff"]


async def test_a_request_in_person_and_a_changed_consent_are_told(
    town: TestCity, worker: Served
) -> None:
    citizen = await town.citizen()
    consent = await town.consent(citizen)
    request = town.city.ids.uuid7(town.city.clock.now_us())
    async with worker.ear(await worker.session(citizen)) as ear:
        first = await ear.next()
        assert (first.name, first.data["id"], first.data["version"]) == ("consent", str(consent), 1)
        await town.owner.execute(
            "INSERT INTO consent_request (id, party, recipient, scenario, purpose, out_request_no,"
            " body_hash, citizen, expires_at) SELECT $1, num, entity, 'rent', 'p', 'n-1', '', $2,"
            " clock_timestamp() + interval '1 minute' FROM party",
            *(request, citizen),
        )
        second = await ear.next()
        link = town.city.consent_requests.link(request)
        assert (second.name, second.data) == ("asked", {"id": str(request), "link": link})
        await town.consent(citizen, consent=consent, version=2, status="withdrawn")
        third = await ear.next()
        assert (third.name, third.data["status"], third.data["version"]) == (
            *("consent", "withdrawn"),
            2,
        )
    async with worker.ear(await worker.session(citizen)) as later:
        names = [(await later.next()).name for _ in range(2)]
    assert sorted(names) == ["asked", "consent"], "what is open is told to who comes later"


async def test_a_sign_of_life_comes_where_nothing_happens(
    town: TestCity, worker: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup_stream, "HEARTBEAT_S", 0.2)
    async with worker.ear(await worker.session(await town.citizen())) as ear:
        assert [(await ear.next(1)).name for _ in range(3)] == ["alive"] * 3


# ------------------------------------------------------------------ going on


async def test_a_page_that_comes_again_misses_nothing_and_hears_nothing_twice(
    town: TestCity, worker: Served
) -> None:
    """At another worker, too, and with a line of an older id that was committed meanwhile."""
    citizen = await town.ready()
    session = await worker.session(citizen)
    async with worker.ear(session) as ear:
        before = [await asked(town, citizen) for _ in range(3)]
        assert await ear.ids(3) == before
        place = ear.last_id
    missed = [await asked(town, citizen) for _ in range(2)]
    late = await as_if(town, before[0], earlier_ms=4000)
    async with served(town) as second:
        async with second.ear(session, last_event_id=place) as ear:
            assert await ear.ids(3) == [late, *missed]
            place = ear.last_id
            assert [each for each in await ear.silence() if each.name == "lookup"] == []
        async with worker.ear(session, after=place) as ear:
            new = await asked(town, citizen)
            assert await ear.ids(1) == [new]


async def test_a_line_that_appears_after_a_later_one_is_told(
    town: TestCity, worker: Served
) -> None:
    citizen = await town.ready()
    async with worker.ear(await worker.session(citizen)) as ear:
        newest = await asked(town, citizen)
        assert await ear.ids(1) == [newest]
        assert ear.last_id == newest, "the place is the line's own id"
        late = await as_if(town, newest, earlier_ms=5000)
        assert await ear.ids(1) == [late]
        assert ear.last_id.startswith(newest)
        assert [each for each in await ear.silence() if each.name == "lookup"] == []


async def test_a_page_goes_on_from_where_its_list_was_read(town: TestCity, worker: Served) -> None:
    citizen = await town.ready()
    await asked(town, citizen)
    place = await worker.city.watch.place(citizen)
    between = await asked(town, citizen)
    async with worker.ear(await worker.session(citizen), after=place.text) as ear:
        assert await ear.ids(1) == [between]


async def test_a_page_that_is_far_behind_is_told_to_read_again(
    town: TestCity, worker: Served
) -> None:
    citizen = await town.ready()
    place = await worker.city.watch.place(citizen)
    first = await asked(town, citizen)
    for earlier in range(watch.LINES_MAX):
        await as_if(town, first, earlier_ms=-1 - earlier)
    async with worker.ear(await worker.session(citizen), after=place.text) as ear:
        names = [(await ear.next()).name for _ in range(2)]
        assert "behind" in names
        assert "lookup" not in names
        place_text = ear.last_id
        assert [each for each in await ear.silence() if each.name != "alive"] == []
    async with worker.ear(await worker.session(citizen), after=place_text) as ear:
        assert {each.name for each in await ear.silence()} <= {"consent"}


@pytest.mark.parametrize("place", ["x", "A" * 36, f"{UUID(int=1)}.", f"{UUID(int=1)}.AAA", "\x7f"])
async def test_a_place_that_no_stream_gave_is_refused(
    town: TestCity, worker: Served, place: str
) -> None:
    session = await worker.session(await town.citizen())
    async with worker.ear(session, after=place) as ear:
        assert ear.answer.status_code == 400
        assert ear.answer.headers["content-type"] == "application/problem+json"
    assert worker.city.counts.lookup_streams == 0


# ------------------------------------------------------------------ bounds


async def test_one_stream_too_many_is_told_to_come_later(
    town: TestCity, worker: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "STREAMS_MAX", 2)
    sessions = [await worker.session(await town.citizen()) for _ in range(3)]
    async with worker.ear(sessions[0]), worker.ear(sessions[1]):
        async with worker.ear(sessions[2]) as refused:
            assert refused.answer.status_code == 503
            assert int(refused.answer.headers["retry-after"]) >= watch.RETRY_S
        assert worker.city.counts.lookup_streams == 2
    async with worker.ear(sessions[2]) as ear:
        assert ear.answer.status_code == 200


async def test_of_one_citizens_streams_the_oldest_makes_room(
    town: TestCity, worker: Served
) -> None:
    citizen = await town.ready()
    session = await worker.session(citizen)
    async with AsyncExitStack() as stack:
        ears: list[Ear] = [
            await stack.enter_async_context(worker.ear(session)) for _ in range(watch.EACH_MAX + 1)
        ]
        last = (await ears[0].end())[-1]
        assert (last.name, last.data) == ("over", {"reason": "replaced"})
        new = await asked(town, citizen)
        for ear in ears[1:]:
            assert await ear.ids(1) == [new]


async def test_a_page_that_does_not_read_loses_its_stream_and_holds_no_memory(
    town: TestCity, worker: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_stream, "QUEUE_MAX", 4)
    citizen = await town.ready()
    session = await worker.session(citizen)
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect((HOST, worker.port))
        cookie = f"{worker.city.sessions.cookie}={session}"
        deaf.sendall(
            f"GET {STREAM} HTTP/1.1\r\nHost: 127.0.0.1:8700\r\nCookie: {cookie}\r\n\r\n".encode()
        )
        await until(lambda: worker.city.counts.lookup_streams == 1)
        (connection,) = worker.server.server_state.connections
        connection.transport.set_write_buffer_limits(high=1024)
        (stream,) = worker.city.watch._streams
        for _ in range(400):
            await town.ask(citizen, reference="r" * 100)
            if stream.ended:
                break
            if len(stream._waiting) < 3:
                await asyncio.sleep(0.05)
        await until(lambda: stream.ended is not None)
        assert stream.ended in ("slow", "gone")
        assert len(stream._waiting) <= 4
        await until(lambda: worker.city.counts.lookup_streams == 0, within_s=15)


async def test_the_watcher_works_only_while_somebody_watches(
    town: TestCity, worker: Served
) -> None:
    def watchers() -> list[str]:
        return [each.get_name() for each in asyncio.all_tasks() if each.get_name() == "watch"]

    assert watchers() == []
    async with worker.ear(await worker.session(await town.citizen())):
        assert watchers() == ["watch"]
    await until(lambda: watchers() == [])


# ------------------------------------------------------------------ the end


async def test_signing_out_ends_the_stream(town: TestCity, worker: Served) -> None:
    citizen = await town.ready()
    session, other = await worker.session(citizen), await worker.session(citizen)
    async with worker.ear(session) as ear, worker.ear(other) as kept:
        async with worker.client(session) as client:
            assert (await client.post("/v1/logout")).status_code < 300
        ended = await ear.end()
        assert (ended[-1].name, ended[-1].data) == ("over", {"reason": "session"})
        new = await asked(town, citizen)
        assert await kept.ids(1) == [new]


async def test_a_session_that_runs_out_ends_the_stream(town: TestCity, worker: Served) -> None:
    session = await worker.session(await town.citizen())
    async with worker.ear(session) as ear:
        await town.owner.execute(
            "UPDATE session SET expires_at = clock_timestamp() + interval '300 ms'"
        )
        began = time.monotonic()
        assert (await ear.end())[-1].data == {"reason": "session"}
        assert time.monotonic() - began < 2


async def test_a_stream_ends_by_itself_after_some_minutes(
    town: TestCity, worker: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lookup_stream.LIFE_S <= 600
    monkeypatch.setattr(lookup_stream, "LIFE_S", 0.5)
    async with worker.ear(await worker.session(await town.citizen())) as ear:
        assert [each for each in await ear.end() if each.name == "over"] == []


async def test_a_client_that_is_gone_is_noticed(town: TestCity, worker: Served) -> None:
    async with worker.ear(await worker.session(await town.citizen())):
        assert worker.city.counts.lookup_streams == 1
    await until(lambda: worker.city.counts.lookup_streams == 0, within_s=1)


async def test_a_worker_that_ends_does_not_wait_for_its_streams(town: TestCity) -> None:
    async with AsyncExitStack() as stack:
        worker = await stack.enter_async_context(served(town))
        session = await worker.session(await town.citizen())
        ear = await stack.enter_async_context(worker.ear(session))
        began = time.monotonic()
        worker.server.should_exit = True
        assert [each for each in await ear.end() if each.name == "over"] == []
        await until(lambda: not worker.server.servers[0].is_serving())
        assert time.monotonic() - began < 2


async def test_a_stream_holds_no_room_of_the_door(town: TestCity, worker: Served) -> None:
    async with worker.ear(await worker.session(await town.citizen())):
        assert worker.city.admission.in_flight == 0


async def test_a_head_request_and_one_with_a_body_get_no_stream(
    town: TestCity, worker: Served
) -> None:
    async with worker.client(await worker.session(await town.citizen())) as client:
        assert (await client.head(STREAM)).status_code == 405
        answer = await client.request("GET", STREAM, content=b"?")
        assert answer.status_code == 400
    assert worker.city.counts.lookup_streams == 0


async def until(holds: Callable[[], bool], within_s: float = 5) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0.02)
