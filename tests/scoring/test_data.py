"""The dated files: valid, dated, marked illustrative, and closed to what the law forbids."""

from __future__ import annotations

from datetime import date, timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec
import pytest

from scoring import BadData, Dimension, Merit, NothingInForce, load_catalogue, load_model
from scoring.catalogue import CatalogueFile, Counts, Entry, Level, Polarity, compile_catalogue
from scoring.data import newest
from scoring.facts import Sphere
from scoring.words import Words

FIRST = date(2026, 1, 1)
FILES = [
    path
    for folder in ("catalogues", "models")
    for path in files("scoring").joinpath(folder).iterdir()
    if path.name.endswith(".toml")
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_data_file_is_dated_and_says_that_it_is_illustrative(path: Traversable) -> None:
    name = path.name
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# 示例 ILLUSTRATIVE")
    since = date.fromisoformat(name.removesuffix(".toml"))
    assert load_model(since).illustrative
    assert load_catalogue(since).illustrative


def test_the_newest_file_not_later_than_the_day_is_in_force() -> None:
    assert load_model(FIRST).since == load_catalogue(FIRST).since == FIRST
    assert load_model(date(2026, 12, 31)).since <= date(2026, 12, 31)


@pytest.mark.parametrize("load", [load_model, load_catalogue])
def test_before_the_first_file_nothing_is_in_force(load: object) -> None:
    assert callable(load)
    with pytest.raises(NothingInForce):
        load(FIRST - timedelta(days=1))


def copy_of_the_first_catalogue(folder: Path, name: str, old: str = "", new: str = "") -> None:
    """Put the shipped catalogue into `folder` under another name, with one change."""
    text = files("scoring").joinpath("catalogues", f"{FIRST}.toml").read_text(encoding="utf-8")
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")


def test_each_file_is_in_force_until_the_next_begins(tmp_path: Path) -> None:
    for day in ("2026-01-01", "2026-07-01"):
        copy_of_the_first_catalogue(tmp_path, f"{day}.toml", "since = 2026-01-01", f"since = {day}")
    in_force = {
        day: newest(tmp_path, date.fromisoformat(day), CatalogueFile).since.isoformat()
        for day in ("2026-01-01", "2026-06-30", "2026-07-01", "2030-01-01")
    }
    assert list(in_force.values()) == ["2026-01-01", "2026-01-01", "2026-07-01", "2026-07-01"]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("2026-01-02.toml", "", ""),
        ("first.toml", "", ""),
        ("2026-01-01.toml", "illustrative = true", "illustrative = 'yes'"),
        ("2026-01-01.toml", "since = 2026-01-01", "since = "),
        ("2026-01-01.toml", "most = 24", "most = 24.5"),
    ],
)
def test_a_file_that_is_misnamed_or_malformed_does_not_load(
    tmp_path: Path, name: str, old: str, new: str
) -> None:
    copy_of_the_first_catalogue(tmp_path, name, old, new)
    with pytest.raises(BadData):
        newest(tmp_path, date(2026, 2, 1), CatalogueFile)


def test_the_catalogue_covers_the_five_dimensions_both_spheres_and_every_merit() -> None:
    entries = load_catalogue(FIRST).entries.values()
    assert {entry.dimension for entry in entries} == set(Dimension)
    assert {entry.sphere for entry in entries} == set(Sphere)
    assert {entry.merit for entry in entries} - {None} == set(Merit)
    assert all(entry.zh and entry.en for entry in entries)


ENTRY = Entry(
    department="parks",
    code="visits",
    category="visits",
    dimension=Dimension.LIFE,
    polarity=Polarity.POSITIVE,
    sphere=Sphere.PUBLIC,
    zh="次数",
    en="Visits",
    most=9,
)


def catalogue_file(*entries: Entry) -> CatalogueFile:
    """A catalogue of `entries` and one department."""
    return CatalogueFile(
        since=FIRST,
        illustrative=True,
        title=Words("示例", "illustrative"),
        source="invented",
        departments={"parks": Words("公园（示例）", "parks (illustrative)")},
        entries=entries,
    )


def test_the_small_catalogue_is_valid() -> None:
    assert compile_catalogue(catalogue_file(ENTRY)).entries["parks", "visits"] is ENTRY


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "religion"},
        {"category": "hukou"},
        {"zh": "血型"},
        {"en": "Income a month"},
        {"department": "nobody"},
        {"most": None},
        {"levels": (Level("a", "甲", "a"),)},
        {"most": None, "levels": (Level("a", "甲", "a"), Level("a", "乙", "b"))},
        {"least": 10},
        {"least": -1},
        {"polarity": Polarity.NEGATIVE, "counts": Counts.LATEST},
        {"polarity": Polarity.NEGATIVE, "merit": Merit.HONOUR},
    ],
)
def test_a_catalogue_that_lists_what_may_not_enter_does_not_load(
    changes: dict[str, object],
) -> None:
    with pytest.raises(BadData):
        compile_catalogue(catalogue_file(msgspec.structs.replace(ENTRY, **changes)))


def test_an_entry_is_listed_once() -> None:
    with pytest.raises(BadData, match="twice"):
        compile_catalogue(catalogue_file(ENTRY, ENTRY))


def test_unknown_keys_of_a_data_file_are_refused() -> None:
    text = files("scoring").joinpath("catalogues", "2026-01-01.toml").read_bytes()
    with pytest.raises(msgspec.ValidationError, match="weight"):
        msgspec.toml.decode(b"weight = 1\n" + text, type=CatalogueFile)
