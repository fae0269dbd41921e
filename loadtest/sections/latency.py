"""Latency in an open loop: at half the peak, with every stall explained, and at rising loads."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from loadtest.accounts import Account, of_stream
from loadtest.closed import Round, fresh_id
from loadtest.offered import Answers, Plan, Result, offer, stream_of
from loadtest.options import Options
from loadtest.serving import Progress, owner_of
from loadtest.stalls import postgres, watch
from loadtest.stalls.evidence import Stall, join, late
from loadtest.town import Town, open_town

DECISIONS = "decisions"

#: Answers that take longer are stalls, in milliseconds.
STALL_MS = 50.0

#: Where the latency distribution is read: evenly up to nine tenths, then by nines.
QUANTILES = (*(n / 20 for n in range(1, 19)), 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9999, 1.0)


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """One open-loop run: what was offered and what came of it. Latencies are from the scheduled
    time of sending; `faults` say why this is not the load that was wanted."""

    offered: float
    achieved: float
    answered: float
    p50_ms: float
    p99_ms: float
    lag_p99_ms: float
    faults: tuple[str, ...]


class Run(Curve, frozen=True, kw_only=True):
    """One at half the peak, with its distribution and every stall.

    `fsync_ms` is the mean of the `fsyncs` of the write-ahead log meanwhile.
    """

    latency_ms: list[float]
    over: int
    stalls: list[Stall]
    fsyncs: int
    fsync_ms: float


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """`peak` is what a closed loop gets at as many connections; `runs` are at half of it."""

    peak: float
    connections: int
    quantiles: tuple[float, ...]
    runs: list[Run]
    curve: list[Curve]
    watched: list[str]
    accounts: list[Account]


def measure(options: Options, progress: Progress) -> Latency:
    """Find the peak, run at half of it, then at every share of it."""
    with (
        open_town(options, progress) as town,
        tempfile.TemporaryDirectory() as name,
    ):
        asyncio.run(postgres.talkative(town.running.engines.postgres.superuser_url))
        folder, peak = Path(name), _peak(town, options, progress)
        runs, accounts = [], []
        for number in range(options.rounds):
            progress(f"run {number + 1} of {options.rounds} at half of {peak:,.0f}/s")
            run, account = _run(town, folder, peak / 2, options, f"open loop {number + 1}")
            runs.append(run)
            accounts.append(account)
        curve = []
        for share in options.shares:
            progress(f"offering {share:.0%} of {peak:,.0f}/s")
            curve.append(_curve(town, folder, share * peak, options))
        return Latency(
            peak=peak,
            connections=options.connections,
            quantiles=QUANTILES,
            runs=runs,
            curve=curve,
            watched=watch.sources(),
            accounts=accounts,
        )


def _peak(town: Town, options: Options, progress: Progress) -> float:
    progress("looking for the peak")
    contender = town.contender("peak", options.connections)
    rounds: Sequence[Round] = [
        contender.round(options.seconds) for _ in range(1 + min(options.rounds, 3))
    ]
    return statistics.median(each.per_second for each in rounds[1:])


def _run(town: Town, folder: Path, rate: float, options: Options, name: str) -> tuple[Run, Account]:
    first = fresh_id()
    with watch.Watch(town.serving) as watched:
        result = _offered(town, folder, rate, options.offered_s, options)
    began, slow = result.started_monotonic_ns / 1e9, result.slower_than(STALL_MS)
    answers = result.streams[0]
    run = Run(
        **_figures(result, rate, options.offered_s),
        latency_ms=answers.latency_ms(*QUANTILES, status=None),
        over=len(slow),
        stalls=join(slow, began, [*watched.found, *late(slow, began)]),
        fsyncs=watched.fsyncs,
        fsync_ms=watched.fsync_ms,
    )
    return run, asyncio.run(_account(town, name, first, result))


async def _account(town: Town, name: str, first: UUID, result: Result) -> Account:
    async with owner_of(town.running) as owner:
        return await of_stream(owner, name, first, result, DECISIONS)


def _curve(town: Town, folder: Path, rate: float, options: Options) -> Curve:
    seconds = options.offered_s / 2
    return Curve(**_figures(_offered(town, folder, rate, seconds, options), rate, seconds))


def _offered(town: Town, folder: Path, rate: float, seconds: float, options: Options) -> Result:
    asked = town.plan(options.connections)
    stream = stream_of(asked, DECISIONS, rate, options.connections)
    return offer(Plan(host=asked.host, port=asked.port, seconds=seconds, streams=(stream,)), folder)


def _figures(result: Result, rate: float, seconds: float) -> dict[str, Any]:
    answers = result.streams[0]
    p50_ms, p99_ms = answers.latency_ms(0.5, 0.99, status=None)
    return {
        "offered": rate,
        "achieved": result.achieved_per_s,
        "answered": _in_time(answers, seconds) / seconds,
        "p50_ms": p50_ms,
        "p99_ms": p99_ms,
        "lag_p99_ms": result.lag_ms["p99"],
        "faults": result.faults,
    }


def _in_time(answers: Answers, seconds: float) -> int:
    """Answers with a 200 that came before the last request was due."""
    until = seconds * 1e6
    return sum(one.status == 200 and one.at_us + one.latency_us <= until for one in answers)
