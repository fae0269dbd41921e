"""A server of the test's own: it answers each request as the test says, and keeps what it got."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

#: What to do with a request: its first line and its body in, the bytes of an answer out. None
#: closes the connection instead.
Answering = Callable[[str, bytes], Awaitable[bytes | None]]


def answer(status: int = 200, body: bytes = b"{}", *fields: str) -> bytes:
    """A whole HTTP/1.1 answer."""
    lines = [f"HTTP/1.1 {status} Whatever", f"content-length: {len(body)}", *fields, "", ""]
    return "\r\n".join(lines).encode() + body


class Counterpart:
    """Serves in a thread of its own for as long as the block."""

    host = "127.0.0.1"

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._up, self._over = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self.port = 0
        self.connections = 0
        self.seen: list[tuple[str, bytes]] = []

    def __enter__(self) -> Counterpart:
        self._thread.start()
        assert self._up.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._connection, self.host, 0)
        self.port = server.sockets[0].getsockname()[1]
        self._up.set()
        await self._over.wait()
        server.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while said := await self._one(reader):
                writer.write(said)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the generator has gone, or the test is over
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader) -> bytes | None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            (int(line[15:]) for line in head.lower().split("\r\n") if "content-length:" in line), 0
        )
        body = await reader.readexactly(length)
        self.seen.append((head, body))
        return await self._answering(head.partition("\r\n")[0], body)
