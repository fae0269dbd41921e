"""Small files that people name on the command line: read whole, and never more than is sensible."""

from __future__ import annotations

import errno
import re
from pathlib import Path
from typing import Final

import click

from gateway.small_file import LIMIT, read_small

_JWS: Final = re.compile(rb"ey[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)

#: An option or argument that names one.
FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


def small(path: Path) -> bytes:
    """What is in a file.

    Raises:
        ClickException: it is empty, or larger than any of these is; the message names it.
        OSError: it cannot be read.
    """
    try:
        raw = read_small(path)
    except OSError as fault:
        if fault.errno != errno.EFBIG:
            raise
        raise click.ClickException(
            f"{path} is larger than {LIMIT // 1024} KiB: not such a file"
        ) from None
    if not raw.strip():
        raise click.ClickException(f"{path} is empty: the command that was to write it failed")
    return raw


def one_line(path: Path) -> str:
    """What is in a file of one line of ASCII; what is not becomes U+FFFD."""
    return small(path).decode("ascii", "replace").strip()


def looks_like_jws(raw: bytes) -> bool:
    """Whether a file holds a compact JWS (RFC 7515 7.1), and so no JSON."""
    return _JWS.fullmatch(raw.strip()) is not None
