"""One stream under way: its schedule, its connections, and what came of each request."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from random import Random

from loadtest.connection import Connection
from loadtest.offered import ID_CHARS, UNSENT, Answers, Order, Plan, Stream
from loadtest.popularity import draws

RECONNECT_S = 0.05


class Lane:
    """A stream under way; `over` is called once every request of it has come to an end."""

    def __init__(self, stream: Stream, plan: Plan, seed: int, over: Callable[[], None]) -> None:
        self.stream, self._plan, self._over, self._start_ns = stream, plan, over, 0
        self._requests = stream.encoded(plan.host, plan.port)
        once = len(self._requests) if stream.order == "once" else None
        self.at = array("I", list(_arrivals(stream, plan.seconds, seed))[:once])
        self.left = total = len(self.at)
        self._body = array("I", _order(stream.order, len(self._requests), total, seed))
        self._sent, self._took, self.lag = (array("I", bytes(4 * total)) for _ in range(3))
        self._status, self._retry = array("H", bytes(2 * total)), array("h", [-1]) * total
        self._ids = bytearray(b" " * ID_CHARS * total)
        self._mark = f'"{stream.id_member}":"'.encode()
        self._idle: deque[Connection] = deque()
        self._waiting: deque[int] = deque()
        self._opening: set[asyncio.Task[None]] = set()

    async def connect(self) -> None:
        """Open every connection. Raises TimeoutError where the server does not answer."""
        for _ in range(self.stream.connections):
            self._open()
        await asyncio.wait_for(asyncio.gather(*self._opening), self._plan.connect_s)

    def due(self, number: int, now_us: int) -> None:
        """A request's time has come: it is sent, or waits for a connection, or finds no place."""
        self.lag[number] = now_us - self.at[number]
        if self._idle:
            self._idle.popleft().send(number)
        elif len(self._waiting) < self._plan.waiting_max:
            self._waiting.append(number)
        else:
            self.end(number, UNSENT, -1, b"")

    def begin(self, number: int) -> bytes:
        """The bytes of a request that is written now."""
        self._sent[number] = self._since(number)
        return self._requests[self._body[number]]

    def end(self, number: int, status: int, retry: int, body: bytes) -> None:
        """What came of a request."""
        self._took[number], self._status[number] = self._since(number), status
        self._retry[number], found = retry, body.find(self._mark)
        if found >= 0:
            at, name = number * ID_CHARS, found + len(self._mark)
            self._ids[at : at + ID_CHARS] = body[name : name + ID_CHARS].ljust(ID_CHARS)
        self.left -= 1
        if not self.left:
            self._over()

    def free(self, connection: Connection) -> None:
        """A connection may carry the next request."""
        if self._waiting:
            connection.send(self._waiting.popleft())
        else:
            self._idle.append(connection)

    def lost(self, connection: Connection) -> None:
        """A connection is gone: open another, as long as there is something to send."""
        with suppress(ValueError):
            self._idle.remove(connection)
        if self.left:
            self._open()

    def started(self, start_ns: int) -> None:
        """The run begins."""
        self._start_ns = start_ns

    def answers(self) -> Answers:
        """Everything, by columns; what is still open had no answer until now."""
        for number, took in enumerate(self._took):
            if not took:
                self._took[number] = max(self._since(number), 0)
        return Answers(
            name=self.stream.name,
            rate=self.stream.rate,
            at_us=self.at.tobytes(),
            sent_us=self._sent.tobytes(),
            latency_us=self._took.tobytes(),
            status=self._status.tobytes(),
            retry_after_s=self._retry.tobytes(),
            body=self._body.tobytes(),
            ids=bytes(self._ids),
        )

    def _since(self, number: int) -> int:
        return (time.monotonic_ns() - self._start_ns) // 1000 - self.at[number]

    def _open(self) -> None:
        task = asyncio.get_running_loop().create_task(self._keep_trying())
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _keep_trying(self) -> None:
        loop, plan = asyncio.get_running_loop(), self._plan
        while self.left:
            with suppress(OSError):
                await loop.create_connection(lambda: Connection(self), plan.host, plan.port)
                return
            await asyncio.sleep(RECONNECT_S)


def _arrivals(stream: Stream, seconds: float, seed: int) -> Iterator[int]:
    chance, at = Random(seed), 0.0
    while True:
        at += chance.expovariate(stream.rate) if stream.arrivals == "poisson" else 1 / stream.rate
        if at >= seconds:
            return
        yield int(at * 1e6)


def _order(order: Order, size: int, count: int, seed: int) -> list[int]:
    if order in ("uniform", "zipf"):
        return draws(count, size, order, seed)
    return [number % size for number in range(count)]
