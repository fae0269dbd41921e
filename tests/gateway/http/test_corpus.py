"""Every request of the corpus through a real server: one answer, the right one, nothing broken.

All are sent at once from one loop, so that the slow ones cost the file their longest and not
their sum.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import msgspec
import pytest

from tests.gateway.http.corpus import Case, corpus
from tests.gateway.http.door import HOST, Door

#: How long a second answer to one request is waited for.
AFTERWARDS_S = 0.3
TRICKLE_S = 1.0


class Seen(msgspec.Struct, frozen=True):
    """What came back: 0 is a connection closed without a word."""

    status: int
    head: bytes
    body: bytes
    rest: bytes
    took_s: float


async def _send(port: int, case: Case) -> Seen:
    reader, writer = await asyncio.open_connection(HOST, port, limit=2**20)
    started = time.monotonic()
    trickling = asyncio.create_task(_pour(writer, case))
    try:
        async with asyncio.timeout(20):
            return await _answer(reader, started, case)
    finally:
        trickling.cancel()
        with suppress(asyncio.CancelledError, OSError):
            await trickling
        writer.close()


async def _pour(writer: asyncio.StreamWriter, case: Case) -> None:
    # The server may answer and close before it has read everything, which is its right.
    with suppress(ConnectionError):
        writer.write(case.sent)
        await writer.drain()
        while case.trickle:
            await asyncio.sleep(TRICKLE_S)
            writer.write(case.trickle)
            await writer.drain()


async def _answer(reader: asyncio.StreamReader, started: float, case: Case) -> Seen:
    head = body = rest = b""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while not head or head.startswith(b"HTTP/1.1 100"):
            head = await reader.readuntil(b"\r\n\r\n")
        length = b"" if case.sent.startswith(b"HEAD ") else _field(head, b"content-length")
        body = await reader.readexactly(int(length)) if length else b""
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(20 if case.closed_within_s else AFTERWARDS_S):
            rest = await reader.read()
    status = int(head[9:12]) if head else 0
    return Seen(status, head, body, rest, time.monotonic() - started)


def _field(head: bytes, name: bytes) -> bytes:
    for line in head.lower().split(b"\r\n")[1:]:
        found, _, value = line.partition(b":")
        if found == name:
            return value.strip()
    return b""


async def _send_all(door: Door, cases: list[Case]) -> dict[str, Seen]:
    seen = await asyncio.gather(*(_send(door.port, case) for case in cases))
    return dict(zip([case.name for case in cases], seen, strict=True))


class Run(msgspec.Struct, frozen=True):
    """The whole corpus, sent once."""

    cases: list[Case]
    seen: dict[str, Seen]
    before: set[int]
    after: set[int]


@pytest.fixture(scope="module")
def run(door: Door) -> Run:
    cases = corpus(door)
    assert len({case.name for case in cases}) == len(cases), "each case has a name of its own"
    before = door.workers
    seen = asyncio.run(_send_all(door, cases))
    return Run(cases, seen, before, door.workers)


def test_the_corpus_is_large(run: Run) -> None:
    assert len(run.cases) >= 80


def test_every_request_gets_a_status_that_it_may_get(run: Run) -> None:
    wrong = {
        case.name: (run.seen[case.name].status, sorted(case.wanted))
        for case in run.cases
        if run.seen[case.name].status not in case.wanted
    }
    assert wrong == {}


def test_no_request_gets_a_second_answer(run: Run) -> None:
    assert {name: seen.rest for name, seen in run.seen.items() if b"HTTP/1" in seen.rest} == {}


def test_no_worker_dies(run: Run) -> None:
    assert len(run.before) == 2
    assert run.after == run.before


def test_every_error_is_a_problem(run: Run) -> None:
    """Also those of requests that cannot even be read; stored nowhere."""
    assert [name for name, seen in run.seen.items() if seen.status >= 500] == []
    for name, seen in run.seen.items():
        if seen.status < 400 or name.startswith("HEAD "):
            continue
        assert _field(seen.head, b"content-type") == b"application/problem+json", name
        assert _field(seen.head, b"cache-control") == b"no-store", name
        assert msgspec.json.decode(seen.body)["status"] == seen.status, name


def test_the_server_does_not_tell_its_name(run: Run) -> None:
    assert {_field(seen.head, b"server") for seen in run.seen.values()} == {b""}


def test_every_answer_is_dated_and_has_a_length(run: Run) -> None:
    answered = {name: seen.head for name, seen in run.seen.items() if seen.status}
    assert [name for name, head in answered.items() if not _field(head, b"date")] == []
    assert [name for name, head in answered.items() if not _field(head, b"content-length")] == []


def test_slow_connections_are_closed_in_time(run: Run) -> None:
    late = {
        case.name: run.seen[case.name].took_s
        for case in run.cases
        if case.closed_within_s and run.seen[case.name].took_s > case.closed_within_s
    }
    assert late == {}


def test_the_door_still_opens(door: Door, run: Run) -> None:
    good = next(case for case in run.cases if case.name == "a good question")
    assert asyncio.run(_send(door.port, good)).status == 200
