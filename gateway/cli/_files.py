"""Small files that people name on the command line: read whole, and never more than is sensible."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

#: Bytes of the largest of them: an entry, a statement, a key, a draft, a scheme.
LIMIT: Final = 256 * 1024

#: An option or argument that names one.
FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


def small(path: Path) -> bytes:
    """What is in a file.

    Raises:
        ClickException: it is empty, or larger than any of these is; the message names it.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        raw = file.read(LIMIT + 1)
    if not raw.strip():
        raise click.ClickException(f"{path} is empty: the command that was to write it failed")
    if len(raw) > LIMIT:
        raise click.ClickException(f"{path} is larger than {LIMIT // 1024} KiB: not such a file")
    return raw


def one_line(path: Path) -> str:
    """What is in a file of one line of ASCII; what is not becomes U+FFFD."""
    return small(path).decode("ascii", "replace").strip()
