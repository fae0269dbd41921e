"""Stretches of time in which something stood still, and the slow requests that fall into them.

A stall is what requests suffered: slow ones that overlap in time are one stall. Its cause is the
first of `CAUSES` whose evidence covers enough of it. They stand in order of how directly they say
why: a collection makes the loop late, a core that was not free makes both late, and a checkpoint
under way only makes an fsync more likely to be slow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from loadtest.offered import Request

GENERATOR, GC, SCHEDULER = "generator", "garbage collector", "scheduler"
FSYNC, LOCK, STATEMENT, LOOP = "fsync", "PostgreSQL lock", "PostgreSQL statement", "event loop"
CHECKPOINT, AUTOVACUUM, UNEXPLAINED = "checkpoint", "autovacuum", "unexplained"

#: In the order in which they are believed.
CAUSES = (GENERATOR, GC, FSYNC, LOCK, SCHEDULER, STATEMENT, LOOP, CHECKPOINT, AUTOVACUUM)

#: What covers less than so much of a stall, or so little, did not cause it.
SHARE_MIN, SECONDS_MIN = 0.25, 0.01


class Evidence(NamedTuple):
    """Something stood still: monotonic seconds from and to, and who it was."""

    cause: str
    start: float
    end: float
    detail: str = ""


class Stall(msgspec.Struct, frozen=True, kw_only=True):
    """Slow requests that overlap, and why.

    `at_s` is since the run began; `covered_ms` says of each cause how much of the stall it covers.
    """

    at_s: float
    length_ms: float
    longest_ms: float
    requests: int
    cause: str
    detail: str
    covered_ms: dict[str, float]


class _Slow(msgspec.Struct):
    """Overlapping slow requests."""

    start: float
    end: float
    longest_s: float
    requests: int


def join(slow: Iterable[Request], began: float, found: Iterable[Evidence]) -> list[Stall]:
    """Join slow requests of a run that began at this monotonic second to what was found."""
    evidence = sorted(found, key=lambda each: each.start)
    return [_joined(each, began, evidence) for each in _overlapping(slow, began)]


def late(slow: Iterable[Request], began: float) -> list[Evidence]:
    """What the generator itself owes: a request that was written late.

    Where requests before it had kept all connections busy it is their cause, and not this one.
    """
    found, covered = [], 0.0
    for each in slow:
        start = began + each.at_us / 1e6
        if start > covered and each.sent_us / 1e6 >= SECONDS_MIN:
            found.append(Evidence(GENERATOR, start, start + each.sent_us / 1e6, "sent late"))
        covered = max(covered, start + each.latency_us / 1e6)
    return found


def _overlapping(slow: Iterable[Request], began: float) -> list[_Slow]:
    made: list[_Slow] = []
    for each in sorted(slow, key=lambda one: one.at_us):
        start, took = began + each.at_us / 1e6, each.latency_us / 1e6
        if made and start <= made[-1].end:
            last = made[-1]
            last.end, last.requests = max(last.end, start + took), last.requests + 1
            last.longest_s = max(last.longest_s, took)
        else:
            made.append(_Slow(start, start + took, took, 1))
    return made


def _joined(slow: _Slow, began: float, evidence: Sequence[Evidence]) -> Stall:
    length = slow.end - slow.start
    touching = [each for each in evidence if each.start < slow.end and each.end > slow.start]
    by_cause = {name: [each for each in touching if each.cause == name] for name in CAUSES}
    covered = {name: _covered(slow, each) for name, each in by_cause.items() if each}
    enough = max(SHARE_MIN * min(length, slow.longest_s), SECONDS_MIN)
    cause = next((name for name in CAUSES if covered.get(name, 0) >= enough), UNEXPLAINED)
    details = {each.detail for each in by_cause.get(cause, ()) if each.detail}
    return Stall(
        at_s=round(slow.start - began, 3),
        length_ms=round(length * 1e3, 1),
        longest_ms=round(slow.longest_s * 1e3, 1),
        requests=slow.requests,
        cause=cause,
        detail=", ".join(sorted(details)),
        covered_ms={name: round(seconds * 1e3, 1) for name, seconds in covered.items()},
    )


def _covered(slow: _Slow, evidence: Sequence[Evidence]) -> float:
    """Seconds of the stall that these cover, overlaps once."""
    total, until = 0.0, slow.start
    for each in evidence:  # in the order of their beginnings
        start, end = max(each.start, until), min(each.end, slow.end)
        if end > start:
            total, until = total + end - start, end
    return total
