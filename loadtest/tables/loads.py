"""How answers came under offered loads, and whether all are on record."""

from __future__ import annotations

from collections import Counter

from loadtest.result import Result
from loadtest.tables.words import Table, median, number


def runs(result: Result) -> Table:
    """The open-loop runs at half the peak, and the rising loads."""
    made = result.sections.latency
    known = [*(("half the peak", run) for run in made.runs)] if made else []
    rising = [("rising load", each) for each in made.curve] if made else []
    rows = [
        (
            says,
            number(each.offered),
            number(each.answered),
            number(each.p50_ms),
            number(each.p99_ms),
            "; ".join(each.faults) or "as planned",
        )
        for says, each in [*known, *rising]
    ]
    return Table(("run", "offered, 1/s", "answered, 1/s", "p50, ms", "p99, ms", "load"), rows)


def stalls(result: Result) -> Table:
    """Every stall over 50 ms with its cause."""
    made = result.sections.latency
    rows = [
        (
            f"run {number_ + 1}, {stall.at_s:.2f} s",
            number(stall.longest_ms),
            number(stall.requests),
            stall.cause,
            ", ".join(f"{name} {number(ms)} ms" for name, ms in stall.covered_ms.items()),
        )
        for number_, run in enumerate(made.runs if made else ())
        for stall in run.stalls
    ]
    return Table(("stall", "longest, ms", "requests", "cause", "evidence"), rows)


def causes(result: Result) -> Table:
    """The stalls by cause."""
    made = result.sections.latency
    every = [stall for run in made.runs for stall in run.stalls] if made else []
    by_cause = Counter(stall.cause for stall in every)
    rows = [
        (
            cause,
            number(count),
            number(sum(stall.requests for stall in every if stall.cause == cause)),
            number(max(stall.longest_ms for stall in every if stall.cause == cause)),
        )
        for cause, count in by_cause.most_common()
    ]
    if made and not rows:
        rows = [("none in all runs", "0", "0", "–")]
    return Table(("cause", "stalls", "requests", "longest, ms"), rows)


def overload(result: Result) -> Table:
    """What became of more than is let in, in the middle of the rounds."""
    made = result.sections.overload
    rows = []
    for loads in zip(*(made.rounds if made else ()), strict=True):
        asked = sum(one.withdrawals for one in loads)
        rows.append(
            (
                f"{loads[0].multiple:g} × what is let in",
                number(median(one.achieved for one in loads)),
                number(median(one.goodput for one in loads)),
                number(median(one.accepted_p99_ms for one in loads)),
                number(median(one.refused_p99_ms for one in loads) or None),
                number(median(one.resident_bytes / 2**20 for one in loads)),
                f"{sum(one.withdrawn for one in loads)} of {asked}",
            )
        )
    heads = (
        *("load", "offered, 1/s", "goodput", "accepted p99, ms"),
        *("refused p99, ms", "memory, MiB", "withdrawals"),
    )
    return Table(heads, rows)


def accounts(result: Result) -> Table:
    """Answers against rows, run by run."""
    rows = [
        (
            each.run,
            f"{each.answered:,}",
            f"{each.once:,}",
            f"{each.rows:,}",
            _causes(each.beyond),
            _causes(each.refused),
        )
        for each in result.sections.accounts()
    ]
    heads = ("run", "answered", "exactly one row", "rows", "rows beyond", "not answered")
    return Table(heads, rows)


def records(result: Result) -> Table:
    """All accounts together, those looked up by id and those counted."""
    rows = []
    for by, says in (("id", "every id looked up"), ("count", "rows counted")):
        known = [each for each in result.sections.accounts() if each.by == by]
        beyond: Counter[str] = Counter()
        for each in known:
            beyond.update(each.beyond)
        rows.append(
            (
                says,
                f"{len(known)}",
                f"{sum(each.answered for each in known):,}",
                f"{sum(each.once for each in known):,}",
                f"{sum(each.rows for each in known):,}",
                _causes(beyond),
            )
        )
    heads = ("how", "runs", "answered", "exactly one row", "rows", "rows beyond, by cause")
    return Table(heads, rows)


def _causes(counts: dict[str, int]) -> str:
    return "; ".join(f"{name}: {count:,}" for name, count in counts.items()) or "none"
