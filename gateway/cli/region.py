"""`qianjiang region`: the trust list of a region on one machine."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import click

from gateway import server
from gateway.cli._files import FILE, looks_like_jws, one_line, small
from gateway.cli._tables import copyable, put, visible
from gateway.clock import SystemClock
from gateway.errors import GatewayError
from gateway.local.atlas import REGION_HOST
from gateway.local.region import LocalRegion
from gateway.local.region_rules import RegionDeclines
from gateway.local.region_server import APP, FOLDER_VARIABLE
from gateway.local.region_statements import Agreement, claims_of
from gateway.local.running import data_folder

PORT = 8700


@click.group()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the region keeps its key, its cities and their statements. "
    "[default: that of `qianjiang up`]",
)
@click.pass_context
def command(ctx: click.Context, folder: Path | None) -> None:
    """Begin a region, admit and expel cities, file agreements. NOT FOR PRODUCTION."""
    ctx.obj = LocalRegion(folder or data_folder("region"), SystemClock())


@command.command()
@click.option(
    "--url",
    default=f"http://{REGION_HOST}:{PORT}",
    show_default=True,
    help="The region's own address: its name in the list, and where `serve` listens.",
)
@click.pass_obj
def init(region: LocalRegion, url: str) -> None:
    """Make the folder and the key that signs the list: once."""
    region.begin(url)
    click.echo(f"the list will be at {region.url}")


@command.command()
@click.pass_obj
def key(region: LocalRegion) -> None:
    """Print what cities pin: the region's name and public keys. QIANJIANG_TRUST_LIST_KEYS names a
    file of this."""
    click.echo(region.pinned())


@command.command()
@click.pass_obj
def url(region: LocalRegion) -> None:
    """Print the address of the list. QIANJIANG_TRUST_LIST_URL is this."""
    click.echo(region.url)


@command.command()
@click.argument("entry", type=FILE)
@click.option(
    "--replace",
    is_flag=True,
    help="Though the list has a city of this code at another address, or with other keys.",
)
@click.pass_obj
def admit(region: LocalRegion, entry: Path, replace: bool) -> None:
    """Put the city of the file ENTRY on the list, or change what the list says of it.

    A city makes its entry with `qianjiang cities entry`.
    """
    with naming(entry):
        raw = small(entry)
        if looks_like_jws(raw):
            raise RegionDeclines(
                "not an entry but a signed statement; `qianjiang region accept` takes it"
            )
        admitted = region.admit(raw, replace=replace)
    click.echo(f"{admitted.city.entry.code} is on the list, serial {region.file.serial}")
    if admitted.lost:
        click.echo(f"out of force until they are signed anew: {', '.join(admitted.lost)}")
    if admitted.former is not None:
        words = ["qianjiang", "region", "admit", "--replace", str(admitted.former)]
        if region.folder != data_folder("region"):
            words[2:2] = ["--folder", str(region.folder)]
        click.echo(f"the entry that was there is kept; back with it: {shlex.join(words)}")


@command.command()
@click.argument("code")
@click.pass_obj
def expel(region: LocalRegion, code: str) -> None:
    """Take the city of CODE off the list: within a minute nobody relies on it."""
    region.expel(code)
    click.echo(f"{code} is off the list, serial {region.file.serial}")


@command.command()
@click.argument("statements", nargs=-1, required=True, type=FILE)
@click.pass_obj
def accept(region: LocalRegion, statements: tuple[Path, ...]) -> None:
    """File operators' STATEMENTS about an agreement, as `qianjiang cities agreement` makes them.

    One that is refused does not keep the others out.
    """
    refused = 0
    for path in statements:
        try:
            with naming(path):
                claims = region.accept(one_line(path))
        except click.ClickException as fault:
            fault.show()
            refused += 1
        else:
            click.echo(f"filed: {claims.act} {claims.agreement} by an operator of {claims.iss}")
    if refused:
        filed = len(statements) - refused
        raise click.ClickException(
            f"{refused} of {len(statements)} not filed"
            + (f"; the other {filed} are, and may be sent again with no effect" if filed else "")
        )


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name the file of which something is refused: there may be several."""
    try:
        yield
    except GatewayError as fault:
        raise click.ClickException(visible(f"{path}: {fault}")) from None


@command.command()
@click.pass_obj
def show(region: LocalRegion) -> None:
    """Show who is on the list and what was said about their agreements."""
    click.echo(f"{region.url}, serial {region.file.serial}")
    listed = region.cities()
    cities = copyable("city", "issuer", others=("name", "scenarios", "operators"))
    for code, city in listed.items():
        names = ", ".join(each.name for each in city.entry.operators)
        cities.add_row(
            code, city.entry.issuer, city.entry.name.zh, " ".join(city.entry.scenarios), names
        )
    put(cities)
    codes = {city.entry.issuer: code for code, city in listed.items()}
    agreements = copyable("agreement", others=("cities", "said"))
    for agreement in region.agreements():
        agreements.add_row(agreement.id, *_told(agreement, codes))
    put(agreements)


def _told(agreement: Agreement, codes: Mapping[str, str]) -> tuple[str, str]:
    """Its cities, and how many statements of each say what; `codes` are by issuer."""
    said = [claims_of(each) for each in agreement.statements]
    acts = Counter((codes.get(claims.iss, claims.iss), claims.act) for claims in said)
    words = ", ".join(f"{city} {act} ×{times}" for (city, act), times in sorted(acts.items()))
    return " ".join(said[0].cities), words


@command.command()
@click.pass_obj
def serve(region: LocalRegion) -> None:
    """Publish the list at the region's address until Ctrl-C."""
    address = urlsplit(region.file.id)
    line = server.command(address.hostname or REGION_HOST, address.port or 80, 1, APP)
    click.echo(f"the list is at {region.url}", err=True)
    environment = {**os.environ, FOLDER_VARIABLE: str(region.folder)}
    # Becoming the server keeps signals and exit code its own.
    os.execve(line[0], line, environment)  # noqa: S606  no shell is wanted
