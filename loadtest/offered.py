"""What an open-loop run offers, and what came of each request.

A plan is one address and several streams, each with its own rate and its own connections, so that
withdrawals beside an overload of decisions wait for the gateway and not for the generator.
"""

from __future__ import annotations

import subprocess
import sys
from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from loadtest.generator import Plan as ClosedPlan

SECONDS_MAX, REQUESTS_MAX, CONNECTIONS_MAX = 600, 3_000_000, 1024

#: Statuses that no server gives: no answer came; there was no place left to wait in.
NO_ANSWER, UNSENT = 0, 1
ID_CHARS = 36

#: Which request of a stream comes next: each once and then no more, each in turn, or drawn.
Order = Literal["once", "cycle", "uniform", "zipf"]


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of request, arriving at its own rate whatever becomes of those before.

    `requests` are complete HTTP/1.1 requests, where each needs headers of its own; else they are
    made of method, path, headers and bodies.
    """

    name: str
    rate: float
    """Requests a second."""
    method: str = "GET"
    path: str = "/"
    headers: dict[str, str] = {}
    bodies: tuple[str, ...] = ("",)
    requests: tuple[bytes, ...] = ()
    order: Order = "cycle"
    arrivals: Literal["poisson", "fixed"] = "poisson"
    connections: int = 32
    id_member: str = "decision_id"
    """The member of an answer whose 36 characters are its id."""

    def encoded(self, host: str, port: int) -> list[bytes]:
        """The bytes of every request."""
        if self.requests:
            return list(self.requests)
        fields = {"Host": f"{host}:{port}", **self.headers}
        head = f"{self.method} {self.path} HTTP/1.1\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        bodies = [body.encode() for body in self.bodies]
        if self.method == "GET":
            return [f"{head}\r\n".encode()]
        return [f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in bodies]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A run. It is refused where a generator of one process could not keep it in bounds."""

    host: str
    port: int
    seconds: float
    streams: tuple[Stream, ...]
    seed: int = 20260101
    waiting_max: int = 10_000
    """Requests of a stream that wait for a connection; further ones stay unsent, and count."""
    drain_s: float = 10.0
    """How long the last answers may take."""
    connect_s: float = 10.0
    """How long opening the connections may take."""
    lag_p99_ms_max: float = 10.0
    """A generator that wakes later than this did not offer what it says."""

    def __post_init__(self) -> None:
        connections = sum(stream.connections for stream in self.streams)
        if not 0 < self.seconds <= SECONDS_MAX or not 0 < connections <= CONNECTIONS_MAX:
            raise ValueError(f"at most {SECONDS_MAX} s and {CONNECTIONS_MAX} connections")
        if min(stream.rate for stream in self.streams) <= 0 or self.requests > REQUESTS_MAX:
            raise ValueError(f"rates above 0, and at most {REQUESTS_MAX} requests")

    @property
    def requests(self) -> float:
        """How many requests all streams make, in the mean."""
        return sum(stream.rate for stream in self.streams) * self.seconds


class Request(NamedTuple):
    """One request. Times in µs: `at` since the run began, the others since `at`."""

    stream: str
    at_us: int
    sent_us: int
    """When it was written to a connection: the generator's lag, and waiting for a connection."""
    latency_us: int
    """From the scheduled time to the whole answer, or to the end of the run where none came."""
    status: int
    retry_after_s: int | None
    body: int
    """Which of the stream's requests it was."""
    id: str


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """A stream's requests in the order of their schedule, by columns: 55 bytes each."""

    name: str
    rate: float
    at_us: bytes
    sent_us: bytes
    latency_us: bytes
    status: bytes
    retry_after_s: bytes
    body: bytes
    ids: bytes

    def __iter__(self) -> Iterator[Request]:
        at, sent, took, body = (
            array("I", column) for column in (self.at_us, self.sent_us, self.latency_us, self.body)
        )
        status, retry = array("H", self.status), array("h", self.retry_after_s)
        for n, at_us in enumerate(at):
            yield Request(
                stream=self.name,
                at_us=at_us,
                sent_us=sent[n],
                latency_us=took[n],
                status=status[n],
                retry_after_s=retry[n] if retry[n] >= 0 else None,
                body=body[n],
                id=self.ids[n * ID_CHARS : (n + 1) * ID_CHARS].decode().strip(),
            )

    @property
    def statuses(self) -> Counter[int]:
        """How many of each status; NO_ANSWER and UNSENT are statuses of ours."""
        return Counter(array("H", self.status))

    def latency_ms(self, *quantiles: float, status: int | None = 200) -> list[float]:
        """Latencies of the answers with that status (None: all), from the scheduled time."""
        took = array("I", self.latency_us)
        statuses = array("H", self.status)
        ordered = sorted(t for t, s in zip(took, statuses, strict=True) if status in (None, s))
        ordered = ordered or [0]
        last = len(ordered) - 1
        return [ordered[min(last, int(len(ordered) * q))] / 1000 for q in quantiles]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A run: each stream's answers, and whether the generator offered what the plan says."""

    started_us: int
    """UTC, microseconds since the epoch: to join a slow request with the logs of servers."""
    started_monotonic_ns: int
    """The same moment on the machine's monotonic clock."""
    seconds: float
    offered: int
    """Requests of the schedule."""
    achieved_per_s: float
    """Requests begun a second, until the last one was."""
    lag_ms: dict[str, float]
    """How late the generator itself was: p50, p99, max."""
    cpu_share: float
    """Of one core, by the generator."""
    faults: tuple[str, ...]
    """Why this is not the load of the plan; empty where it is."""
    streams: tuple[Answers, ...]

    def slower_than(self, milliseconds: float) -> list[Request]:
        """The requests that took longer, with or without an answer, in the order of time."""
        limit = milliseconds * 1000
        slow = [one for stream in self.streams for one in stream if one.latency_us > limit]
        return sorted(slow, key=lambda one: one.at_us)


def stream_of(plan: ClosedPlan, name: str, rate: float, connections: int = 64) -> Stream:
    """The requests of a closed-loop plan as a stream of an open-loop one."""
    return Stream(
        name=name,
        rate=rate,
        requests=tuple(plan.requests()),
        order=plan.distribution if plan.subjects else "cycle",
        connections=connections,
    )


def offer(plan: Plan, folder: Path) -> Result:
    """Run a plan in a process of its own; plan and result stay in the folder."""
    asked, answered = folder / "plan.json", folder / "result.msgpack"
    asked.write_bytes(msgspec.json.encode(plan))
    subprocess.run(
        [sys.executable, "-m", "loadtest.open_loop", asked, answered],
        cwd=Path(__file__).parent.parent,
        timeout=plan.seconds + plan.drain_s + 60,
        stdout=subprocess.DEVNULL,  # what it says is in the result
        check=True,
    )
    return read(answered)


def read(path: Path) -> Result:
    """The result that a run left."""
    return msgspec.msgpack.decode(path.read_bytes(), type=Result)
