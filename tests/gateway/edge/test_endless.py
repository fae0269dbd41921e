"""An answer without an end is not waited for when the worker ends; one with an end is.

Real sockets against a real worker.
"""

from __future__ import annotations

import asyncio
import time

from tests.gateway.edge.listening import Client, Worker, get, played, statuses


async def begun(client: Client, path: str) -> None:
    await client.say(get(path))
    async with asyncio.timeout(5):
        await client.reader.readuntil(b"3\r\none\r\n")


def test_a_stream_ends_in_good_form_and_a_file_is_sent_to_its_end() -> None:
    async def play(worker: Worker) -> None:
        async with worker.client() as events, worker.client() as file:
            await begun(events, "/events")
            await begun(file, "/file")
            began = time.monotonic()
            worker.server.should_exit = True
            assert await events.rest() == b"0\r\n\r\n"
            assert time.monotonic() - began < 1
            assert await file.is_open()
            worker.app.gate.set()
            assert await file.rest() == b"5\r\n/file\r\n0\r\n\r\n"

    played(play)


def test_what_was_asked_behind_a_stream_is_answered_when_the_stream_ends() -> None:
    async def play(worker: Worker) -> None:
        async with worker.client() as client:
            await begun(client, "/events")
            await client.say(get("/behind"))
            await asyncio.sleep(0.1)
            worker.server.should_exit = True
            end, _, answer = (await client.rest()).partition(b"0\r\n\r\n")
            assert end == b""
            assert statuses(answer) == [200]
            assert b"connection: close" in answer

    played(play)


def test_a_stream_that_nobody_reads_is_cut() -> None:
    async def play(worker: Worker) -> None:
        async with worker.client() as client:
            await begun(client, "/events")
            (connection,) = worker.server.server_state.connections
            connection.pause_writing()
            worker.server.should_exit = True
            assert await client.rest() == b""

    played(play)


def test_what_an_application_still_says_to_an_ended_stream_goes_nowhere() -> None:
    async def play(worker: Worker) -> None:
        async with worker.client() as client:
            await begun(client, "/events")
            (connection,) = worker.server.server_state.connections
            connection.shutdown()
            worker.app.gate.set()
            assert await client.rest() == b"0\r\n\r\n"

    played(play)
