"""More than is let in: twice and ten times, with citizens withdrawing meanwhile, and afterwards.

The gateway's own admission is set so low that this machine can offer ten times as much. A round is
a run below it, one at twice, one at ten times, and at once another below it: how long until that
is as the first was?
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Iterator
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
from loadtest.door import Load, load_of, recovered_s
from loadtest.offered import Plan, Result, Stream, offer, stream_of
from loadtest.options import Options
from loadtest.requests import grants, withdrawals
from loadtest.sections import NotBuilt
from loadtest.serving import Progress, owner_of, with_known
from loadtest.town import Kind, Town, open_town

DECISIONS, WITHDRAWALS = "decisions", "withdrawals"

#: Offered loads in multiples of what is let in. The first is the yardstick of the others.
CALM, TWICE, TENFOLD = MULTIPLES = (0.8, 2.0, 10.0)

_WATCH_S = 0.1


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
            options = self._options
            loads.append(
                load_of(result, multiple, options.admission_per_s, options.overload_s, peak[0])
            )
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
