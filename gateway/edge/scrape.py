"""`GET /metrics` on a listener of its own: nothing else is served here, and nothing of it on the
gateway's public port.

One process of the machine listens; it reads what all of them wrote (gateway/seats.py). The text
is made in a thread and kept for a moment, so neither a scrape nor a flood of them holds up those
who ask for decisions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from gateway.edge.problems import log_failure, problem_bytes
from gateway.errors import GatewayError, HeadersTooLarge, Malformed, MethodNotAllowed, NotFound
from gateway.metrics import OPEN_METRICS, TEXT

PATH: Final = "/metrics"

HEAD_BYTES: Final = 8 * 1024
CONNECTIONS_MAX: Final = 8

#: From connecting to having read the answer.
WAIT_S: Final = 5.0

#: For so long one text serves all who ask.
KEPT_S: Final = 0.5

Headers = list[tuple[bytes, bytes]]


class Scrape:
    """The listener of one process; closed until `open` succeeds.

    Args:
        text: makes the metrics' text, OpenMetrics or the older format; runs in a thread.
        now: monotonic seconds.
    """

    def __init__(self, text: Callable[[bool], bytes], now: Callable[[], float]) -> None:
        self._text, self._now = text, now
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._making = asyncio.Lock()
        self._kept: dict[bool, tuple[float, bytes]] = {}

    @property
    def is_open(self) -> bool:
        """Whether this process is the one that listens."""
        return self._server is not None

    async def open(self, host: str, port: int) -> None:
        """Listen.

        Raises:
            OSError: somebody listens there (EADDRINUSE), or nobody can.
        """
        self._server = await asyncio.start_server(
            self._connected, host, port, limit=HEAD_BYTES, backlog=2 * CONNECTIONS_MAX
        )

    async def close(self) -> None:
        """Stop listening, and end what is under way."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "a connection's callback runs as a task"
        if len(self._connections) >= CONNECTIONS_MAX:
            writer.transport.abort()
            return
        self._connections.add(task)
        try:
            async with asyncio.timeout(WAIT_S):
                writer.transport.set_write_buffer_limits(high=0)  # drained means sent
                writer.write(await self._answer(reader))
                await writer.drain()
            writer.close()
        except (OSError, EOFError, TimeoutError, asyncio.CancelledError):
            # Whoever asked has gone or takes too long, or this process ends: so does the task.
            writer.transport.abort()
        finally:
            self._connections.discard(task)

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return _problem(HeadersTooLarge())
        line, *fields = head.split(b"\r\n")
        if (refusal := _refusal(line)) is not None:
            return _problem(refusal)
        open_metrics = _accepts_open_metrics(fields)
        _, media_type = OPEN_METRICS if open_metrics else TEXT
        try:
            body = await self._made(open_metrics)
        except Exception as fault:
            log_failure(fault)
            return _problem(fault)
        headers = [(b"content-type", media_type.encode()), (b"content-length", b"%d" % len(body))]
        return _response(200, [*headers, (b"cache-control", b"no-store")], body)

    async def _made(self, open_metrics: bool) -> bytes:
        async with self._making:
            at, body = self._kept.get(open_metrics, (-KEPT_S, b""))
            if self._now() - at >= KEPT_S:
                body = await asyncio.to_thread(self._text, open_metrics)
                self._kept[open_metrics] = self._now(), body
        return body


def _refusal(line: bytes) -> GatewayError | None:
    words = line.split(b" ")
    if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
        return Malformed([("", "the request line is not HTTP/1.1's")])
    method, target, _ = words
    if target.partition(b"?")[0] != PATH.encode():
        return NotFound()
    return None if method == b"GET" else MethodNotAllowed(["GET"])


def _accepts_open_metrics(fields: list[bytes]) -> bool:
    pairs = (field.partition(b":") for field in fields)
    accepted = (value for name, _, value in pairs if name.lower() == b"accept")
    return any(b"application/openmetrics-text" in value.lower() for value in accepted)


def _problem(fault: Exception) -> bytes:
    status, headers, body = problem_bytes(fault)
    return _response(status, headers, body)


def _response(status: int, headers: Headers, body: bytes) -> bytes:
    line = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
    fields = b"".join(b"%b: %b\r\n" % field for field in headers)
    return b"%b%bconnection: close\r\n\r\n%b" % (line, fields, body)
