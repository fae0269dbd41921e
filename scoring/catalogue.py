"""The catalogue: which records of which department may become scoring facts at all.

What enters is by list, and nothing is added (浙江省公共信用信息管理条例; 国办发〔2020〕49号). A
list is a dated file in `catalogues/`; a file that lists a forbidden thing does not load.
"""

from __future__ import annotations

import enum
from datetime import date

import msgspec

from scoring.facts import Dimension, Merit, Sphere
from scoring.rules import forbidden
from scoring.words import Words


class BadData(ValueError):
    """A dated file of the package contradicts itself, its partner file or the law."""


class Polarity(enum.StrEnum):
    """Whether a record speaks for the person or against."""

    POSITIVE = "positive"
    NEGATIVE = "negative"


class Counts(enum.StrEnum):
    """Whether every record counts, or only the newest, which restates the earlier ones."""

    EACH = "each"
    LATEST = "latest"


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One code of a closed list of values."""

    code: str
    zh: str
    en: str


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One admitted pair of department and code.

    Its value is a whole number in `least..most`, or one of `levels`, listed from worst to best.
    More is better where the record is positive, worse where it is negative.
    """

    department: str
    code: str
    category: str
    dimension: Dimension
    polarity: Polarity
    sphere: Sphere
    zh: str
    en: str
    least: int = 0
    most: int | None = None
    levels: tuple[Level, ...] = ()
    counts: Counts = Counts.EACH
    merit: Merit | None = None

    @property
    def negative(self) -> bool:
        """True where the record speaks against the person."""
        return self.polarity is Polarity.NEGATIVE

    def admits(self, value: int | str) -> bool:
        """Whether `value` is in the declared range or list."""
        if isinstance(value, str):
            return any(level.code == value for level in self.levels)
        return self.most is not None and self.least <= value <= self.most


class CatalogueFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shape of one file of `catalogues/`."""

    since: date
    illustrative: bool
    title: Words
    source: str
    departments: dict[str, Words]
    entries: tuple[Entry, ...]


class Catalogue(msgspec.Struct, frozen=True):
    """A checked catalogue, in force from `since` on."""

    since: date
    illustrative: bool
    departments: dict[str, Words]
    entries: dict[tuple[str, str], Entry]


def compile_catalogue(file: CatalogueFile) -> Catalogue:
    """Check a catalogue file and index it.

    Raises:
        BadData: an entry is doubled, of no listed department, forbidden, or contradicts itself.
    """
    entries: dict[tuple[str, str], Entry] = {}
    for entry in file.entries:
        key = (entry.department, entry.code)
        if key in entries:
            raise BadData(f"{entry.department}.{entry.code} is listed twice")
        if entry.department not in file.departments:
            raise BadData(f"{entry.department} is not among the departments")
        _check_entry(entry)
        entries[key] = entry
    return Catalogue(file.since, file.illustrative, file.departments, entries)


def _check_entry(entry: Entry) -> None:
    name = f"{entry.department}.{entry.code}"
    for text in (entry.department, entry.code, entry.category, entry.zh, entry.en):
        if (row := forbidden(text)) is not None:
            raise BadData(f"{name} is {row.category}: {row.rule}")
    if bool(entry.levels) == (entry.most is not None):
        raise BadData(f"{name} needs either a range or levels")
    if entry.most is not None and not 0 <= entry.least <= entry.most:
        raise BadData(f"{name} has no sensible range")
    if len({level.code for level in entry.levels}) != len(entry.levels):
        raise BadData(f"{name} lists a level twice")
    # A newer, milder record would otherwise hide an older one: a negative fact could raise a score.
    if entry.negative and entry.counts is Counts.LATEST:
        raise BadData(f"{name} is negative: each record counts until it ends")
    # Leaving out is for merits alone.
    if entry.negative and entry.merit is not None:
        raise BadData(f"{name} is negative and cannot be a merit")
