"""`qianjiang scores`: bring in facts, publish scores."""

from __future__ import annotations

import asyncio
import csv
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from gateway.clock import SystemClock
from gateway.errors import DependencyDown
from gateway.fact_file import form_of, read_rows
from gateway.fact_import import FactImport, Report
from gateway.ids import SystemIds
from gateway.keys import KeyFileError, Keyring, load_keys
from gateway.office import Office, owner_database
from gateway.score_publication import ScorePublication
from gateway.scores import Scores, today
from gateway.store.score import Run
from gateway.store.staff import Staff
from scoring import NothingInForce, Rejected, load_catalogue

_OWNER = click.option(
    "--owner-url",
    envvar="QIANJIANG_OWNER_URL",
    show_envvar=True,
    required=True,
    help="The database as its owner role, postgresql://…",
)
_KEYS = click.option(
    "--keys",
    "keys_file",
    envvar="QIANJIANG_KEYS_FILE",
    show_envvar=True,
    required=True,
    type=click.Path(path_type=Path),
    help="The city's key file.",
)


@click.group()
def command() -> None:
    """Scores: import facts, publish what they give."""


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write refused rows here as CSV: line, field, reason, rule; never a value.",
)
@click.option("--staff", help="Who imports; citizens whose facts change see the name.")
@click.option("--purpose", help="Why; required with --staff.")
@_OWNER
@_KEYS
def import_(
    file: Path,
    rejects: Path | None,
    staff: str | None,
    purpose: str | None,
    owner_url: str,
    keys_file: Path,
) -> None:
    """Import FILE, scoring facts as .csv or .jsonl, one row a line.

    Each row names its person in `id_number`. Good rows are kept whatever the others are, and
    refused rows do not fail the command (exit 0): one bad row of one department must not hold up
    a night's publication. A file that cannot be read as a whole exits 1.
    """
    if (staff is None) is not (purpose is None):
        raise click.UsageError("--staff and --purpose go together")
    if rejects is not None and rejects.exists() and rejects.samefile(file):
        raise click.UsageError("--rejects names the file to be read; it would be overwritten")
    acting = None if staff is None or purpose is None else Staff(staff, purpose)
    rules: Counter[str] = Counter()
    with _reject_file(rejects) as write:

        def on_reject(refused: Rejected) -> None:
            rules[refused.rule] += 1
            write(refused)

        report = asyncio.run(_import(file, on_reject, acting, owner_url, _keys(keys_file)))
    _tell_import(report, rules, rejects)


async def _import(
    file: Path,
    on_reject: Callable[[Rejected], None],
    staff: Staff | None,
    owner_url: str,
    keys: Keyring,
) -> Report:
    database = owner_database(owner_url)
    work = FactImport(database, load_catalogue(today(SystemClock())), keys.blind_index, staff)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        # Opened before the database: a wrong name costs nothing.
        with progress.open(file, "rb", description=f"reading {file.name}") as source:
            rows = read_rows(source, form_of(file))
            await database.open()
            try:
                return await work.run(rows, on_reject)
            except DependencyDown:
                raise click.ClickException(
                    "the database cannot be reached, or was lost; check QIANJIANG_OWNER_URL "
                    "and run again: what is in already stays and is not doubled"
                ) from None
            finally:
                await database.close()


@command.command("publish")
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day for which scores are computed; today in Hangzhou unless given.",
)
@_OWNER
@_KEYS
@click.option("--valkey-url", envvar="QIANJIANG_VALKEY_URL", show_envvar=True, required=True)
def publish(as_of: datetime | None, owner_url: str, keys_file: Path, valkey_url: str) -> None:
    """Compute every authorised citizen's score and write those that changed.

    First, negative facts are deleted whose five years, or shorter term, are over today.
    Only citizens whose band moves get a new standing. A run that was cut off is simply repeated.
    """
    office = Office(owner_url, valkey_url, _keys(keys_file), SystemClock(), SystemIds())
    day = today(office.clock) if as_of is None else as_of.date()
    try:
        run = asyncio.run(_publish(office, day))
    except NothingInForce as fault:
        raise click.ClickException(str(fault)) from None
    click.echo(f"forgotten: {run.forgotten} negative facts whose use had ended")
    click.echo(
        f"as of {run.as_of} by model {run.model}: {run.scored} scored, {run.changed} changed, "
        f"{run.band_moves} in another band"
    )


async def _publish(office: Office, as_of: date) -> Run:
    console = Console(stderr=True)
    publication = ScorePublication(
        office.database, office.writer, Scores(office.vault, office.clock), office.clock
    )
    async with office.open():
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("publishing", total=await publication.candidates())
            return await publication.run(as_of, lambda done: progress.update(task, completed=done))


@contextmanager
def _reject_file(path: Path | None) -> Iterator[Callable[[Rejected], None]]:
    """Writes refusals as rows of a CSV file that only its owner can read."""
    if path is None:
        yield lambda refused: None
        return
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(("line", "field", "reason", "rule"))
        yield lambda row: writer.writerow((row.line, row.field, row.reason, row.rule))


def _tell_import(report: Report, rules: Counter[str], rejects: Path | None) -> None:
    click.echo(
        f"read {report.read}: {report.new} new, {report.changed} changed, "
        f"{report.unchanged} unchanged, {report.repeated} repeated, {report.rejected} rejected"
    )
    for rule, count in sorted(rules.items()):
        click.echo(f"rejected {count} by {rule}", err=True)
    if rules:
        where = f"see {rejects}" if rejects else "run again with --rejects FILE for their lines"
        click.echo(where, err=True)


def _keys(path: Path) -> Keyring:
    try:
        return load_keys(path)
    except KeyFileError as fault:
        raise click.ClickException(str(fault)) from None
