"""`qianjiang demo`: a day in a city and visits between two, on real engines, over HTTP."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from uuid import UUID

import click
from rich.console import Console

from gateway.cli._played import TABLE_WIDTH, between, day, judge, tell_differences, tell_records
from gateway.cli._stages import stages
from gateway.clock import SystemClock
from gateway.ids import SystemIds
from gateway.local.atlas import HANGZHOU, NINGBO
from gateway.local.between import Between
from gateway.local.company import Company, Tell, berths, region_berth
from gateway.local.day import Day, Played
from gateway.local.processes import stop_on_sigterm
from gateway.local.running import RunningCity
from gateway.local.seeds import between_cities, load_seeds, seeds_of
from gateway.local.settlement import settle
from gateway.local.troupe import Player
from gateway.local.upfile import UpFile
from gateway.store import decision as decisions
from gateway.store.migrate import connected

#: The city of the day, and the one that it shares visitors with.
CITIES = (HANGZHOU, NINGBO)
NAME = "demo"

Totals = dict[tuple[str, int], int]


@click.command()
@click.option(
    "--citizens",
    default=10_000,
    show_default=True,
    type=click.IntRange(0),
    help="Generated citizens.",
)
@click.option(
    "--workers",
    default=2,
    show_default=True,
    type=click.IntRange(1),
    help="Gateway processes of each city.",
)
def command(citizens: int, workers: int) -> None:
    """Watch two cities work: people consent, sign and travel, parties ask, every answer is on
    disk."""
    stop_on_sigterm()
    started = time.monotonic()
    # A narrow terminal wraps the rows; cutting the record's id off would be worse.
    console = Console(width=max(Console().width, TABLE_WIDTH))
    with ExitStack() as stack:
        with stages(console) as tell:
            company = stack.enter_context(
                Company(
                    berths(CITIES, 0),
                    workers=workers,
                    region_port=region_berth(0),
                    name=NAME,
                    tell=tell,
                )
            )
            # Those who were generated belong to the day's city.
            ups = [
                settle(running, citizens * (running.city == HANGZHOU), tell, staff=False)
                for running in company.cities
            ]
            company.launch(tell)
            show = _Show(company.cities, ups, stack)
            played, totals = show.day(tell)
        console.print(day(played, load_seeds()))
        tell_records(console, totals)
        with stages(console) as tell:
            visits, more = show.between(tell)
        console.print(between(visits, {city.code: seeds_of(city.code) for city in CITIES}))
        tell_differences([*played, *visits])
    for rows, recorded in ((played, totals), (visits, more)):
        if trouble := judge(rows, recorded):
            raise trouble
    _tell_end(console, played, visits, time.monotonic() - started)


class _Show:
    """The players of each city, and what they are told to play."""

    def __init__(self, cities: list[RunningCity], ups: list[UpFile], stack: ExitStack) -> None:
        self._cities, self._clock = cities, SystemClock()
        self._people: dict[str, Player] = {}
        self._days: dict[str, Day] = {}
        for running, up in zip(cities, ups, strict=True):
            counter, people = (stack.enter_context(Player(name)) for name in ("counter", "people"))
            keys = [{"client_id": party.client_id, "jwk": party.jwk} for party in up.parties]
            counter.do("open", base_url=running.base_url, parties=keys)
            people.do("open", base_url=running.base_url)
            subjects = {persona.login: persona.subjects for persona in up.personas}
            code = running.city.code
            self._people[code] = people
            self._days[code] = Day(seeds_of(code), subjects, counter, people)

    def day(self, tell: Tell) -> tuple[list[Played], Totals]:
        """The day of the first city, and what is on disk of it."""
        tell("playing the day")
        first = SystemIds().uuid7(self._clock.now_us())
        played = list(self._days[self._cities[0].city.code].play(self._clock.now_us()))
        return played, self._totals(first)

    def between(self, tell: Tell) -> tuple[list[Played], Totals]:
        """What happens between the cities, and what is on disk of it in both."""
        tell("playing between the cities")
        first = SystemIds().uuid7(self._clock.now_us())
        play = Between(between_cities(), self._days, self._people, tell)
        played = list(play.play(self._clock.now_us()))
        return played, self._totals(first)

    def _totals(self, first: UUID) -> Totals:
        """Records from this one on, of all cities, by scenario and outcome."""
        found: Totals = {}
        for running in self._cities:
            for key, count in asyncio.run(_totals(running.engines.owner_url, first)).items():
                found[key] = found.get(key, 0) + count
        return found


async def _totals(owner_url: str, first: UUID) -> Totals:
    async with connected(owner_url) as owner:
        return await decisions.totals(owner, first)


def _tell_end(console: Console, played: list[Played], visits: list[Played], seconds: float) -> None:
    answers = sum(bool(row.record) for row in played)
    records = sum(row.records for row in visits)
    (lapsed_ms,) = (row.took_ms or 0 for row in visits if row.step.act == "lapse")
    console.print(
        f"[green]{len(played)} steps as expected; {answers} answers, {answers} records[/]\n"
        f"[green]{len(visits)} steps between the cities as expected; {records} records;"
        f" taken back at home: over after {lapsed_ms / 1000:.1f} s[/]\n"
        f"[green]{seconds:.1f} s in all[/]"
    )
