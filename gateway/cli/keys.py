"""`qianjiang keys`: the city's secret keys, and key pairs for parties."""

import os
from pathlib import Path

import click
import msgspec

from gateway.client_keys import new_client_key
from gateway.ids import SystemIds
from gateway.keys import write_keys

_NEW_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Make keys. Files get mode 0600, and none is ever replaced."""


@command.command()
@click.argument("file", type=_NEW_FILE)
def generate(file: Path) -> None:
    """Make the city's secret keys in a new FILE: once, when the city begins."""
    try:
        write_keys(file, SystemIds())
    except FileExistsError:
        raise _exists(file) from None
    click.echo(f"wrote {file}; keep it secret and keep a copy: what it seals is lost with it")


@command.command()
@click.argument("file", type=_NEW_FILE)
def client(file: Path) -> None:
    """Make a party's key pair: the private JWK into a new FILE, the public one to the screen."""
    pair = new_client_key()
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise _exists(file) from None
    with os.fdopen(handle, "wb") as out:
        out.write(msgspec.json.encode(pair.private))
    click.echo(msgspec.json.encode(pair.public).decode())


def _exists(file: Path) -> click.ClickException:
    return click.ClickException(f"{file} exists; a key file is never replaced")
