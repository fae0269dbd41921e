"""`qianjiang parties`: who may ask, kept by the city's operators."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click
from rich.console import Console
from rich.table import Table

from gateway import onboarding
from gateway.store import migrate
from gateway.store import party as rows
from gateway.working_days import calendar
from scenarios.registry import load_registry

T = TypeVar("T")

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
@click.option(
    "--owner-url",
    envvar="QIANJIANG_OWNER_URL",
    show_envvar=True,
    help="The database as its owner role, postgresql://…",
)
@click.pass_context
def command(ctx: click.Context, owner_url: str | None) -> None:
    """Register parties, suspend them, change their keys.

    A command that returns is in force at every worker.
    """
    ctx.obj = owner_url


@command.command()
@click.argument("file", type=_FILE)
@click.pass_obj
def add(owner_url: str | None, file: Path) -> None:
    """Register the parties of a TOML FILE, all or none."""
    parties = onboarding.read_parties(file.read_bytes())
    served = list(load_registry(calendar()))
    _run(owner_url, lambda owner: onboarding.add(owner, parties, served))
    for party in parties.party:
        click.echo(f"added {party.id}")


@command.command("list")
@click.pass_obj
def list_all(owner_url: str | None) -> None:
    """Show every party, whatever its status."""
    table = Table("party", "kind", "status", "scenarios", "keys", box=None)
    for row in _run(owner_url, rows.everyone):
        keys = [kid if key.until_us is None else f"{kid} (ending)" for kid, key in row.keys.items()]
        table.add_row(row.id, row.kind, row.status, " ".join(row.scenarios), " ".join(keys))
    Console().print(table)


@command.command()
@click.argument("party")
@click.pass_obj
def suspend(owner_url: str | None, party: str) -> None:
    """End PARTY's right to ask, and every token it holds."""
    _run(owner_url, lambda owner: onboarding.suspend(owner, party))
    click.echo(f"suspended {party}")


@command.command()
@click.argument("party")
@click.pass_obj
def resume(owner_url: str | None, party: str) -> None:
    """Let a suspended PARTY ask again, with new tokens."""
    _run(owner_url, lambda owner: onboarding.resume(owner, party))
    click.echo(f"resumed {party}")


@command.command("rotate-key")
@click.argument("party")
@click.argument("jwk", type=_FILE)
@click.option(
    "--overlap",
    default=0,
    show_default=True,
    type=click.IntRange(0, onboarding.MAX_OVERLAP_S),
    help="Seconds for which the old keys stay good. 0 ends them, and their tokens, at once.",
)
@click.pass_obj
def rotate_key(owner_url: str | None, party: str, jwk: Path, overlap: int) -> None:
    """Give PARTY the public key in the file JWK, and end its others."""
    public = jwk.read_bytes()
    kid = _run(
        owner_url, lambda owner: onboarding.rotate_key(owner, party, public, overlap_s=overlap)
    )
    click.echo(f"{party} now signs with {kid}")


def _run(owner_url: str | None, act: Callable[[migrate.Connection], Awaitable[T]]) -> T:
    """Do something as the database's owner."""
    if owner_url is None:
        raise click.ClickException(
            "set QIANJIANG_OWNER_URL to the database's address as role qianjiang_owner"
        )

    async def connected(url: str) -> T:
        async with migrate.connected(url) as owner:
            return await act(owner)

    return asyncio.run(connected(owner_url))
