"""`qianjiang desks`: counters, shop doors and devices at which parties meet citizens."""

from pathlib import Path

import click
import msgspec

from gateway import desks, qr
from gateway.cli._owner import as_owner, owner_option
from gateway.cli._tables import copyable, put
from gateway.desks import DeskForm, DeskLinks
from gateway.ids import SystemIds
from gateway.keys import KeyFileError, load_keys
from gateway.store import desk as rows
from gateway.working_days import calendar
from scenarios.registry import load_registry

_KEYS = click.option(
    "--keys",
    "keys_file",
    envvar="QIANJIANG_KEYS_FILE",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="The city's key file, for the address of a printed code.",
)
_ISSUER = click.option(
    "--issuer",
    envvar="QIANJIANG_ISSUER",
    show_envvar=True,
    help="The gateway's own address, for the same.",
)


@click.group()
@owner_option
@click.pass_context
def command(ctx: click.Context, owner_url: str | None) -> None:
    """Open, list and close the desks of parties."""
    ctx.obj = owner_url


@command.command()
@click.argument("party")
@click.argument("place")
@click.option("--kind", type=click.Choice(["counter", "device"]), default="counter")
@click.option("--scenario", help="What its printed code asks for; a device needs one.")
@click.option("--purpose", help="For which purpose. [default: the scenario's first]")
@click.option("--number", help="Six digits. [default: drawn]")
@click.option("--qr", "picture", type=click.Path(dir_okay=False, path_type=Path),
              help="Write its printed code here, as SVG.")  # fmt: skip
@_ISSUER
@_KEYS
@click.pass_obj
def add(
    owner_url: str | None,
    party: str,
    place: str,
    kind: str,
    scenario: str | None,
    purpose: str | None,
    number: str | None,
    picture: Path | None,
    issuer: str | None,
    keys_file: Path | None,
) -> None:
    """Open a desk of PARTY at PLACE, in words that citizens read.

    Prints its number and, where it asks for a scenario, the address for its printed code.
    """
    form = _form(party=party, place=place, kind=kind, scenario=scenario, purpose=purpose,
                 number=number)  # fmt: skip
    if picture is not None and scenario is None:
        raise click.ClickException("only a desk with a scenario has a printed code")
    links = _links(issuer, keys_file) if scenario is not None else None
    served = load_registry(calendar())
    opened = as_owner(owner_url, lambda owner: desks.open_desk(owner, form, served, SystemIds()))
    click.echo(f"desk {opened}")
    if links is not None:
        click.echo(links.link(opened))
        if picture is not None:
            picture.write_text(qr.svg(links.link(opened)) + "\n", "utf-8")


@command.command("list")
@click.pass_obj
def list_all(owner_url: str | None) -> None:
    """Show every desk, closed ones too."""
    table = copyable("number", "party", others=("kind", "scenario", "status", "place"))
    for row in as_owner(owner_url, rows.everyone):
        status = "closed" if row.closed else "open"
        table.add_row(row.number, row.party, row.kind, row.scenario or "", status, row.place)
    put(table)


@command.command()
@click.argument("number")
@click.pass_obj
def close(owner_url: str | None, number: str) -> None:
    """Close the desk of this NUMBER, which is never used again."""
    as_owner(owner_url, lambda owner: desks.close_desk(owner, number))
    click.echo(f"closed {number}")


def _form(**words: str | None) -> DeskForm:
    try:
        return msgspec.convert(words, DeskForm)
    except msgspec.ValidationError as fault:
        raise click.ClickException(f"not a desk: {fault}") from None


def _links(issuer: str | None, keys_file: Path | None) -> DeskLinks:
    if issuer is None or keys_file is None:
        raise click.ClickException(
            "a printed code needs QIANJIANG_ISSUER and QIANJIANG_KEYS_FILE, as the gateway has them"
        )
    try:
        return DeskLinks(issuer, load_keys(keys_file).link)
    except KeyFileError as fault:
        raise click.ClickException(str(fault)) from None
