"""The dated files of this package: the one place where `scoring` reads anything.

A file named 2026-01-01.toml is in force from that day until the next one begins. Old files stay,
so that a score of the past can be computed again as it was.
"""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from typing import TypeVar

import msgspec

from scoring.catalogue import BadData, Catalogue, CatalogueFile, compile_catalogue
from scoring.model import Model, ModelFile, compile_model


class NothingInForce(LookupError):
    """No dated file of this kind was in force yet on the day asked for."""


def load_catalogue(as_of: date) -> Catalogue:
    """The catalogue in force on `as_of`.

    Raises:
        NothingInForce: the first catalogue begins later.
        BadData: the file is not a valid catalogue.
    """
    return compile_catalogue(_newest("catalogues", as_of, CatalogueFile))


def load_model(as_of: date) -> Model:
    """The model in force on `as_of`, joined to the catalogue in force on that day.

    Raises:
        NothingInForce: the first model or catalogue begins later.
        BadData: the two files are invalid or do not fit together.
    """
    return compile_model(_newest("models", as_of, ModelFile), load_catalogue(as_of))


_File = TypeVar("_File", CatalogueFile, ModelFile)


def _newest(folder: str, as_of: date, kind: type[_File]) -> _File:
    dated = {
        date.fromisoformat(path.name.removesuffix(".toml")): path
        for path in files("scoring").joinpath(folder).iterdir()
        if path.name.endswith(".toml")
    }
    since = max((day for day in dated if day <= as_of), default=None)
    if since is None:
        raise NothingInForce(f"no file of {folder} is in force on {as_of}")
    try:
        file = msgspec.toml.decode(dated[since].read_bytes(), type=kind)
    except (msgspec.DecodeError, ValueError) as error:
        raise BadData(f"{folder}/{since}.toml: {error}") from error
    if file.since != since:
        raise BadData(f"{folder}/{since}.toml says that it begins on {file.since}")
    return file
