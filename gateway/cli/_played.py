"""What was played, as people read it: tables of steps, of records, and what went otherwise."""

from __future__ import annotations

from collections.abc import Mapping

import click
from rich.console import Console
from rich.table import Table

from gateway.local.atlas import demo_city
from gateway.local.day import Played, differences
from gateway.local.seeds import Seeds
from gateway.local.steps import Step
from scenarios.contract import Outcome

#: Characters that the tables need.
TABLE_WIDTH = 168

_SELF = "本人"


def day(played: list[Played], seeds: Seeds) -> Table:
    """The rows of a day in one city."""
    names = _names(seeds)
    table = _table("一天 · a day in the city", "时间 at")
    for row in played:
        step = row.step
        _add(table, row, step.at, names.get(step.party, _SELF), step.persona)
    return table


def between(played: list[Played], seeds: Mapping[str, Seeds]) -> Table:
    """The rows of what was played between cities; each city's seeds by its code."""
    names = {code: _names(each) for code, each in seeds.items()}
    table = _table("跨城互认 · between two cities", "时间 at", "城市 city")
    homes = {step.persona: step.home for row in played if (step := row.step).home}
    for row in played:
        step = row.step
        place = step.home if step.act == "take_back" else step.city
        who = f"{step.persona}（{demo_city(homes[step.persona]).zh}）"
        party = names[step.city].get(step.party, _SELF)
        _add(table, row, step.at, demo_city(place).zh, party, who)
    return table


def _table(title: str, *first: str) -> Table:
    table = Table(title=title, title_justify="left")
    for name in (*first, "谁 who", "场景 scenario", "居民 citizen", "预期 expected"):
        table.add_column(name, no_wrap=True)
    table.add_column("实际 actual", no_wrap=True)
    table.add_column("毫秒 ms", justify="right", no_wrap=True)
    table.add_column("记录 record", no_wrap=True)
    return table


def _add(table: Table, row: Played, *first: str) -> None:
    """A row; `first` ends in the citizen, before whom the scenarios stand."""
    step = row.step
    good = "green" if row.as_expected else "bold red"
    table.add_row(
        *first[:-1],
        step.scenario or " ".join(step.scenarios) or "–",
        first[-1],
        wanted(step),
        f"[{good}]{row.actual}[/]",
        f"{row.took_ms:.1f}" if row.took_ms is not None else "",
        row.record,
    )


def wanted(step: Step) -> str:
    """What a step is to come to: its outcomes, or its act where there is but one good end."""
    return " / ".join(step.allowed) or step.act


def tell_records(console: Console, totals: dict[tuple[str, int], int]) -> None:
    """Say what PostgreSQL keeps of what was played."""
    table = Table(title="PostgreSQL: 今天的记录 · what is on disk of it", title_justify="left")
    table.add_column("场景 scenario")
    for outcome in Outcome:
        table.add_column(outcome.wire, justify="right")
    for scenario in sorted({name for name, _ in totals}):
        counts = (str(totals.get((scenario, outcome), 0)) for outcome in Outcome)
        table.add_row(scenario, *counts)
    console.print(table)


def tell_differences(played: list[Played]) -> None:
    """Say on standard error what went otherwise."""
    for row in differences(played):
        step = row.step
        click.echo(
            f"{step.at} {step.party} {step.persona}: {row.actual}, not {wanted(step)}. "
            f"{step.en}. {row.trouble}",
            err=True,
        )


def judge(played: list[Played], totals: dict[tuple[str, int], int]) -> click.ClickException | None:
    """What is wrong with what was played: an answer without a record, a record without an answer,
    or a step that went otherwise."""
    answered, recorded = sum(row.records for row in played), sum(totals.values())
    if answered != recorded:
        return click.ClickException(f"{answered} answers, but {recorded} records")
    if wrong := differences(played):
        return click.ClickException(f"{len(wrong)} of {len(played)} steps went otherwise")
    return None


def _names(seeds: Seeds) -> dict[str, str]:
    return {party.id: party.name for party in seeds.parties.party}
