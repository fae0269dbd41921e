"""The region's end of the wire: a real server on this machine that answers as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.clock import SECOND_US, Clock
from tests.gateway.recognition.region import TestRegion

HEAD = b"HTTP/1.1 200 OK\r\nconnection: close\r\n"
Answer = Callable[[], list[bytes]]


class RegionServer:
    """Serves a region's list, signed at each request; `answer` is what is written, in pieces."""

    def __init__(self, region: TestRegion, clock: Clock) -> None:
        self.region, self.clock = region, clock
        self.answer: Answer = self.honest
        self.pause_s = 0.0  # before each piece
        self.asked: list[str] = []
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> RegionServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.region.url = self.url
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/cities"

    def honest(self) -> list[bytes]:
        """The list as it is now."""
        return self.saying(self.region.token(self.clock.now_us() // SECOND_US))

    def saying(self, text: str | bytes) -> list[bytes]:
        """An answer with this body."""
        body = text.encode() if isinstance(text, str) else text
        return [HEAD + b"content-length: %d\r\n\r\n" % len(body), body]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.split(b"\r\n")[0].decode())
        try:
            for piece in self.answer():
                await asyncio.sleep(self.pause_s)
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass  # the other side had enough
        finally:
            writer.close()
