"""The docstring of `scoring` is a map, and the map is true."""

from __future__ import annotations

import re
from importlib.resources import files

import scoring


def test_the_map_names_every_file_once_and_no_other() -> None:
    named = re.findall(r"^- `(\w+)`", scoring.__doc__ or "", re.MULTILINE)
    present = {
        path.name.removesuffix(".py")
        for path in files("scoring").iterdir()
        if path.name.endswith(".py") and path.name != "__init__.py"
    }
    assert sorted(named) == sorted(present)


def test_every_public_name_exists() -> None:
    assert all(hasattr(scoring, name) for name in scoring.__all__)
