"""A small closed-loop HTTP/1.1 client: each request once, or requests at random for a while.

Latency is measured from the moment of sending, so it is that of a closed loop at the stated number
of connections. Every wait is bounded; a connection that is lost counts as an answer of status 0.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator, Sequence

import msgspec

#: How long one answer may take.
ANSWER_S = 30.0


class Reply(msgspec.Struct, frozen=True):
    """What came back for one request: its place in the list, status, body, seconds."""

    place: int
    status: int
    body: bytes
    took_s: float


async def send_each(
    host: str, port: int, requests: Sequence[bytes], connections: int
) -> list[Reply]:
    """Send every request once, in order, over so many connections."""
    return await _send(host, port, requests, iter(range(len(requests))), connections)


async def send_for(
    host: str, port: int, requests: Sequence[bytes], connections: int, seconds: float
) -> list[Reply]:
    """Send requests picked at random until the time is over."""

    def places() -> Iterator[int]:
        dice, until = random.Random(20260101), time.monotonic() + seconds  # a choice, not a secret
        while time.monotonic() < until:
            yield dice.randrange(len(requests))

    return await _send(host, port, requests, places(), connections)


def percentile(sorted_s: Sequence[float], share: float) -> float:
    """The value below which this share of the sorted values lies; 0 where there are none."""
    return sorted_s[min(len(sorted_s) - 1, int(len(sorted_s) * share))] if sorted_s else 0.0


async def _send(
    host: str, port: int, requests: Sequence[bytes], places: Iterator[int], connections: int
) -> list[Reply]:
    replies: list[Reply] = []

    async def connection() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        try:
            for place in places:
                sent = time.perf_counter()
                status, body = 0, b""
                try:
                    writer.write(requests[place])
                    async with asyncio.timeout(ANSWER_S):
                        status, body = await _answer(reader)
                finally:
                    replies.append(Reply(place, status, body, time.perf_counter() - sent))
        except (OSError, EOFError, TimeoutError):
            return  # its last reply says status 0; the other connections go on
        finally:
            writer.close()

    await asyncio.gather(*(connection() for _ in range(connections)))
    return replies


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of the next response on a kept connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    start = head.index(b"content-length:") + 15
    length = int(head[start : head.index(b"\r\n", start)])
    return int(head[9:12]), await reader.readexactly(length)
