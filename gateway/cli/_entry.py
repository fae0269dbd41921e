"""`qianjiang cities entry`, `operator-key`: what a city sends the region, and who signs for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from gateway.cli._fetched import table_here
from gateway.cli._files import FILE, small
from gateway.cli._foreseen import fault_of_table
from gateway.cli._place import Place, scheme_named
from gateway.cli._terms import check_scenarios
from gateway.client_keys import new_client_key
from gateway.recognition.agreements import QUORUM
from gateway.recognition.entry import Operator, Words
from gateway.recognition.own_entry import Offer, own_entry
from gateway.recognition.signing import is_private, seen
from gateway.wrong_member import in_words

#: Letters of a name in an entry.
NAME_MAX: Final = 200


@click.command()
@click.option("--name-zh", required=True, help="The city's name in Chinese.")
@click.option("--name-en", required=True, help="The same in English.")
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    required=True,
    help="A scenario recognised here, for visitors and for this city's citizens.",
)
@click.option("--scheme", "schemes", multiple=True, required=True, metavar="ID:VERSION")
@click.option(
    "--operator",
    "operators",
    multiple=True,
    required=True,
    type=FILE,
    help="A file with the public part that `operator-key` printed; at least two.",
)
@click.pass_obj
def entry(
    place: Place,
    name_zh: str,
    name_en: str,
    scenarios: tuple[str, ...],
    schemes: tuple[str, ...],
    operators: tuple[Path, ...],
) -> None:
    """Print this city's entry for the region's list: public keys, addresses, operators."""
    check_scenarios(scenarios)
    keyring = place.keyring()
    offer = Offer(
        code=place.need("city"),
        issuer=place.need("issuer"),
        name=Words(zh=_readable("--name-zh", name_zh), en=_readable("--name-en", name_en)),
        contact=_readable("--contact", place.need("contact")),
        scenarios=scenarios,
        schemes=[scheme_named(each) for each in schemes],
        operators=_operators(operators),
    )
    made = own_entry(offer, keyring, allow_loopback_http=place.allow_loopback_http)
    for each in offer.schemes:
        table = table_here(offer.issuer, each)
        words = table if isinstance(table, str) else fault_of_table(table, each, [offer.code])
        if words:
            click.echo(f"look again before it is sent: {words}", err=True)
    click.echo(msgspec.json.format(msgspec.json.encode(made.entry)).decode())


@click.command("operator-key")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--name", required=True, help="Who signs with it, as other cities read it.")
def operator_key(file: Path, name: str) -> None:
    """Make an operator's key pair: the private JWK into a new FILE, the public part to the screen.

    The operator keeps FILE; the public part, saved to a file, is an --operator of `entry`.
    """
    _readable("--name", name)
    pair = new_client_key()
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise click.ClickException(f"{file} exists; a key file is never replaced") from None
    except OSError as fault:
        raise click.ClickException(
            f"{file}: cannot be written ({fault.strerror}); name a file in a folder that there is"
        ) from None
    with os.fdopen(handle, "wb") as out:
        out.write(msgspec.json.encode(pair.private))
    click.echo(msgspec.json.encode({"name": name, "jwk": pair.public}).decode())


def _operator(path: Path) -> Operator:
    raw = small(path)
    if is_private(raw):
        raise click.ClickException(
            f"{path} is a private key, which is never sent to anybody; the public part is what "
            "`qianjiang cities operator-key` printed when it made that file"
        )
    try:
        found = msgspec.json.decode(raw, type=Operator)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise click.ClickException(
            f"{path}: not the public part that `qianjiang cities operator-key` prints: "
            f"{in_words(fault)}"
        ) from None
    if not isinstance(found.jwk.get("kid"), str):
        raise click.ClickException(f"{path}: jwk: a key without its name, `kid`")
    return msgspec.structs.replace(found, name=_readable("name", found.name, path))


def _operators(paths: tuple[Path, ...]) -> list[Operator]:
    """Two people or more, each with a name and a key of their own."""
    found = {path: _operator(path) for path in paths}
    names, kids = dict[str, Path](), dict[Any, Path]()
    for path, each in found.items():
        for before, what in (
            (names.setdefault(seen(each.name), path), f"the name {each.name!r}"),
            (kids.setdefault(each.jwk.get("kid"), path), "the key"),
        ):
            if before != path:
                raise click.ClickException(f"{path}: {what} is that of {before} already")
    if len(found) < QUORUM:
        raise click.ClickException(
            "--operator: two people at least sign for a city, each with a key of their own; give "
            "the option once for each, with the file that `qianjiang cities operator-key` printed"
        )
    return list(found.values())


def _readable(what: str, name: str, where: Path | None = None) -> str:
    """A name, if people can read it.

    Raises:
        ClickException: nothing of it can be seen, or it is too long for an entry.
    """
    place = f"{where}: " if where else ""
    if not seen(name):
        raise click.ClickException(f"{place}{what}: {name!r} has no letter that can be seen")
    if len(name) > NAME_MAX or not name.isprintable():
        raise click.ClickException(
            f"{place}{what}: {NAME_MAX} letters at most, on one line, and each can be seen"
        )
    return name
