"""More than is let in: twice and ten times, with citizens withdrawing meanwhile, and afterwards.

The gateway's own admission is set so low that this machine can offer ten times as much. A round is
a run below it, one at twice, one at ten times, and at once another below it: how long until that
is as the first was?
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from uuid import UUID

import msgspec

from gateway.app import open_city
from gateway.settings import Settings
from loadtest import client, whole
from loadtest.accounts import Account, of_stream
from loadtest.closed import fresh_id
from loadtest.offered import Answers, Plan, Request, Result, Stream, offer, stream_of
from loadtest.options import Options
from loadtest.requests import grants, withdrawals
from loadtest.sections import NotBuilt
from loadtest.serving import Progress, owner_of, with_known
from loadtest.town import Kind, Town, open_town

DECISIONS, WITHDRAWALS = "decisions", "withdrawals"

#: Offered loads in multiples of what is let in. The first is the yardstick of the others.
CALM, TWICE, TENFOLD = MULTIPLES = (0.8, 2.0, 10.0)

#: A refusal that comes this late has cost its asker more than it should, in milliseconds.
REFUSED_MS = 20.0

#: Length of a stretch that is looked at to see whether all is as before, in seconds.
STRETCH_S = 0.5

_WATCH_S = 0.1


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


class Overload(msgspec.Struct, frozen=True, kw_only=True):
    """`rounds` hold a load for each multiple; `recovered_s` says after how many seconds of calm
    load all was as in the round's first run, a second before its end at the latest."""

    admission_per_s: int
    connections: int
    rounds: list[list[Load]]
    recovered_s: list[float]
    accounts: list[Account]


def measure(options: Options, progress: Progress) -> Overload:
    """Narrow the gateway's door and offer more than goes through.

    Raises:
        NotBuilt: the gateway has no admission of its own.
    """
    narrow = partial(_narrow, per_s=options.admission_per_s)
    with (
        open_town(options, progress, Kind(settings=narrow)) as town,
        tempfile.TemporaryDirectory() as name,
    ):
        rounds, recovered, accounts = [], [], []
        runs = options.rounds * (len(MULTIPLES) + 1)
        stock = asyncio.run(_consents(town, runs * _leaving(options), progress))
        for number in range(options.rounds):
            shift = _Shift(town, Path(name), options, stock, number)
            made, account, calm_s = shift.run(progress)
            rounds.append(made)
            accounts += account
            recovered.append(calm_s)
        return Overload(
            admission_per_s=options.admission_per_s,
            connections=options.connections,
            rounds=rounds,
            recovered_s=recovered,
            accounts=accounts,
        )


def _narrow(settings: Settings, per_s: int) -> Settings:
    changed = with_known(settings, admission_per_s=per_s)
    if changed == settings:
        raise NotBuilt("the gateway has no admission of its own")
    return changed


def _leaving(options: Options) -> int:
    """Withdrawals that one run needs at the most."""
    return round(options.withdrawals_per_s * options.overload_s * 2) + 5


async def _consents(town: Town, count: int, progress: Progress) -> Iterator[bytes]:
    """Requests that withdraw, each a consent of its own, granted before."""
    city = open_city(town.city.settings)
    async with city.running():
        people = await whole.visitors(city, count, progress)
        progress("granting what will be withdrawn")
        granting = grants(town.serving, city, people, await whole.links(city, town.shop, count))
        replies = await client.send_each(town.serving.host, town.serving.port, granting.requests, 4)
        return iter(withdrawals(town.serving, people, granting, replies).requests)


class _Shift:
    """One round of all multiples."""

    def __init__(
        self, town: Town, folder: Path, options: Options, stock: Iterator[bytes], number: int
    ) -> None:
        self._town, self._folder, self._options = town, folder, options
        self._stock, self._number = stock, number

    def run(self, progress: Progress) -> tuple[list[Load], list[Account], float]:
        """Every multiple, and then calm again."""
        loads, accounts = [], []
        for multiple in MULTIPLES:
            progress(f"round {self._number + 1}: {multiple:g} times what is let in")
            first = fresh_id()
            with _memory(self._town) as peak:
                result = self._offered(multiple)
            loads.append(_load(result, multiple, peak[0], self._options))
            accounts.append(asyncio.run(self._account(first, result, multiple)))
        progress(f"round {self._number + 1}: calm again")
        calm = self._offered(CALM)
        return loads, accounts, recovered_s(calm, loads[0].accepted_p99_ms)

    def _offered(self, multiple: float) -> Result:
        options, asked = self._options, self._town.plan(self._options.connections)
        leaving = tuple(next(self._stock) for _ in range(_leaving(options)))
        rate = multiple * options.admission_per_s - options.withdrawals_per_s
        streams = (
            stream_of(asked, DECISIONS, rate, options.connections),
            Stream(
                name=WITHDRAWALS,
                rate=options.withdrawals_per_s,
                requests=leaving,
                order="once",
                connections=8,
            ),
        )
        plan = Plan(host=asked.host, port=asked.port, seconds=options.overload_s, streams=streams)
        return offer(plan, self._folder)

    async def _account(self, first: UUID, result: Result, multiple: float) -> Account:
        name = f"overload {self._number + 1}, {multiple:g} times"
        async with owner_of(self._town.running) as owner:
            return await of_stream(owner, name, first, result, DECISIONS)


@contextmanager
def _memory(town: Town) -> Iterator[list[int]]:
    """The most that the workers held inside the block, in bytes."""
    over, peak = threading.Event(), [town.resident_bytes()]

    def look() -> None:
        while not over.wait(_WATCH_S):
            peak[0] = max(peak[0], town.resident_bytes())

    thread = threading.Thread(target=look, name="memory", daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join(5)


def _load(result: Result, multiple: float, resident: int, options: Options) -> Load:
    asked, leaving = result.streams
    refused = [one for one in asked if one.status in (429, 503)]
    late_ms = sorted(one.latency_us / 1e3 for one in refused) or [0.0]
    in_time = sum(each <= REFUSED_MS for each in late_ms) / len(late_ms)
    accepted = asked.statuses[200] / options.overload_s
    withdrawn, admitted = leaving.statuses[200], options.admission_per_s
    p50_ms, p99_ms = asked.latency_ms(0.5, 0.99)
    return Load(
        multiple=multiple,
        offered=multiple * admitted,
        achieved=result.achieved_per_s,
        faults=result.faults,
        accepted=accepted,
        goodput=(accepted + withdrawn / options.overload_s) / min(multiple * admitted, admitted),
        accepted_p50_ms=p50_ms,
        accepted_p99_ms=p99_ms,
        statuses={str(status): count for status, count in sorted(asked.statuses.items())},
        refused_p99_ms=late_ms[int(len(late_ms) * 0.99)],
        refused_in_time=in_time,
        retry_after_s=_told(refused),
        withdrawals=sum(leaving.statuses.values()),
        withdrawn=withdrawn,
        withdrawal_p99_ms=leaving.latency_ms(0.99)[0],
        resident_bytes=resident,
    )


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
