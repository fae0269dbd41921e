"""A room is held while a request is worked on, and never while its client is waited for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.admission import Admission
from gateway.clock import SystemClock
from gateway.edge.admission import Door
from gateway.errors import ReducedCapacity
from tests.gateway.edge.asgi import scope

PATH = {"path": "/v1/consent-requests"}


class Client:
    """A client that sends and reads when it is told to."""

    def __init__(self) -> None:
        self.sends, self.reads = asyncio.Event(), asyncio.Event()
        self.statuses: list[int] = []

    async def receive(self) -> Any:
        await self.sends.wait()
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(self, event: Any) -> None:
        if event["type"] == "http.response.start":
            self.statuses.append(event["status"])
            await self.reads.wait()


class Work:
    """An application that reads a body, works, and answers."""

    def __init__(self, admission: Admission) -> None:
        self.admission, self.inside = admission, [0]
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        await receive()
        self.inside.append(self.admission.in_flight)
        await self.gate.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def admission() -> Admission:
    return Admission(SystemClock(), per_s=0, in_flight=1, waiting=4)


async def test_who_sends_slowly_keeps_nobody_out(admission: Admission) -> None:
    work, slow, quick = Work(admission), Client(), Client()
    door = Door(work, admission)
    first = asyncio.create_task(door(scope(**PATH), slow.receive, slow.send))
    await asyncio.sleep(0.01)
    assert admission.in_flight == 0
    quick.sends.set()
    quick.reads.set()
    await door(scope(**PATH), quick.receive, quick.send)
    assert quick.statuses == [200]
    slow.sends.set()
    slow.reads.set()
    await first
    assert (slow.statuses, max(work.inside), admission.in_flight) == ([200], 1, 0)


async def test_who_does_not_read_keeps_nobody_out(admission: Admission) -> None:
    door, deaf, quick = Door(Work(admission), admission), Client(), Client()
    deaf.sends.set()
    first = asyncio.create_task(door(scope(**PATH), deaf.receive, deaf.send))
    await asyncio.sleep(0.01)
    assert (deaf.statuses, admission.in_flight) == ([200], 0)
    quick.sends.set()
    quick.reads.set()
    await door(scope(**PATH), quick.receive, quick.send)
    assert quick.statuses == [200]
    deaf.reads.set()
    await first
    assert admission.in_flight == 0


async def test_who_comes_back_with_a_body_finds_no_room_where_there_is_none(
    admission: Admission,
) -> None:
    work, late, busy = Work(admission), Client(), Client()
    door = Door(work, admission)
    first = asyncio.create_task(door(scope(**PATH), late.receive, late.send))
    await asyncio.sleep(0.01)
    work.gate.clear()
    busy.sends.set()
    second = asyncio.create_task(door(scope(**PATH), busy.receive, busy.send))
    await asyncio.sleep(0.01)
    late.sends.set()
    with pytest.raises(ReducedCapacity):
        await first
    assert admission.in_flight == 1
    work.gate.set()
    busy.reads.set()
    await second
    assert admission.in_flight == 0


async def test_an_application_that_fails_leaves_its_room(admission: Admission) -> None:
    async def fails(_scope: Any, _receive: Any, _send: Any) -> None:
        raise ValueError

    client = Client()
    with pytest.raises(ValueError):
        await Door(fails, admission)(scope(**PATH), client.receive, client.send)
    assert admission.in_flight == 0
