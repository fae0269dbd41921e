"""One kept HTTP/1.1 connection, below asyncio's streams: a request out, a whole answer in."""

from __future__ import annotations

import asyncio
import re
from typing import Protocol

from loadtest.offered import NO_ANSWER

ANSWER_BYTES_MAX = 4 << 20

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)")
_RETRY = re.compile(rb"\r\nretry-after: *(\d+)")


def answer_in(data: bytes) -> tuple[int, int, int, bool] | None:
    """Status, Retry-After (-1: none), where the body begins, whether the connection stays.

    None until the answer is whole.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = data[: end + 2].lower()
    status, length = int(head[9:12]), _LENGTH.search(head)
    if length is None and b"\r\ntransfer-encoding: chunked" in head:
        if not data.endswith(b"\r\n0\r\n\r\n"):
            return None
    elif len(data) < end + 4 + (int(length[1]) if length else 0):
        return None
    retry = _RETRY.search(head) if status in (429, 503) else None
    after = min(int(retry[1]), 32_767) if retry else -1
    return status, after, end + 4, b"\r\nconnection: close" not in head


class Owner(Protocol):
    """Who has requests to send, each by its number."""

    def begin(self, number: int) -> bytes:
        """The bytes of a request that is written now."""

    def end(self, number: int, status: int, retry: int, body: bytes) -> None:
        """What came of a request."""

    def free(self, connection: Connection) -> None:
        """A connection may carry the next request."""

    def lost(self, connection: Connection) -> None:
        """A connection is gone."""


class Connection(asyncio.Protocol):
    """One kept connection with at most one request on its way."""

    def __init__(self, owner: Owner) -> None:
        self._owner, self._number, self._data = owner, -1, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready for a first request."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # it is one
        self._owner.free(self)

    def send(self, number: int) -> None:
        """Write the request of a number."""
        self._number = number
        self._transport.write(self._owner.begin(number))

    def data_received(self, data: bytes) -> None:
        """Take what came; a whole answer frees the connection for the next request."""
        self._data += data
        if self._number < 0 or len(self._data) > ANSWER_BYTES_MAX:
            self._transport.abort()  # nobody asked, or nobody asked for so much
        elif (answer := answer_in(self._data)) is not None:
            status, retry, body, stays = answer
            self._owner.end(self._number, status, retry, self._data[body:])
            self._number, self._data = -1, b""
            if stays:
                self._owner.free(self)
            else:
                self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The request on its way has no answer, and another connection takes this one's place."""
        if self._number >= 0:
            self._owner.end(self._number, NO_ANSWER, -1, b"")
        self._owner.lost(self)
