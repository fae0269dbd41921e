"""`qianjiang demo`: a city's day in the five scenarios, on real engines, over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from uuid import UUID

import click
from rich.console import Console
from rich.table import Table

from gateway.cli._stages import stages
from gateway.clock import SystemClock
from gateway.ids import SystemIds
from gateway.local.day import Day, Played, differences
from gateway.local.populate import Population, populate
from gateway.local.processes import free_ports, stop_on_sigterm
from gateway.local.running import GATEWAY_HOST, IDENTITY_HOST, RunningCity, data_folder
from gateway.local.seeds import Seeds, load_seeds
from gateway.local.troupe import Player
from gateway.scores import today
from gateway.store import decision as decisions
from gateway.store.migrate import connected
from scenarios.contract import Outcome

#: Characters that the day's table needs.
TABLE_WIDTH = 168


@click.command()
@click.option(
    "--citizens",
    default=10_000,
    show_default=True,
    type=click.IntRange(0),
    help="Generated citizens.",
)
@click.option(
    "--workers", default=2, show_default=True, type=click.IntRange(1), help="Gateway processes."
)
def command(citizens: int, workers: int) -> None:
    """Watch a city work: people consent and sign, parties ask, every answer is on disk."""
    stop_on_sigterm()
    started, clock = time.monotonic(), SystemClock()
    # A narrow terminal wraps the rows; cutting the record's id off would be worse.
    console = Console(width=max(Console().width, TABLE_WIDTH))
    seeds = load_seeds()
    port, identity_port = free_ports([GATEWAY_HOST, IDENTITY_HOST])
    with stages(console) as tell:
        running = RunningCity(
            data_folder("demo"),
            port=port,
            identity_port=identity_port,
            workers=workers,
            progress=tell,
            personas=[persona.identity(today(clock)) for persona in seeds.personas],
        )
        with running:
            population = asyncio.run(_people(running, citizens, tell))
            running.start()
            tell("playing the day")
            first = SystemIds().uuid7(clock.now_us())
            played = _play(running, seeds, population, clock.now_us())
            totals = asyncio.run(_totals(running, first))
    console.print(_table(played, seeds))
    _tell(console, played, totals, time.monotonic() - started)


async def _people(
    running: RunningCity, citizens: int, progress: Callable[[str], None]
) -> Population:
    done = 0

    def on_progress(more: int) -> None:
        nonlocal done
        done += more
        progress(f"seeding people: {done:,} of about {citizens:,}")

    return await populate(
        running.engines.owner_url, running.settings, running.data, citizens, on_progress
    )


def _play(running: RunningCity, seeds: Seeds, population: Population, now_us: int) -> list[Played]:
    subjects = {persona.login: persona.subjects for persona in population.personas}
    keys = [{"client_id": party.client_id, "jwk": party.jwk} for party in population.parties]
    with Player("counter") as counter, Player("people") as people:
        counter.do("open", base_url=running.base_url, parties=keys)
        people.do("open", base_url=running.base_url)
        return list(Day(seeds, subjects, counter, people).play(now_us))


async def _totals(running: RunningCity, first: UUID) -> dict[tuple[str, int], int]:
    async with connected(running.engines.owner_url) as owner:
        return await decisions.totals(owner, first)


def _table(played: list[Played], seeds: Seeds) -> Table:
    names = {party.id: party.name for party in seeds.parties.party}
    table = Table(title="一天 · a day in the city", title_justify="left")
    for name in ("时间 at", "谁 who", "场景 scenario", "居民 citizen", "预期 expected"):
        table.add_column(name, no_wrap=True)
    table.add_column("实际 actual", no_wrap=True)
    table.add_column("毫秒 ms", justify="right", no_wrap=True)
    table.add_column("记录 record", no_wrap=True)
    for row in played:
        step = row.step
        good = "green" if row.as_expected else "bold red"
        wanted = " / ".join(step.allowed) if step.act == "ask" else step.act
        table.add_row(
            step.at,
            names.get(step.party, "本人"),
            step.scenario or "–",
            step.persona,
            wanted,
            f"[{good}]{row.actual}[/]",
            f"{row.took_ms:.1f}" if row.took_ms is not None else "",
            row.record,
        )
    return table


def _tell(
    console: Console, played: list[Played], totals: dict[tuple[str, int], int], seconds: float
) -> None:
    """Say how it went; raise where anything differs from what the seeds expect."""
    table = Table(title="PostgreSQL: 今天的记录 · what is on disk of it", title_justify="left")
    table.add_column("场景 scenario")
    for outcome in Outcome:
        table.add_column(outcome.wire, justify="right")
    for scenario in sorted({name for name, _ in totals}):
        counts = (str(totals.get((scenario, outcome), 0)) for outcome in Outcome)
        table.add_row(scenario, *counts)
    console.print(table)
    for row in differences(played):
        wanted = " or ".join(row.step.allowed) or row.step.act
        click.echo(
            f"{row.step.at} {row.step.party} {row.step.persona}: {row.actual}, not {wanted}. "
            f"{row.step.en}. {row.trouble}",
            err=True,
        )
    trouble = judge(played, totals)
    if trouble is not None:
        raise trouble
    records = sum(totals.values())
    console.print(
        f"[green]{len(played)} steps as expected; {records} answers, {records} records;"
        f" {seconds:.1f} s[/]"
    )


def judge(played: list[Played], totals: dict[tuple[str, int], int]) -> click.ClickException | None:
    """What is wrong with a day: an answer without a record, or a step that went otherwise."""
    answered, recorded = sum(bool(row.record) for row in played), sum(totals.values())
    if answered != recorded:
        return click.ClickException(f"{answered} answers, but {recorded} records")
    if wrong := differences(played):
        return click.ClickException(f"{len(wrong)} of {len(played)} steps went otherwise")
    return None
