"""`qianjiang staff`: accounts of parties' staff at their counters."""

import click

from gateway.cli._owner import as_owner, owner_option
from gateway.cli._tables import copyable, put
from gateway.counter import staff
from gateway.ids import SystemIds
from gateway.store import counter_staff as rows


@click.group()
@owner_option
@click.pass_context
def command(ctx: click.Context, owner_url: str | None) -> None:
    """Let a party's staff ask at a counter, and end that.

    A command that returns is in force at every worker.
    """
    ctx.obj = owner_url


_issuer_option = click.option(
    "--issuer",
    envvar="QIANJIANG_ISSUER",
    show_envvar=True,
    required=True,
    help="The gateway's own address, which the link begins with.",
)


@command.command()
@click.argument("party")
@click.argument("login")
@click.option("--name", required=True, help="What citizens read beside the questions.")
@_issuer_option
@click.pass_obj
def add(owner_url: str | None, party: str, login: str, name: str, issuer: str) -> None:
    """Open an account LOGIN at PARTY, and print the link by which it is taken up."""
    token = as_owner(owner_url, lambda owner: staff.add(owner, SystemIds(), party, login, name))
    _hand_over(issuer, token)


@command.command()
@click.argument("login")
@_issuer_option
@click.pass_obj
def reset(owner_url: str | None, login: str, issuer: str) -> None:
    """Forget LOGIN's password and second factor, and print a new link."""
    _hand_over(issuer, as_owner(owner_url, lambda owner: staff.reset(owner, SystemIds(), login)))


@command.command("list")
@click.option("--party", help="Of this party alone.")
@click.pass_obj
def list_all(owner_url: str | None, party: str | None) -> None:
    """Show the accounts, whatever their status."""
    table = copyable("login", "party", others=("name", "status", "taken up"))
    for row in as_owner(owner_url, lambda owner: rows.everyone(owner, party)):
        taken = "yes" if row.enrolled else "no"
        table.add_row(row.login, row.party, row.name, row.status, taken)
    put(table)


@command.command()
@click.argument("login")
@click.pass_obj
def suspend(owner_url: str | None, login: str) -> None:
    """Stop LOGIN for now, and end its sessions."""
    as_owner(owner_url, lambda owner: staff.suspend(owner, login))
    click.echo(f"suspended {login}")


@command.command()
@click.argument("login")
@click.pass_obj
def resume(owner_url: str | None, login: str) -> None:
    """Let a suspended LOGIN sign in again."""
    as_owner(owner_url, lambda owner: staff.resume(owner, login))
    click.echo(f"resumed {login}")


@command.command()
@click.argument("login")
@click.pass_obj
def close(owner_url: str | None, login: str) -> None:
    """End LOGIN for good. What was asked under its name stays on record."""
    as_owner(owner_url, lambda owner: staff.close(owner, login))
    click.echo(f"closed {login}")


def _hand_over(issuer: str, token: str) -> None:
    click.echo(staff.link(issuer, token))
    click.echo("good for 24 hours and one person; hand it over in private", err=True)
