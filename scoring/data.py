"""The dated files of this package: the one place where `scoring` reads anything.

A file named 2026-01-01.toml is in force from that day until the next one begins. Old files stay,
so that a score of the past can be computed again as it was.
"""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TypeVar

import msgspec

from scoring.catalogue import BadData, Catalogue, CatalogueFile, compile_catalogue
from scoring.model import Model, ModelFile, compile_model

_ROOT = files("scoring")


class NothingInForce(LookupError):
    """No dated file of this kind was in force yet on the day asked for."""


def load_catalogue(as_of: date) -> Catalogue:
    """The catalogue in force on `as_of`.

    Raises:
        NothingInForce: the first catalogue begins later.
        BadData: the file is not a valid catalogue.
    """
    return compile_catalogue(newest(_ROOT / "catalogues", as_of, CatalogueFile))


def load_model(as_of: date) -> Model:
    """The model in force on `as_of`, joined to the catalogue in force on that day.

    Raises:
        NothingInForce: the first model or catalogue begins later.
        BadData: the two files are invalid or do not fit together.
    """
    return compile_model(newest(_ROOT / "models", as_of, ModelFile), load_catalogue(as_of))


_File = TypeVar("_File", CatalogueFile, ModelFile)


def newest(folder: Traversable, as_of: date, kind: type[_File]) -> _File:
    """The file of `folder` in force on `as_of`, not yet checked against its partner.

    Raises:
        NothingInForce: the first file begins later.
        BadData: a file is not named after its day, or is not of this kind.
    """
    dated = {_day(path.name): path for path in folder.iterdir() if path.name.endswith(".toml")}
    since = max((day for day in dated if day <= as_of), default=None)
    if since is None:
        raise NothingInForce(f"no file of {folder.name} is in force on {as_of}")
    try:
        file = msgspec.toml.decode(dated[since].read_bytes(), type=kind)
    except ValueError as error:  # of TOML, of UTF-8 or of the schema
        raise BadData(f"{folder.name}/{since}.toml: {error}") from error
    if file.since != since:
        raise BadData(f"{folder.name}/{since}.toml says that it begins on {file.since}")
    return file


def _day(name: str) -> date:
    try:
        return date.fromisoformat(name.removesuffix(".toml"))
    except ValueError as error:
        raise BadData(f"{name} is not named after the day on which it begins") from error
