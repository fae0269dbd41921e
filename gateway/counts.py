"""What one process counts: plain numbers that the hot path can afford, and nothing about anybody.

Counting is one addition to a dictionary or a list, with no lock: a process has one event loop.
Labels are words from closed sets (scenarios, kinds of party, statuses, causes), so the number of
entries is bounded however long the process runs. Publishing, adding up and Prometheus's format
are elsewhere (gateway/monitor.py, gateway/metrics.py) and happen once a second, or when asked.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from gateway.clock import Clock, SystemClock
from scenarios.contract import Outcome

Labels = tuple[str | int, ...]

#: A metric's name without prefix and unit's suffix, then its labels' values, and its numbers: one
#: for a counter; for a histogram how many fell into each interval, then the sum of all.
Series = dict[tuple[str, ...], list[float]]

#: Upper ends of the intervals of durations (seconds) and of batches (items).
SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
SIZES: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)

#: What a commit may find changed; `request_id` is a party's own number that came before.
PREMISES: Final = ("standing", "party", "policy", "time", "issuer", "used_up", "request_id")
SOURCES: Final = ("cache", "absent", "unusable")
#: How fetching the region's list of cities went.
FETCHES: Final = ("kept", "refused", "unreachable")
TOKENS: Final = ("remembered", "verified", "refused")
LIMITS: Final = (
    *("read_queue", "commit_queue", "deadline", "tries", "token_attempts"),
    *("admission", "party_quota", "bad_signatures"),
)

#: What of `Counts` is no metric that only grows.
NO_COUNTS: Final = ("now", "lookup_streams")


class Histogram:
    """How many values fell into which interval, and their sum."""

    __slots__ = ("bounds", "buckets", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.buckets = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count a value; one that equals an upper end lies below it."""
        self.buckets[bisect_left(self.bounds, value)] += 1
        self.total += value


class Route:
    """The answers of one class of requests."""

    __slots__ = ("_name", "_requests", "_seconds")

    def __init__(self, name: str, requests: dict[Labels, float], seconds: Histogram) -> None:
        self._name, self._requests, self._seconds = name, requests, seconds

    def answered(self, status: int, seconds: float) -> None:
        """A request was answered, so many seconds after its header fields had arrived."""
        self._requests[self._name, status] += 1
        held = self._seconds  # `observe` without the call: this is done for every decision
        held.buckets[bisect_left(held.bounds, seconds)] += 1
        held.total += seconds


class Queue:
    """What waits for one kind of batch. `now` tells monotonic seconds, for arrivals."""

    __slots__ = ("_limit", "_limited", "_mean", "_oldest", "_size", "now")

    def __init__(self, counts: Counts, name: str) -> None:
        self.now = counts.now
        self._size = counts.batch_size[name,]
        self._oldest = counts.queue_wait_oldest_seconds[name,]
        self._mean = counts.queue_wait_mean_seconds[name,]
        self._limited, self._limit = counts.requests_limited, (f"{name}_queue",)

    def sent(self, arrivals: Sequence[float]) -> None:
        """A batch is sent; `arrivals` says when each item came (`now`), the oldest first."""
        now, count = self.now(), len(arrivals)
        self._size.observe(count)
        self._oldest.observe(now - arrivals[0])
        self._mean.observe(now - sum(arrivals) / count)

    def refused(self) -> None:
        """An item was turned away because too many wait."""
        self._limited[self._limit] += 1


class _Histograms(dict[Labels, Histogram]):
    """Histograms by their labels, each made when it is first asked for."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds

    def __missing__(self, labels: Labels) -> Histogram:
        made = self[labels] = Histogram(self._bounds)
        return made


def _counters(known: Iterable[str] = ()) -> defaultdict[Labels, float]:
    """Counters by their labels. Known ones begin at 0: a rate needs a value to rise from."""
    return defaultdict(int, {(word,): 0 for word in known})


class Counts:
    """Everything that one process counts; each public attribute is a metric, named as it is there.

    `lookup_streams` is no count but how many are open just now; gauges are shown by the pulse.

    Args:
        clock: what queues take the time of arrival from.
    """

    __slots__ = (
        "batch_size",
        "commit_seconds",
        "decisions",
        "decisions_retried",
        "decisions_undelivered",
        "event_loop_lag_seconds",
        "gc_pause_seconds",
        "job_items",
        "job_seconds",
        "jobs",
        "lookup_streams",
        "mget_seconds",
        "now",
        "outcomes_unknown",
        "process_cpu_seconds",
        "queue_wait_mean_seconds",
        "queue_wait_oldest_seconds",
        "request_seconds",
        "requests",
        "requests_limited",
        "stale_checks",
        "stalls",
        "standing_reads",
        "token_checks",
        "trust_list_fetches",
    )

    def __init__(self, clock: Clock | None = None) -> None:
        self.now = (clock or SystemClock()).monotonic
        self.lookup_streams = 0
        self.requests = _counters()
        self.requests_limited = _counters(LIMITS)
        self.request_seconds = _Histograms(SECONDS)
        self.decisions = _counters()
        self.decisions_retried = defaultdict[Labels, float](int, {(): 0})
        self.decisions_undelivered = defaultdict[Labels, float](int, {(): 0})
        self.outcomes_unknown = defaultdict[Labels, float](int, {(): 0})
        self.stale_checks = _counters(PREMISES)
        self.standing_reads = _counters(SOURCES)
        self.token_checks = _counters(TOKENS)
        self.trust_list_fetches = _counters(FETCHES)
        self.batch_size = _Histograms(SIZES)
        self.queue_wait_oldest_seconds = _Histograms(SECONDS)
        self.queue_wait_mean_seconds = _Histograms(SECONDS)
        self.commit_seconds = _Histograms(SECONDS)
        self.mget_seconds = _Histograms(SECONDS)
        self.jobs, self.job_items, self.job_seconds = _counters(), _counters(), _counters()
        # What gateway/pulse.py measures.
        self.stalls = _counters()
        self.process_cpu_seconds = _counters()
        self.gc_pause_seconds = _Histograms(SECONDS)
        self.event_loop_lag_seconds = _Histograms(SECONDS)

    def route(self, name: str) -> Route:
        """The counts of a class of requests, to be held by whoever answers them."""
        return Route(name, self.requests, self.request_seconds[name,])

    def queue(self, name: str) -> Queue:
        """The counts of a queue, to be held by whoever takes batches from it."""
        return Queue(self, name)

    def decided(self, scenario: str, party_kind: str, outcome: Outcome) -> None:
        """An answer was recorded."""
        self.decisions[scenario, party_kind, outcome] += 1

    def stale(self, premises: Iterable[str]) -> None:
        """A commit found these premises changed, and recorded nothing."""
        for premise in premises:
            self.stale_checks[premise,] += 1

    def retried(self) -> None:
        """A question is decided again."""
        self.decisions_retried[()] += 1

    def standings(self, *, cache: int, absent: int, unusable: int) -> None:
        """So many wanted standings were in the cache, were not, or were there and not usable."""
        reads = self.standing_reads
        reads["cache",] += cache
        reads["absent",] += absent
        reads["unusable",] += unusable

    def mget(self, seconds: float) -> None:
        """A read of the cache took so long."""
        self.mget_seconds[()].observe(seconds)

    def committed(self, lane: str, seconds: float) -> None:
        """A commit statement took so long, in the `batch` or the `single` lane."""
        self.commit_seconds[lane,].observe(seconds)

    def unknown(self, decisions: int) -> None:
        """The outcome of a statement with so many decisions was not heard."""
        self.outcomes_unknown[()] += decisions

    def undelivered(self, decisions: int) -> None:
        """So many decisions of unknown outcome turned out to be recorded."""
        self.decisions_undelivered[()] += decisions

    def token(self, result: str) -> None:
        """An access token was `remembered`, `verified` or `refused`."""
        self.token_checks[result,] += 1

    def limited(self, cause: str, requests: int = 1) -> None:
        """So many requests were told to come back later (429 or 503)."""
        self.requests_limited[cause,] += requests

    def trust_list(self, result: str) -> None:
        """The region's list was fetched: `kept`, `refused`, or `unreachable`."""
        self.trust_list_fetches[result,] += 1

    def job(self, name: str, result: str, items: int, seconds: float) -> None:
        """A step of a job ended, `done` or `failed`."""
        self.jobs[name, result] += 1
        self.job_items[name,] += items
        self.job_seconds[name,] += seconds

    def series(self) -> Series:
        """All of it, as it stands."""
        return {
            (name, *map(_text, labels)): numbers
            for name in self.__slots__
            if name not in NO_COUNTS
            for labels, numbers in _numbers(getattr(self, name))
        }


def _numbers(metric: dict[Labels, float] | _Histograms) -> Iterator[tuple[Labels, list[float]]]:
    for labels, held in metric.items():
        yield labels, [*held.buckets, held.total] if isinstance(held, Histogram) else [held]


def _text(label: str | int) -> str:
    return label.wire if isinstance(label, Outcome) else str(label)


def merged(older: Series, newer: Series) -> Series:
    """Both added up. Where they do not have the same form, the newer one counts."""
    total = dict(older)
    for key, numbers in newer.items():
        held = total.get(key, [])
        if len(held) == len(numbers):
            total[key] = [a + b for a, b in zip(held, numbers, strict=True)]
        else:
            total[key] = numbers
    return total
