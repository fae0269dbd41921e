"""A connection has so much time for each thing, and whoever takes longer is cut.

Real sockets against a real worker; the seconds are shortened, since waiting proves nothing.
"""

from __future__ import annotations

import asyncio
import time

import pytest

from gateway.edge import connection, sweep
from tests.gateway.edge.listening import BIG, GET, HEAD, Worker, get, played, post, statuses

STEP_S, HEAD_S, IDLE_S, UNREAD_S, LINGER_S = 0.05, 0.3, 1.5, 0.5, 0.5


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "STEP_S", STEP_S)
    for name in ("HEAD_S", "IDLE_S", "UNREAD_S", "LINGER_S"):
        monkeypatch.setattr(connection, name, globals()[name])


def test_who_says_nothing_is_closed_without_a_word() -> None:
    async def play(worker: Worker) -> None:
        started = time.monotonic()
        assert await worker.ask(b"") == b""
        assert HEAD_S <= time.monotonic() - started < IDLE_S
        assert worker.connections == 0

    played(play)


@pytest.mark.parametrize("drop", [b"X-A: a\r\n", b"X"], ids=["fields", "bytes"])
def test_a_head_that_trickles_is_told_so_and_cut(drop: bytes) -> None:
    async def play(worker: Worker) -> None:
        async with worker.client() as client:
            await client.say(b"GET / HTTP/1.1\r\n" + HEAD)
            started, answer = time.monotonic(), asyncio.create_task(client.rest())
            while not answer.done():
                await client.say(drop)
                await asyncio.sleep(0.02)
            assert HEAD_S - STEP_S <= time.monotonic() - started < IDLE_S
            assert statuses(await answer) == [408]
            assert b"urn:qianjiang:problem:too-slow" in await answer
        assert worker.app.asked == []

    played(play)


def test_empty_lines_are_not_a_sign_of_life() -> None:
    async def play(worker: Worker) -> None:
        async with worker.client() as client:
            closed = asyncio.create_task(client.rest())
            while not closed.done():
                await client.say(b"\r\n")
                await asyncio.sleep(0.02)
            assert await closed == b""

    played(play)


def test_between_requests_a_connection_rests_longer_than_a_head_may_take() -> None:
    async def play(worker: Worker) -> None:
        async with worker.client() as client:
            await client.say(GET)
            await client.answer()
            assert await client.is_open(HEAD_S * 2)
            started = time.monotonic()
            await client.say(GET)
            await client.answer()
            assert await client.rest() == b""
            assert IDLE_S <= time.monotonic() - started < IDLE_S * 2

    played(play)


def test_a_later_head_has_its_time_from_its_first_byte() -> None:
    async def play(worker: Worker) -> None:
        async with worker.client() as client:
            await client.say(GET)
            await client.answer()
            await asyncio.sleep(HEAD_S)
            await client.say(b"GET")
            started = time.monotonic()
            assert statuses(await client.rest()) == [408]
            assert HEAD_S - STEP_S <= time.monotonic() - started < IDLE_S

    played(play)


def test_an_application_may_take_its_time() -> None:
    async def play(worker: Worker) -> None:
        async with worker.client() as client:
            await client.say(get("/gate"))
            assert await client.is_open(IDLE_S + HEAD_S)
            worker.app.gate.set()
            assert statuses(await client.answer()) == [200]

    played(play)


@pytest.mark.parametrize("times", [1, 3])
def test_who_does_not_read_is_cut(times: int) -> None:
    async def play(worker: Worker) -> None:
        async with worker.client() as client:
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's
            await client.say(get("/big") * times)
            await asyncio.sleep(0.1)
            assert worker.connections == 1
            await asyncio.sleep(UNREAD_S + 2 * STEP_S)
            assert worker.connections == 0
        assert worker.app.asked[0] == "/big"

    played(play)


def test_who_reads_late_but_reads_gets_everything() -> None:
    async def play(worker: Worker) -> None:
        async with worker.client() as client:
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's
            await client.say(get("/big"))
            await asyncio.sleep(UNREAD_S / 2)
            client.writer.transport.resume_reading()  # type: ignore[attr-defined]  # a socket's
            assert (await client.answer()).endswith(b"x" * BIG)
            await client.say(GET)
            assert statuses(await client.answer()) == [200]

    played(play)


def test_what_follows_an_early_answer_is_heard_for_a_time() -> None:
    async def play(worker: Worker) -> None:
        async with worker.client() as client:
            await client.say(post("/", b"", length=10_000))
            await client.answer()
            for _ in range(round((LINGER_S + 0.3) / 0.05)):
                await client.say(b"a")
                await asyncio.sleep(0.05)
            assert worker.connections == 0

    played(play)
