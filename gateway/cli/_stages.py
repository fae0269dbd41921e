"""Saying what a long command is doing: moving on a terminal, a line for each stage elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console


@contextmanager
def stages(console: Console) -> Iterator[Callable[[str], None]]:
    """A function to tell each stage to, in a few words; what follows a colon is its progress."""
    if console.is_terminal:
        with console.status("starting") as status:
            yield status.update
        return
    told: set[str] = set()

    def tell(words: str) -> None:
        stage = words.split(":")[0]
        if stage not in told:
            told.add(stage)
            click.echo(f"… {stage}", err=True)

    yield tell
