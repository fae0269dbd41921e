"""Which running city a command means: the option of commands that read an `up.json`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gateway.local import upfile
from gateway.local.atlas import HANGZHOU, demo_city
from gateway.local.company import UP
from gateway.local.running import data_folder


def _file(code: str) -> Path:
    """The up.json of a city that is up.

    Raises:
        NotUp: it is not; the message says which cities are.
    """
    file = data_folder(UP, demo_city(code)) / upfile.NAME
    if file.exists():
        return file
    others = sorted(file.parent.parent.glob(f"{UP}*/{upfile.NAME}"))
    if others:
        known = [each.operator.city for each in map(upfile.read, others) if each.operator]
        raise upfile.NotUp(f"no city {code} is up; there are: {', '.join(sorted(known))} (--city)")
    raise upfile.NotUp(f"no city is up ({file} is missing); run `make up` or `make cities` first")


def up_options(act: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--city` and `--up`, and call it with `up`, the path of the file."""

    def found(**given: Any) -> Any:
        file, city = given.pop("up"), given.pop("city")
        return act(**given, up=file or _file(city))

    found.__doc__ = act.__doc__
    named = click.option(
        "--city", default=HANGZHOU.code, show_default=True, help="Which one that is up."
    )
    path = click.option(
        "--up",
        type=click.Path(path_type=Path),
        help="The up.json of the city; by default that of `qianjiang up`.",
    )
    return path(named(found))
