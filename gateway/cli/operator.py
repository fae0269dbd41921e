"""`qianjiang operator`: what operators' commands need for the city of `qianjiang up`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from gateway.local import upfile
from gateway.local.running import data_folder


@click.command()
@click.option(
    "--up",
    type=click.Path(path_type=Path),
    help="The up.json of the city; by default that of `qianjiang up`.",
)
def command(up: Path | None) -> None:
    """Print lines that a shell runs: eval "$(qianjiang operator)".

    They set the addresses and the key file of the city that is up. Its secrets are throw-away ones.
    """
    file = up or data_folder("up") / upfile.NAME
    city = upfile.read(file)
    if city.operator is None:
        raise upfile.NotUp(f"{file} says nothing for operators; run `make up` again")
    for name, value in city.operator.environment.items():
        click.echo(f"export {name}={shlex.quote(value)}")
