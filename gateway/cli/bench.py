"""`qianjiang bench`: what a decision costs, beside others, with every record checked."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from gateway.cli._stages import stages

#: What is chosen on the command line, where it is; the rest is in loadtest/options.py.
CHOICES = ("rounds", "seconds", "connections", "workers", "citizens")

_STYLES = {"✓": "green", "✗": "red", "–": "dim"}


@click.command()
@click.option("--only", multiple=True, metavar="SECTION", help="Sections to run; all by default.")
@click.option("--quick", is_flag=True, help="A look at everything in two minutes.")
@click.option("--rounds", type=click.IntRange(1, 100), help="Paired rounds of each section.")
@click.option("--seconds", type=click.IntRange(1, 60), help="Length of one round.")
@click.option("--connections", type=click.IntRange(1, 1000), help="Connections kept busy.")
@click.option("--workers", type=click.IntRange(1, 64), help="Gateway processes.")
@click.option("--citizens", type=click.IntRange(1, 1_000_000), help="Citizens asked about.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The result's file. By default a whole run goes to loadtest/results/, others to build/.",
)
def command(only: tuple[str, ...], quick: bool, out: Path | None, **given: Any) -> None:
    """Measure everything in one session and write the result, and a page with plots."""
    if importlib.util.find_spec("loadtest") is None:
        raise click.ClickException("bench needs a checkout: its tools are not in the wheel")
    bench: Any = importlib.import_module("loadtest.bench")
    if unknown := set(only) - set(bench.NAMES):
        known = ", ".join(bench.NAMES)
        raise click.ClickException(f"no section {', '.join(sorted(unknown))}; there are {known}")
    options = bench.chosen(quick, {name: given[name] for name in CHOICES if given[name]})
    console = Console()
    with stages(console) as tell:
        result = bench.run(options, tell, only=only, quick=quick)
        path = out or bench.place_of(result, whole=not only)
        bench.publish(result, path)
    _show(console, result, path)


def _show(console: Console, result: Any, path: Path) -> None:
    goals: Any = importlib.import_module("loadtest.tables.goals")
    shown = goals.targets(result)
    table = Table(title=f"targets, in a session of {result.took_s / 60:.0f} min")
    for place, head in enumerate(shown.heads):
        table.add_column(head, justify="left" if place < 2 else "right")
    for row in shown.rows:
        table.add_row(*row, style=_STYLES.get(row[0]))
    console.print(table)
    for name, reason in result.failures.items():
        console.print(f"{name} did not end: {reason}", markup=False)
    console.print(f"result: {path}", markup=False, soft_wrap=True)
    if any(not account.balanced for account in result.sections.accounts()):
        raise click.ClickException("an answered id has no row, or more than one")
