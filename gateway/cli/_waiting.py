"""Waiting for what the region's list will say: `qianjiang worker` fetches it every ten seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

#: Seconds between two looks, and the longest wait that may be asked for.
_EVERY_S: Final = 0.5
_LONGEST_S: Final = 600
#: What the database was told, every worker of the gateway knows after a second.
_TICK_S: Final = 1.5


def wait_option(command: F) -> F:
    """`--wait SECONDS`."""
    return click.option(
        "--wait",
        type=click.FloatRange(0, _LONGEST_S),
        default=0.0,
        metavar="SECONDS",
        help="How long to wait for the region's list to say so; it is fetched every ten seconds.",
    )(command)


def patiently(seconds: float, what: str, is_so: Callable[[], bool]) -> None:
    """Wait until it is so, or the time is over; what follows then says what is missing."""
    deadline = time.monotonic() + seconds
    if not seconds or is_so():
        return
    click.echo(f"waiting for {what}: {seconds:g} s at most", err=True)
    while time.monotonic() < deadline and not is_so():
        time.sleep(_EVERY_S)
    time.sleep(_TICK_S)
