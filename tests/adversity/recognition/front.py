"""A socket in front of a city, which answers for it honestly until it is told to lie."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import httpx
import msgspec

Writer = asyncio.StreamWriter


class Asked(msgspec.Struct, frozen=True):
    """One request as it came over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


#: What is done with a request instead of answering it.
Lie = Callable[[Asked, Writer], Awaitable[None]]
#: Fields that are of one connection, or that the writer makes itself.
_OWN = {"content-length", "transfer-encoding", "connection", "host"}


class Front:
    """Listens on an address of this machine; `lie` replaces the answers, `asked` remembers."""

    def __init__(self, host: str) -> None:
        self._host = host
        self.lie: Lie | None = None
        self.asked: list[str] = []
        self._behind: httpx.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Front:
        self._server = await asyncio.start_server(self._serve, self._host, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._behind is not None:
            await self._behind.aclose()

    @property
    def url(self) -> str:
        """Its origin."""
        return f"http://{self._host}:{self._server.sockets[0].getsockname()[1]}"

    def stand_before(self, app: Any) -> None:
        """Answer with what this application says."""
        self._behind = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=self.url)

    async def honest(self, asked: Asked, writer: Writer) -> None:
        """Answer as the city does."""
        assert self._behind is not None, "there is a city behind it"
        headers = {name: text for name, text in asked.headers.items() if name not in _OWN}
        said = await self._behind.request(
            asked.method, asked.path, content=asked.body, headers=headers
        )
        fields = [f"{name}: {text}" for name, text in said.headers.items() if name not in _OWN]
        write(writer, said.status_code, said.content, *fields)

    async def _serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            asked = await _read(reader)
            self.asked.append(f"{asked.method} {asked.path.partition('?')[0]}")
            await (self.lie or self.honest)(asked, writer)
            await writer.drain()
        writer.close()
        self._tasks.discard(task)


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    fields = {line.split(": ", 1)[0].lower(): line.split(": ", 1)[1] for line in head[1:] if line}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, path, fields, body)


def write(writer: Writer, status: int, body: bytes, *fields: str) -> None:
    """Write an answer with these further header lines."""
    head = (f"HTTP/1.1 {status} X", f"content-length: {len(body)}", "connection: close", *fields)
    writer.write("\r\n".join((*head, "", "")).encode("latin-1") + body)
