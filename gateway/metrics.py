"""The metrics: what each is called and means, and their text for Prometheus.

No metric says anything about a citizen, a party or a token: labels are scenarios, *kinds* of party,
statuses and causes. A test compares this list with what is counted, with what is exposed and with
the operators' page.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from itertools import accumulate
from typing import Final

import msgspec
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from gateway.counts import SECONDS, SIZES, Series, merged
from gateway.seats import Snapshot

PREFIX: Final = "qianjiang_"

#: A process that has written nothing for so long is not counted among the living.
LIVING_S: Final = 5.0


class Kind(enum.StrEnum):
    """How the numbers of several processes become one."""

    COUNTER = "counter"  # added up, the dead included
    HISTOGRAM = "histogram"  # so are these
    SUM = "sum"  # of the living
    MAX = "max"  # over the living


class Described(msgspec.Struct, frozen=True):
    """A metric: its name as counted, its labels, and what it means."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    meaning: str
    bounds: tuple[float, ...] = ()

    @property
    def exposed(self) -> str:
        """The name that a query uses (for a histogram, before `_bucket`, `_sum` and `_count`)."""
        return PREFIX + self.name + ("_total" if self.kind is Kind.COUNTER else "")


def _counter(name: str, labels: str, meaning: str) -> Described:
    return Described(name, Kind.COUNTER, tuple(labels.split()), meaning)


def _histogram(
    name: str, labels: str, meaning: str, bounds: tuple[float, ...] = SECONDS
) -> Described:
    return Described(name, Kind.HISTOGRAM, tuple(labels.split()), meaning, bounds)


METRICS: Final = (
    _counter("requests", "route status", "Requests answered, by class of route and HTTP status"),
    _histogram("request_seconds", "route", "Time from a request's header fields to its answer"),
    _counter("requests_limited", "cause", "Requests told to come back later, by cause"),
    _counter("decisions", "scenario party_kind outcome", "Answers recorded"),
    _counter("decisions_retried", "", "Decisions made again because a premise no longer held"),
    _counter("stale_checks", "premise", "Premises that a commit found changed"),
    _counter("outcomes_unknown", "", "Decisions in statements whose outcome was not heard"),
    _counter("decisions_undelivered", "", "Of those, found to be recorded after all"),
    _counter("standing_reads", "source", "Standings wanted: cache, absent from it, or unusable"),
    _counter("token_checks", "result", "Access tokens remembered, verified or refused"),
    _counter("trust_list_fetches", "result", "List of cities fetched: kept, refused, unreachable"),
    _histogram("batch_size", "queue", "Items in one batch", SIZES),
    _histogram("queue_wait_oldest_seconds", "queue", "Longest wait of a batch before it is sent"),
    _histogram("queue_wait_mean_seconds", "queue", "Mean wait of a batch before it is sent"),
    _histogram("commit_seconds", "lane", "Time of one commit statement"),
    _histogram("mget_seconds", "", "Time of one read of the cache"),
    _counter("jobs", "job result", "Steps of jobs beside the requests: done or failed"),
    _counter("job_items", "job", "What those steps worked off"),
    _counter("job_seconds", "job", "Time that those steps took"),
    _counter("stalls", "process cause", "Stretches of over 20 ms without progress: gc or loop"),
    _counter("process_cpu_seconds", "process", "Processor time used"),
    _histogram("gc_pause_seconds", "process", "Pauses for the garbage collector"),
    _histogram("event_loop_lag_seconds", "process", "How late the event loop comes round"),
    Described("processes", Kind.SUM, ("process",), "Processes that live and count"),
    Described("lookup_streams", Kind.SUM, ("process",), "Pages open that are told of lookups"),
    Described("process_resident_memory_bytes", Kind.SUM, ("process",), "Memory in use"),
    Described("gc_pause_max_seconds", Kind.MAX, ("process",), "Longest pause of the last minute"),
    Described("event_loop_lag_max_seconds", Kind.MAX, ("process",), "Latest round of that minute"),
)


#: The two forms, each with its media type: OpenMetrics 1.0.0, and the older text format 0.0.4.
OPEN_METRICS: Final = choose_encoder("application/openmetrics-text")
TEXT: Final = choose_encoder("")


def text(snapshots: Iterable[Snapshot], now: float, *, open_metrics: bool) -> bytes:
    """The metrics of all processes together, at the machine's monotonic time in seconds."""
    encode, _ = OPEN_METRICS if open_metrics else TEXT
    return encode(_Families(list(snapshots), now))


class _Families(Collector):
    """What was read from the seats, in Prometheus's own classes."""

    def __init__(self, snapshots: Sequence[Snapshot], now: float) -> None:
        series: Series = reduce(merged, (each.series for each in snapshots), {})
        self._series: dict[str, list[tuple[tuple[str, ...], list[float]]]] = defaultdict(list)
        for (name, *labels), numbers in sorted(series.items()):
            self._series[name].append((tuple(labels), numbers))
        self._living: dict[tuple[str, ...], list[float]] = defaultdict(list)
        for each in snapshots:
            if now - each.at <= LIVING_S:
                self._living["processes", each.process].append(1)
                for key, value in each.gauges.items():
                    self._living[key].append(value)

    def collect(self) -> Iterator[Metric]:
        for metric in METRICS:
            match metric.kind:
                case Kind.COUNTER:
                    yield self._counter(metric)
                case Kind.HISTOGRAM:
                    yield self._histogram(metric)
                case Kind.SUM | Kind.MAX:
                    yield self._gauge(metric)

    def _counter(self, metric: Described) -> Metric:
        family = CounterMetricFamily(PREFIX + metric.name, metric.meaning, labels=metric.labels)
        for labels, numbers in self._of(metric, 1):
            family.add_metric(labels, numbers[0])
        return family

    def _histogram(self, metric: Described) -> Metric:
        family = HistogramMetricFamily(PREFIX + metric.name, metric.meaning, labels=metric.labels)
        ends = [*map(str, metric.bounds), "+Inf"]
        for labels, numbers in self._of(metric, len(ends) + 1):
            # An interval of the format counts all that lies below its end.
            below = accumulate(numbers[:-1])
            family.add_metric(labels, list(zip(ends, below, strict=True)), numbers[-1])
        return family

    def _gauge(self, metric: Described) -> Metric:
        family = GaugeMetricFamily(PREFIX + metric.name, metric.meaning, labels=metric.labels)
        one = sum if metric.kind is Kind.SUM else max
        for key, values in sorted(self._living.items()):
            if key[0] == metric.name:
                family.add_metric(key[1:], one(values))
        return family

    def _of(self, metric: Described, length: int) -> Iterator[tuple[tuple[str, ...], list[float]]]:
        """A metric's labels and numbers; what another version counted in another form is none."""
        for labels, numbers in self._series[metric.name]:
            if len(labels) == len(metric.labels) and len(numbers) == length:
                yield labels, numbers
