"""A whole worker on a socket of its own, in the test's loop: its city, its application, its server.

Two of them on one database are two workers of a city.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

import httpx
import msgspec
import uvicorn

from gateway.app import build_app
from gateway.city import City
from gateway.server import FLAGS, bound
from gateway.sessions import csrf_token
from tests.gateway.city import TestCity
from tests.gateway.edge.listening import HOST

STREAM = "/v1/me/lookups/stream"


class Heard(msgspec.Struct, frozen=True):
    """An event as a browser has it."""

    name: str
    data: Any
    id: str


class Ear:
    """A page's side of a stream; a sign of life is heard as an event `alive`."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.last_id = ""
        self._heard: asyncio.Queue[Heard | None] = asyncio.Queue()
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        name, data, identifier = "message", "", ""
        try:
            async for line in self.answer.aiter_lines():
                field, _, value = line.partition(":")
                if not line:
                    if data or name == "alive":
                        told = json.loads(data) if data else None
                        self._heard.put_nowait(Heard(name, told, identifier))
                    name, data = "message", ""
                elif not field:
                    name = "alive"
                elif field == "event":
                    name = value.strip()
                elif field == "data":
                    data = value
                elif field == "id":
                    identifier = value.strip()
        finally:
            self._heard.put_nowait(None)

    async def close(self) -> None:
        """Hear no more."""
        self._listening.cancel()
        with suppress(asyncio.CancelledError, httpx.HTTPError):
            await self._listening

    async def next(self, within_s: float = 3) -> Heard:
        """The next event.

        Raises:
            EOFError: the stream ended.
            TimeoutError: there was none for so long.
        """
        async with asyncio.timeout(within_s):
            heard = await self._heard.get()
        if heard is None:
            self._heard.put_nowait(None)
            await self._listening  # raises where the end was not in good form
            raise EOFError
        self.last_id = heard.id
        return heard

    async def lookup(self, within_s: float = 3) -> dict[str, Any]:
        """The next line of "who asked about me"."""
        heard = await self.next(within_s)
        while heard.name != "lookup":
            heard = await self.next(within_s)
        line: dict[str, Any] = heard.data
        return line

    async def ids(self, count: int) -> list[str]:
        """The decisions of so many lines."""
        return [(await self.lookup())["decision_id"] for _ in range(count)]

    async def silence(self, for_s: float = 1.2) -> list[Heard]:
        """What comes within so long: nothing, it is hoped."""
        came = []
        try:
            async with asyncio.timeout(for_s):
                while True:
                    came.append(await self.next(for_s + 1))
        except TimeoutError:
            return came

    async def end(self, within_s: float = 3) -> list[Heard]:
        """All that comes until the stream ends in good form."""
        came = []
        try:
            while True:
                came.append(await self.next(within_s))
        except EOFError:
            return came


class Served(msgspec.Struct, frozen=True):
    """A worker that listens."""

    city: City
    server: uvicorn.Server
    port: int

    @asynccontextmanager
    async def client(self, session: str = "") -> AsyncIterator[httpx.AsyncClient]:
        """A browser with this session's cookie."""
        issuer = self.city.settings.issuer
        headers = {"host": issuer.partition("//")[2]}
        if session:
            headers |= {
                "cookie": f"{self.city.sessions.cookie}={session}",
                "x-csrf-token": csrf_token(session),
            }
        base = f"http://{HOST}:{self.port}"
        async with httpx.AsyncClient(base_url=base, headers=headers, timeout=10) as client:
            yield client

    async def session(self, citizen: UUID) -> str:
        """A session of this citizen."""
        return await self.city.sessions.begin(citizen)

    @asynccontextmanager
    async def ear(self, session: str, **given: str) -> AsyncIterator[Ear]:
        """An open stream; `after` and `last_event_id` say where it goes on from."""
        headers = {"last-event-id": given["last_event_id"]} if "last_event_id" in given else {}
        query = {"after": given["after"]} if "after" in given else {}
        async with (
            self.client(session) as client,
            client.stream("GET", STREAM, headers=headers, params=query) as answer,
        ):
            ear = Ear(answer)
            try:
                yield ear
            finally:
                await ear.close()


@asynccontextmanager
async def served(town: TestCity) -> AsyncIterator[Served]:
    """A further worker of the town, listening; it ends in order."""
    base = town.city
    city = City(base.settings, base.keys, base.registry, base.clock, base.ids)
    server = uvicorn.Server(uvicorn.Config(lambda: build_app(city), **FLAGS))
    listener = bound(HOST, 0)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # uvicorn tells it by nothing else
        await asyncio.sleep(0.01)
        assert not task.done()
    try:
        yield Served(city, server, listener.getsockname()[1])
    finally:
        server.should_exit = True
        await task
