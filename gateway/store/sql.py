"""Named queries from the `.sql` file beside the module that runs them.

A file holds blocks that each begin with `-- name: some_name`. Keeping SQL in files of its own
lets an auditor read all of it in one folder, and lets a test PREPARE every statement against the
migrated schema.
"""

from __future__ import annotations

import re
from importlib import resources
from types import SimpleNamespace

_NAME = re.compile(r"^-- name: ([a-z][a-z0-9_]*)\s*$", re.MULTILINE)


def queries(noun: str) -> SimpleNamespace:
    """The statements of `gateway/store/<noun>.sql`, one attribute per name.

    Raises:
        ValueError: the file names one statement twice, or none.
    """
    return SimpleNamespace(**read_queries(noun))


def read_queries(noun: str) -> dict[str, str]:
    """Name → statement text, in the file's order."""
    text = resources.files("gateway.store").joinpath(f"{noun}.sql").read_text("utf-8")
    pieces = _NAME.split(text)[1:]
    names, bodies = pieces[::2], pieces[1::2]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"{noun}.sql needs unique `-- name:` blocks")
    return {name: body.strip() for name, body in zip(names, bodies, strict=True)}


def nouns() -> list[str]:
    """Every `.sql` file of the store, for the test that prepares them all."""
    files = resources.files("gateway.store").iterdir()
    return sorted(file.name[:-4] for file in files if file.name.endswith(".sql"))
