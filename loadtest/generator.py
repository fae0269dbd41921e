"""A small closed-loop HTTP load generator: for machines without wrk, and where every id counts.

It keeps so many connections busy for so long, stops by itself, and says how many answers came, how
long they took, and (for decisions) which ids were answered. It measures from the moment of sending,
so its latencies are those of a closed loop: good for peaks and for book-keeping, not for overload.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import time
from pathlib import Path
from typing import Any

import msgspec

from loadtest.popularity import Distribution, draws

SECONDS_MAX = 600
CONNECTIONS_MAX = 1024
SEED = 20260101
#: Requests drawn by popularity before they come again in the same order.
DRAWS = 200_000
#: Where the subject stands in the template of a body.
SUBJECT = "@subject@"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to send: one request, or one for each subject, in random order with a fixed seed."""

    host: str
    port: int
    path: str
    connections: int
    seconds: float
    token: str = ""
    facts: str = ""
    subjects: tuple[str, ...] = ()
    body: str = ""
    """A body of another shape than the gateway's own, with `SUBJECT` where the subject stands."""
    distribution: Distribution = "uniform"
    """How often each subject comes, the first the most often if not alike."""

    @property
    def template(self) -> str:
        """The body, with `SUBJECT` where the subject stands."""
        return self.body or f'{{"subject":"{SUBJECT}","facts":{self.facts}}}'

    def requests(self) -> list[bytes]:
        """The bytes of every request, in the order of the subjects."""
        head = f"Host: {self.host}:{self.port}\r\n"
        if not self.subjects:
            return [f"GET {self.path} HTTP/1.1\r\n{head}\r\n".encode()]
        if self.token:
            head += f"Authorization: Bearer {self.token}\r\n"
        head += "Content-Type: application/json\r\n"
        before, _, after = self.template.partition(SUBJECT)
        bodies = (before + name + after for name in self.subjects)
        return [
            f"POST {self.path} HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()
            for body in bodies
        ]


class Tally:
    """What came back."""

    def __init__(self) -> None:
        self.latencies_s: list[float] = []
        self.statuses: dict[int, int] = {}
        self.ids: list[str] = []

    def add(self, status: int, body: bytes, took_s: float, *, keep_id: bool) -> None:
        """Count one answer."""
        self.latencies_s.append(took_s)
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if keep_id and status == 200:
            self.ids.append(body[16:52].decode())  # {"decision_id":"<36 characters>"

    def summary(self, seconds: float) -> dict[str, Any]:
        """Counts, rate and percentiles in milliseconds."""
        ordered = sorted(self.latencies_s) or [0.0]
        at = {q: ordered[min(len(ordered) - 1, int(len(ordered) * q))] for q in (0.5, 0.99)}
        return {
            "answers": len(self.latencies_s),
            "per_second": len(self.latencies_s) / seconds,
            "p50_ms": at[0.5] * 1000,
            "p99_ms": at[0.99] * 1000,
            "statuses": self.statuses,
            "ids": self.ids,
        }


async def run(plan: Plan) -> dict[str, Any]:
    """Keep the connections busy until the time is over."""
    if plan.connections > CONNECTIONS_MAX or plan.seconds > SECONDS_MAX:
        raise ValueError(f"at most {CONNECTIONS_MAX} connections and {SECONDS_MAX} s")
    requests = plan.requests()
    if plan.distribution == "uniform":
        random.Random(SEED).shuffle(requests)  # an order, not a secret
        turn = itertools.cycle(requests)
    else:
        drawn = draws(DRAWS, len(requests), plan.distribution, SEED)
        turn = itertools.cycle([requests[n] for n in drawn])
    tally, started = Tally(), time.perf_counter()
    until = started + plan.seconds
    await asyncio.gather(*(_connection(plan, turn, tally, until) for _ in range(plan.connections)))
    return tally.summary(time.perf_counter() - started)


async def _connection(plan: Plan, turn: Any, tally: Tally, until: float) -> None:
    reader, writer = await asyncio.open_connection(plan.host, plan.port)
    try:
        while (sent := time.perf_counter()) < until:
            writer.write(next(turn))
            async with asyncio.timeout(30):
                status, body = await read_answer(reader)
            tally.add(status, body, time.perf_counter() - sent, keep_id=bool(plan.subjects))
    finally:
        writer.close()


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of the next response on a kept connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head[9:12])
    start = head.index(b"content-length:") + 15
    length = int(head[start : head.index(b"\r\n", start)])
    return status, await reader.readexactly(length)


def main() -> None:
    """`python -m loadtest.generator PLAN.json RESULT.json`."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("plan", type=Path)
    parser.add_argument("result", type=Path)
    given = parser.parse_args()
    plan = msgspec.json.decode(given.plan.read_bytes(), type=Plan)
    with asyncio.Runner(loop_factory=_loop) as runner:
        given.result.write_text(json.dumps(runner.run(run(plan))))


def _loop() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()


if __name__ == "__main__":
    main()
