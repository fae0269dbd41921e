"""An open-loop sender: requests leave when they are due, whatever became of those before."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec

#: Connections at most; a request that finds none free waits, and its wait counts.
CONNECTIONS = 400


class Reply(msgspec.Struct, frozen=True):
    """An answer, and the seconds from when its request was due."""

    status: int
    headers: dict[str, str]
    seconds: float


class Sender:
    """Sends to one address over connections that are kept."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._places = asyncio.Semaphore(CONNECTIONS)

    async def send(self, request: bytes, due_at: float) -> Reply:
        """Send one request and read its answer whole."""
        async with self._places:
            reader, writer, head = await self._asked(request)
            first, *lines = head.decode().strip().split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
            }
            await reader.readexactly(int(headers["content-length"]))
            self._free.append((reader, writer))
            return Reply(int(first.split()[1]), headers, time.monotonic() - due_at)

    async def _asked(
        self, request: bytes
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
        while self._free:
            reader, writer = self._free.pop()
            writer.write(request)
            try:
                return reader, writer, await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()  # the server had closed it, for it was idle for long
        reader, writer = await asyncio.open_connection(*self._address)
        writer.write(request)
        return reader, writer, await reader.readuntil(b"\r\n\r\n")

    async def flood(self, request: Callable[[int], bytes], per_s: float, count: int) -> list[Reply]:
        """So many requests, evenly, each at its own instant."""
        began, sent = time.monotonic(), []
        for number in range(count):
            due_at = began + number / per_s
            if (early_s := due_at - time.monotonic()) > 0:
                await asyncio.sleep(early_s)
            sent.append(asyncio.ensure_future(self.send(request(number), due_at)))
        return list(await asyncio.gather(*sent))

    async def close(self) -> None:
        """Close every connection."""
        for _, writer in self._free:
            writer.close()
        await asyncio.sleep(0)


def post(path: str, host: str, body: str = "", **headers: str) -> bytes:
    """A POST as it travels; underscores in names of fields stand for hyphens."""
    fields = {"host": host, "content-length": str(len(body.encode())), **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join([f"POST {path} HTTP/1.1", *lines, "", body]).encode()
