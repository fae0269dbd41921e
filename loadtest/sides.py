"""Two gateways asked in turn, and what a decision costs each: the bigger over the smaller."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec

from gateway.clock import SystemClock
from gateway.ids import SystemIds
from gateway.local.running import RunningCity
from loadtest.questions import Questions
from loadtest.serving import Cost, Meter, Progress, Serving, Spread, owner_of
from scenarios.contract import Outcome


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """So many paired rounds of so many seconds, over so many connections kept busy."""

    rounds: int = 5
    seconds: float = 4
    connections: int = 64


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One side for some seconds: cost of a decision, and how the answers came.

    `recorded` rows are of this round (those beyond `answers` were under way at its end), and
    `eligible` is their share that was a yes: a side that answered from nothing would show here.
    """

    cost: Cost
    answers: int
    wrong: int
    recorded: int
    eligible: float
    per_second: float
    p50_ms: float
    p99_ms: float


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Paired rounds of a big and a small side, and the ratios of their costs (big over small)."""

    name: str
    target: float
    big: str
    small: str
    big_rounds: list[Round]
    small_rounds: list[Round]
    workers: Spread
    postgres: Spread
    valkey: Spread
    summed: Spread

    @property
    def met(self) -> bool:
        """Whether the summed cost in the middle stays within the target."""
        return self.summed.middle <= self.target


class Side(msgspec.Struct, frozen=True):
    """A gateway and what it is asked."""

    says: str
    serving: Serving
    questions: Questions

    def round(self, pace: Pace) -> Round:
        """Ask for some seconds and divide what it cost by the answers."""
        serving, first = self.serving, SystemIds().uuid7(SystemClock().now_us())
        meter = Meter(serving)
        load = self.questions.ask(serving.host, serving.port, pace.connections, pace.seconds)
        cost = meter.each(load.answers)
        recorded, eligible = asyncio.run(_recorded(serving.running, first))
        return Round(
            cost=cost,
            answers=load.answers,
            wrong=load.wrong,
            recorded=recorded,
            eligible=eligible / max(recorded, 1),
            per_second=load.per_second,
            p50_ms=load.p50_ms,
            p99_ms=load.p99_ms,
        )


def compare(
    name: str, target: float, big: Side, small: Side, pace: Pace, progress: Progress
) -> Comparison:
    """Ask both sides in turn, so that what else happens on the machine befalls both."""
    for side in (big, small):
        progress(f"{name}: warming up, {side.says}")
        side.round(pace)
    bigs, smalls = [], []
    for number in range(pace.rounds):
        progress(f"{name}: round {number + 1} of {pace.rounds}")
        bigs.append(big.round(pace))
        smalls.append(small.round(pace))
    return Comparison(
        name=name,
        target=target,
        big=big.says,
        small=small.says,
        big_rounds=bigs,
        small_rounds=smalls,
        workers=_spread(bigs, smalls, lambda cost: cost.workers),
        postgres=_spread(bigs, smalls, lambda cost: cost.postgres),
        valkey=_spread(bigs, smalls, lambda cost: cost.valkey),
        summed=_spread(bigs, smalls, lambda cost: cost.summed),
    )


def describe(comparison: Comparison) -> str:
    """A comparison in a few lines."""
    parts = ("workers", "postgres", "valkey", "summed")
    return "\n".join(
        [
            f"{comparison.name}: {comparison.big} against {comparison.small}",
            _said(comparison.big, comparison.big_rounds),
            _said(comparison.small, comparison.small_rounds),
            *(f"  {part:8} {getattr(comparison, part)}" for part in parts),
            f"  target {comparison.target}: {'met' if comparison.met else 'not met'}",
        ]
    )


async def _recorded(running: RunningCity, first: UUID) -> tuple[int, int]:
    """Rows of decisions from an id on, and those of them that say yes."""
    async with owner_of(running) as owner:
        query = "SELECT count(*), count(*) FILTER (WHERE outcome = $2) FROM decision WHERE id >= $1"
        row = await owner.fetchrow(query, first, Outcome.ELIGIBLE.value)
    assert row is not None, "an aggregate is one row"
    return row[0], row[1]


def _spread(
    bigs: Sequence[Round], smalls: Sequence[Round], part: Callable[[Cost], float]
) -> Spread:
    ratios = [
        part(big.cost) / max(part(small.cost), 0.01)
        for big, small in zip(bigs, smalls, strict=True)
    ]
    return Spread.of(ratios)


def _said(says: str, rounds: Sequence[Round]) -> str:
    workers, postgres, valkey = (
        statistics.median(getattr(each.cost, part) for each in rounds)
        for part in ("workers", "postgres", "valkey")
    )
    wrong, answers = (sum(getattr(each, name) for each in rounds) for name in ("wrong", "answers"))
    return (
        f"  {says}: workers {workers:.0f} µs, PostgreSQL {postgres:.0f}, Valkey {valkey:.1f};"
        f" {statistics.median(each.per_second for each in rounds):,.0f}/s,"
        f" {wrong} of {answers} not a 200,"
        f" {min(each.eligible for each in rounds):.1%} eligible"
    )
