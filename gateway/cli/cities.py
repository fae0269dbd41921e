"""`qianjiang cities`: whom this city recognises, and by which keys it is recognised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gateway.cli._agreement import agreement
from gateway.cli._check import check
from gateway.cli._entry import entry, operator_key
from gateway.cli._files import FILE, small
from gateway.cli._foreseen import fault_of_own, remedy_of_own
from gateway.cli._owner import as_owner
from gateway.cli._place import Known, Place, place_options
from gateway.cli._tables import copyable, put, visible
from gateway.cli._waiting import patiently, wait_option
from gateway.clock import SystemClock, rfc3339
from gateway.ids import SystemIds
from gateway.key_rotation import PURPOSES, add_city_key, remove_city_key
from gateway.keys import KeyFileError
from gateway.recognition.admitting import admit as admit_city
from gateway.recognition.agreements import conclude
from gateway.recognition.entry import City
from gateway.recognition.schemes import publish
from gateway.store import freshness
from gateway.store.migrate import Connection
from scenarios.scheme_text import SchemeError

_PURPOSE = click.Choice(PURPOSES)


@click.group()
@place_options
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Keep what this city and others know of each other.

    The region's list is fetched by `qianjiang worker`; these commands read what it kept.
    """
    ctx.obj = Place(**{name: value for name, value in given.items() if value is not None})


command.add_command(agreement)
command.add_command(check)
command.add_command(entry)
command.add_command(operator_key)


@command.command("list")
@click.pass_obj
def list_all(place: Place) -> None:
    """Show the cities of the region's list, and what is agreed with each."""
    known = place.known()
    table = copyable("city", "agreement", "issuer", "keys", others=("name", "fresh until"))
    own = place.need("city"), place.need("issuer")
    fresh = as_owner(place.owner_url, freshness.everyone)
    for code, city in sorted(known.listed.cities.items()):
        until_us = fresh.get(code, 0)
        table.add_row(
            code,
            _standing(known, city, own),
            city.entry.issuer,
            "\n".join(f"{purpose}:{kid}" for purpose, kid in city.keys),
            city.entry.name.zh,
            rfc3339(until_us) if until_us > 0 else "–",
        )
    put(table)
    if fault := fault_of_own(known.listed, *own):
        click.echo(fault)
    for each in known.listed.left_out:
        about = f"{each.part} {each.name or '(nameless)'}: {each.words}"
        click.echo(f"left out: {visible(about)}")
    left_s = (known.expires_us - SystemClock().now_us()) // 1_000_000
    click.echo(
        f"list {known.listed.serial}, "
        + (f"good for {left_s} s more" if left_s > 0 else "its time is over: nobody is recognised")
    )


@command.command()
@click.argument("code")
@wait_option
@click.pass_obj
def admit(place: Place, code: str, wait: float) -> None:
    """Register the city CODE of the region's list as a party here.

    Citizens' consents then name it as the recipient. Its keys stay in the list.
    """
    if code == place.need("city"):
        raise click.ClickException(f"{code} is this city itself")
    issuer = place.need("issuer")
    patiently(wait, f"{code} to be in the list", lambda: _has(place, code))

    async def admitted(connection: Connection) -> str:
        known = await place.read(connection)
        city = known.listed.cities.get(code) if known else None
        if city is None:
            raise click.ClickException(
                f"{code} is not in the region's list; `qianjiang cities list` shows who is"
            )
        if city.entry.issuer == issuer:
            own = place.need("city")
            raise click.ClickException(
                f"{code} in the region's list is this city itself, at {issuer}: it is there under "
                f"a code that is not its own, {own}. {remedy_of_own(own)}"
            )
        return await admit_city(connection, city)

    party = as_owner(place.owner_url, admitted)
    click.echo(f"admitted {code} as party {party}")


@command.command()
@click.argument("file", type=FILE)
@click.pass_obj
def scheme(place: Place, file: Path) -> None:
    """Publish the recognition scheme of the TOML FILE: a new version, never another text of an old.

    What was opened under a former version keeps it.
    """
    raw = small(file)
    try:
        published = as_owner(place.owner_url, lambda owner: publish(owner, raw, str(file)))
    except SchemeError as fault:
        raise click.ClickException(str(fault)) from None
    click.echo(f"{published.id} version {published.version} is published, from {published.start}")


@command.command()
@click.argument("purpose", type=_PURPOSE)
@click.pass_obj
def rotate(place: Place, purpose: str) -> None:
    """Announce a new key for PURPOSE; the old one signs until it is retired."""
    path = place.need("keys_file")
    try:
        new = add_city_key(path, purpose, SystemIds())
        old = [*_signing(place, purpose)][-1]
    except KeyFileError as fault:
        raise click.ClickException(str(fault)) from None
    click.echo(f"{purpose}: {new} is new; {old} signs")
    if new == old:
        return
    click.echo("next:")
    click.echo("  1. send the region the new entry (`qianjiang cities entry …`)")
    click.echo(f"  2. wait until `qianjiang cities list` shows {purpose}:{new} for this city")
    click.echo(f"  3. run `qianjiang cities retire {purpose} {old}`")


@command.command(context_settings={"ignore_unknown_options": True})  # a kid may begin with "-"
@click.argument("purpose", type=_PURPOSE)
@click.argument("kid", type=click.UNPROCESSED)
@click.option("--force", is_flag=True, help="Though its successor is in no list yet: a lost key.")
@click.pass_obj
def retire(place: Place, purpose: str, kid: str, force: bool) -> None:
    """Take the key KID of PURPOSE out of the key file; its successor signs from then on."""
    path = place.need("keys_file")
    try:
        left = [each for each in _signing(place, purpose) if each != kid]
        if left and not force:
            _check_listed(place, purpose, left[-1])
        signing = remove_city_key(path, purpose, kid)
    except KeyFileError as fault:
        raise click.ClickException(str(fault)) from None
    click.echo(f"{purpose}: {kid} is retired; {signing} signs")
    click.echo("next:")
    click.echo("  1. restart `qianjiang serve` and `qianjiang worker`: they still hold it")
    click.echo("  2. send the region the entry without it (`qianjiang cities entry …`)")
    click.echo("it is dead everywhere within a minute after it left the list")


def _has(place: Place, code: str) -> bool:
    """Whether the list that was fetched last has a city."""
    known = as_owner(place.owner_url, place.read)
    return known is not None and code in known.listed.cities


def _standing(known: Known, city: City, own: tuple[str, str]) -> str:
    """What a city of the list is to this one, which is `own`: its code and its issuer."""
    code, issuer = city.entry.code, city.entry.issuer
    if (code, issuer) == own:
        return "this city"
    if code == own[0]:
        return "another city under this city's code"
    return "this city's address" if issuer == own[1] else _agreed(known, code)


def _agreed(known: Known, code: str) -> str:
    """The state of each agreement with a city, as words."""
    now_us = SystemClock().now_us()
    concluded = (conclude(name, said, now_us) for name, said in known.statements.items())
    states = [f"{each.id} {each.state}" for each in concluded if each and each.other(code)]
    return ", ".join(states) or "none"


def _signing(place: Place, purpose: str) -> list[str]:
    """The kids of a purpose in the key file's order."""
    return list(getattr(place.keyring(), f"city_{purpose}"))


def _check_listed(place: Place, purpose: str, kid: str) -> None:
    """Refuse to sign with a key that nobody knows yet."""
    own = place.known().listed.cities.get(place.need("city"))
    if own is None or (purpose, kid) not in own.keys:
        raise click.ClickException(
            f"{purpose}: {kid} would sign, and the region's list does not have it yet; "
            "send the new entry first, or use --force for a key that is lost"
        )
