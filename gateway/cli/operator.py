"""`qianjiang operator`: what operators' commands need for the city of `qianjiang up`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from gateway.cli._which import up_options
from gateway.local import upfile


@click.command()
@up_options
def command(up: Path) -> None:
    """Print lines that a shell runs: eval "$(qianjiang operator)".

    They set the addresses and the key file of the city that is up. Its secrets are throw-away ones.
    """
    city = upfile.read(up)
    if city.operator is None:
        raise upfile.NotUp(f"{up} says nothing for operators; run `make up` again")
    for name, value in city.operator.environment.items():
        click.echo(f"export {name}={shlex.quote(value)}")
