"""`qianjiang corrections`: what citizens say is wrong, and what becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import click
import msgspec

from gateway.citizens import Person
from gateway.cli._tables import copyable, put
from gateway.clock import SHANGHAI, SystemClock, from_us
from gateway.correction_desk import LISTED, Case, CorrectionDesk, Decision
from gateway.ids import SystemIds
from gateway.keys import KeyFileError, load_keys
from gateway.office import owner_database
from gateway.scores import today
from gateway.store.correction import CorrectionRow
from gateway.store.staff import Staff
from gateway.vault import Vault

T = TypeVar("T")


class _Where(msgspec.Struct, frozen=True):
    owner_url: str
    keys_file: Path


@click.group()
@click.option(
    "--owner-url",
    envvar="QIANJIANG_OWNER_URL",
    show_envvar=True,
    required=True,
    help="The database as its owner role, postgresql://…",
)
@click.option(
    "--keys",
    "keys_file",
    envvar="QIANJIANG_KEYS_FILE",
    show_envvar=True,
    required=True,
    type=click.Path(path_type=Path),
    help="The city's key file.",
)
@click.pass_context
def command(ctx: click.Context, owner_url: str, keys_file: Path) -> None:
    """Requests for correction: list them, read one, decide it.

    Deciding changes no fact: a corrected fact comes with the department's next delivery
    (`qianjiang scores import`), or in a file of one row.
    """
    ctx.obj = _Where(owner_url, keys_file)


_STAFF = click.option("--staff", required=True, help="Who acts; the citizen sees the name.")
_PURPOSE = click.option("--purpose", required=True, help="Why; the citizen sees it.")


@command.command("list")
@click.pass_obj
def list_all(where: _Where) -> None:
    """Show what waits, the longest due first. Nobody is named and no words are shown.

    Days are those of Hangzhou (Asia/Shanghai).
    """
    waiting = _run(where, lambda desk: desk.waiting())
    day = today(SystemClock())
    table = copyable("request", others=("about", "received", "due", ""))
    for row in waiting:
        late = "overdue" if row.due_on < day else ""
        table.add_row(*_cells(row), late)
    put(table)
    if len(waiting) == LISTED:
        click.echo(f"the first {LISTED}; more are waiting", err=True)


@command.command()
@click.argument("request", type=click.UUID)
@_STAFF
@_PURPOSE
@click.pass_obj
def show(where: _Where, request: UUID, staff: str, purpose: str) -> None:
    """Show REQUEST in full: who asks, about what, in which words."""
    case = _run(where, lambda desk: desk.show(request, Staff(staff, purpose)))
    for name, value in _lines(case):
        click.echo(f"{name}: {value}")


@command.command()
@click.argument("request", type=click.UUID)
@click.argument("decision", type=click.Choice(["accepted", "refused"]))
@click.option("--words", required=True, help="What the citizen reads: what was done, or why not.")
@_STAFF
@_PURPOSE
@click.pass_obj
def decide(
    where: _Where, request: UUID, decision: Decision, words: str, staff: str, purpose: str
) -> None:
    """Decide REQUEST: accepted or refused, always with words (PIPL 50)."""
    if not words.strip():
        raise click.UsageError("--words must say something")
    _run(where, lambda desk: desk.decide(request, decision, words, Staff(staff, purpose)))
    click.echo(f"{request}: {decision}")


def _cells(row: CorrectionRow) -> tuple[str, ...]:
    return str(row.id), row.about, _day(row.received_us), row.due_on.isoformat()


def _day(moment_us: int) -> str:
    """The day in Hangzhou, as the days are by which an answer is due."""
    return from_us(moment_us).astimezone(SHANGHAI).date().isoformat()


def _lines(case: Case) -> list[tuple[str, str]]:
    row, said = case.correction.row, case.correction.said
    named = msgspec.to_builtins(said.about)
    lines = [
        ("request", str(row.id)),
        ("name", case.person.name),
        _known(case.person),
        *((f"about {name}", str(value)) for name, value in named.items()),
        ("words", said.words),
        ("status", row.status),
        ("received", _day(row.received_us)),
        ("due", row.due_on.isoformat()),
    ]
    return [*lines, *([("answer", case.correction.answer)] if case.correction.answer else [])]


def _known(person: Person) -> tuple[str, str]:
    """What names a person besides the name; of a visitor only the home city is known."""
    if person.id_number is None:
        return "home city", person.home or ""
    return "identity number", person.id_number


def _run(where: _Where, act: Callable[[CorrectionDesk], Awaitable[T]]) -> T:
    """Do something at the office's desk."""
    try:
        keys = load_keys(where.keys_file)
    except KeyFileError as fault:
        raise click.ClickException(str(fault)) from None

    async def seated() -> T:
        database = owner_database(where.owner_url)
        await database.open()
        try:
            return await act(CorrectionDesk(database, Vault(keys.city, SystemIds())))
        finally:
            await database.close()

    return asyncio.run(seated())
