"""`qianjiang parties`: who may ask, kept by the city's operators."""

from pathlib import Path

import click

from gateway import onboarding
from gateway.cli._owner import as_owner, owner_option
from gateway.cli._tables import copyable, put
from gateway.gcra import BURST_MAX, RATE_MAX
from gateway.store import party as rows
from gateway.working_days import calendar
from scenarios.registry import load_registry

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
@owner_option
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
    as_owner(owner_url, lambda owner: onboarding.add(owner, parties, served))
    for party in parties.party:
        click.echo(f"added {party.id}")


@command.command("list")
@click.pass_obj
def list_all(owner_url: str | None) -> None:
    """Show every party, whatever its status."""
    columns = ("kind", "status", "tokens", "limit", "scenarios", "keys")
    table = copyable("party", others=columns)
    for row in as_owner(owner_url, rows.everyone):
        keys = [kid if key.until_us is None else f"{kid} (ending)" for kid, key in row.keys.items()]
        rate = f"{row.rate_per_s}/s, {row.rate_burst}" if row.rate_per_s else "default"
        tokens = "DPoP" if row.dpop else "Bearer"
        words = tokens, rate, " ".join(row.scenarios), " ".join(keys)
        table.add_row(row.id, row.kind, row.status, *words)
    put(table)


@command.command()
@click.argument("party")
@click.pass_obj
def suspend(owner_url: str | None, party: str) -> None:
    """End PARTY's right to ask, and every token it holds."""
    as_owner(owner_url, lambda owner: onboarding.suspend(owner, party))
    click.echo(f"suspended {party}")


@command.command()
@click.argument("party")
@click.pass_obj
def resume(owner_url: str | None, party: str) -> None:
    """Let a suspended PARTY ask again, with new tokens."""
    as_owner(owner_url, lambda owner: onboarding.resume(owner, party))
    click.echo(f"resumed {party}")


@command.command()
@click.argument("party")
@click.option("--per-s", type=click.IntRange(1, RATE_MAX), help="Requests a second for ever.")
@click.option("--burst", type=click.IntRange(1, BURST_MAX), help="At once. [default: 2 x --per-s]")
@click.option("--default", is_flag=True, help="No limit of its own: what the settings say.")
@click.pass_obj
def limit(
    owner_url: str | None, party: str, per_s: int | None, burst: int | None, default: bool
) -> None:
    """Set how much PARTY may ask."""
    if default == (per_s is not None) or (default and burst is not None):
        raise click.ClickException("give --per-s, with or without --burst, or else --default")
    rate = (per_s, burst or 2 * per_s) if per_s is not None else None
    as_owner(owner_url, lambda owner: onboarding.limit(owner, party, rate))
    click.echo(f"{party}: {rate[0]} a second, {rate[1]} at once" if rate else f"{party}: default")


@command.command()
@click.argument("party")
@click.option("--dpop/--bearer", required=True, help="Bound to a key of its own, or not.")
@click.pass_obj
def tokens(owner_url: str | None, party: str, dpop: bool) -> None:
    """Say whether PARTY's tokens must be bound by DPoP (RFC 9449); its Bearer tokens then end."""
    as_owner(owner_url, lambda owner: onboarding.bind(owner, party, dpop))
    click.echo(f"{party}: {'DPoP' if dpop else 'Bearer'} tokens")


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
    kid = as_owner(
        owner_url, lambda owner: onboarding.rotate_key(owner, party, public, overlap_s=overlap)
    )
    click.echo(f"{party} now signs with {kid}")
