"""`qianjiang bench`: what a decision costs beside a framework's hello. From a checkout."""

from __future__ import annotations

import importlib
import importlib.util
import tempfile
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

#: Characters that the table of rounds needs.
TABLE_WIDTH = 120


@click.command()
@click.option("--rounds", default=5, show_default=True, help="Paired rounds.")
@click.option("--seconds", default=5.0, show_default=True, help="Length of one round.")
@click.option("--connections", default=128, show_default=True, help="Connections kept busy.")
@click.option("--workers", default=2, show_default=True, help="Gateway processes.")
@click.option("--citizens", default=10_000, show_default=True, help="Citizens asked about.")
def command(**options: Any) -> None:
    """Measure decisions and the baseline in one run, and check every record."""
    if importlib.util.find_spec("loadtest") is None:
        raise click.ClickException("bench needs a checkout: its tools are not in the wheel")
    bench = importlib.import_module("loadtest.bench")
    console = Console(width=max(Console().width, TABLE_WIDTH))
    with tempfile.TemporaryDirectory(prefix="qianjiang-bench-") as folder:
        with console.status("starting") as status:
            report = bench.measure(bench.Options(**options), Path(folder), status.update)
    console.print(_rounds(report))
    _print_summary(console, bench.describe(report), report)
    if report.answered != report.recorded_once:
        raise click.ClickException("an answered id has no row, or more than one")


def _rounds(report: Any) -> Table:
    table = Table(title=f"CPU in µs a request, load by {report.generator}")
    for name in ("round", "hello/s", "hello CPU", "decisions/s", "workers", "PostgreSQL", "Valkey"):
        table.add_column(name, justify="right")
    for name in ("summed", "p50 ms", "p99 ms", "batch", "ratio"):
        table.add_column(name, justify="right")
    pairs = zip(report.hello, report.decision, report.ratios(), strict=True)
    for number, (hello, decision, ratio) in enumerate(pairs, 1):
        summed = decision.workers_us + decision.postgres_us + decision.valkey_us
        figures = (hello.per_second, hello.workers_us, decision.per_second, decision.workers_us)
        table.add_row(
            str(number),
            *(f"{figure:,.0f}" for figure in figures),
            *(f"{f:,.0f}" for f in (decision.postgres_us, decision.valkey_us, summed)),
            *(f"{f:.1f}" for f in (decision.p50_ms, decision.p99_ms, decision.batch)),
            f"{ratio:.2f}",
        )
    return table


def _print_summary(console: Console, headline: dict[str, float], report: Any) -> None:
    ratios = sorted(report.ratios())
    console.print("median: " + ", ".join(f"{k} {v:,.1f}" for k, v in headline.items()))
    console.print(
        f"workers' CPU of a decision over a hello: min {ratios[0]:.2f},"
        f" median {headline['ratio']:.2f}, max {ratios[-1]:.2f}"
    )
    console.print(
        f"records: {report.answered} answered, {report.recorded_once} with exactly one row;"
        f" beyond the answers: {report.beyond}"
    )
