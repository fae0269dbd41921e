"""What became of one run against a narrow door: who was let in, who was refused, how fast."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from loadtest.client import percentile
from loadtest.offered import Answers, Request, Result

#: A refusal that comes this late has cost its asker more than it should, in milliseconds.
REFUSED_MS = 20.0

#: Length of a stretch that is looked at to see whether all is as before, in seconds.
STRETCH_S = 0.5


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `goodput` is what was answered of what is let in, or offered where that is less.

    Withdrawals count as goodput, since they come through the same door. `retry_after_s` are the
    values told, by how often; `refused_in_time` is the share of refusals in at most 20 ms.
    """

    multiple: float
    offered: float
    achieved: float
    faults: tuple[str, ...]
    accepted: float
    goodput: float
    accepted_p50_ms: float
    accepted_p99_ms: float
    statuses: dict[str, int]
    refused_p99_ms: float
    refused_in_time: float
    retry_after_s: dict[str, int]
    withdrawals: int
    withdrawn: int
    withdrawal_p99_ms: float
    resident_bytes: int


def load_of(result: Result, multiple: float, admitted: int, seconds: float, resident: int) -> Load:
    """What became of a run of so many seconds at a multiple of what is let in a second."""
    asked, leaving = result.streams
    refused = [one for one in asked if one.status in (429, 503)]
    late_ms = _latencies(refused)
    took_ms = _latencies([one for one in asked if one.status == 200])
    in_time = sum(each <= REFUSED_MS for each in late_ms) / len(late_ms)
    accepted = asked.statuses[200] / seconds
    withdrawn = leaving.statuses[200]
    return Load(
        multiple=multiple,
        offered=multiple * admitted,
        achieved=result.achieved_per_s,
        faults=result.faults,
        accepted=accepted,
        goodput=(accepted + withdrawn / seconds) / min(multiple * admitted, admitted),
        accepted_p50_ms=percentile(took_ms, 0.5),
        accepted_p99_ms=percentile(took_ms, 0.99),
        statuses={str(status): count for status, count in sorted(asked.statuses.items())},
        refused_p99_ms=percentile(late_ms, 0.99),
        refused_in_time=in_time,
        retry_after_s=_told(refused),
        withdrawals=sum(leaving.statuses.values()),
        withdrawn=withdrawn,
        withdrawal_p99_ms=leaving.latency_ms(0.99)[0],
        resident_bytes=resident,
    )


def _latencies(requests: Sequence[Request]) -> list[float]:
    """Sorted milliseconds, from the first request of a run on; 0 where there are none."""
    return sorted(one.latency_us / 1e3 for one in requests) or [0.0]


def _told(refused: Sequence[Request]) -> dict[str, int]:
    told = Counter(
        "none" if one.retry_after_s is None else str(one.retry_after_s) for one in refused
    )
    return dict(sorted(told.items()))


def recovered_s(calm: Result, p99_ms: float) -> float:
    """Seconds until a whole stretch was answered with 200 and within twice the p99 of a calm run.

    The length of the run where no stretch was.
    """
    stretches = _stretches(calm.streams[0])
    for number, stretch in sorted(stretches.items()):
        latencies = sorted(one.latency_us / 1e3 for one in stretch)
        within = latencies[int(len(latencies) * 0.99)] <= 2 * p99_ms
        if within and all(one.status == 200 for one in stretch):
            return number * STRETCH_S
    return (max(stretches, default=0) + 1) * STRETCH_S


def _stretches(answers: Answers) -> dict[int, list[Request]]:
    made: dict[int, list[Request]] = {}
    for one in answers:
        made.setdefault(int(one.at_us / 1e6 / STRETCH_S), []).append(one)
    return made
