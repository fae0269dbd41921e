"""Which running city a command means: the option of commands that read an `up.json`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gateway.local import upfile
from gateway.local.atlas import HANGZHOU, demo_city
from gateway.local.running import data_folder


def up_options(act: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--city` and `--up`, and call it with `up`, the path of the file."""

    def found(**given: Any) -> Any:
        file, city = given.pop("up"), given.pop("city")
        folder = data_folder("up", demo_city(city))
        return act(**given, up=file or folder / upfile.NAME)

    found.__doc__ = act.__doc__
    named = click.option("--city", default=HANGZHOU.code, show_default=True, help="Which city.")
    path = click.option(
        "--up",
        type=click.Path(path_type=Path),
        help="The up.json of the city; by default that of `qianjiang up`.",
    )
    return path(named(found))
