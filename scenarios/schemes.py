"""Recognition schemes: which tier of one city is which band in another, as a published table.

Cities measure differently, so what passes between them is a tier. A scheme says for each city which
of its own bands are which tier, for each scenario which tier it needs, and what follows from a tier
where the benefit is money. Pure: the table comes in as text, and everything else is arithmetic.

A city vouches for the lowest tier that the wanted scenarios need (`needed`), never for its
citizen's own; the other city puts the visitor at the lowest of its bands in that tier (`band_of`).
So no chain of cities can raise anybody: `tier_of(b, band_of(b, tier)) == tier`.

A scheme of a number never changes. A change is a new version with a later date, and what was
granted under a version keeps it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from itertools import pairwise
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from scenarios.manifest import Name, Safe, Text, Words
from scenarios.problem import Finding, Path, Problem, misshapen, not_toml, place
from scenarios.units import BANDS

#: A whole table of four hundred cities is smaller than that.
TEXT_MAX_BYTES = 256 * 1024

SchemeId = Annotated[str, Meta(pattern=r"\A[a-z][a-z0-9-]{2,63}\Z")]
Version = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Tier = Annotated[str, Meta(pattern=r"\A[A-Z][A-Z0-9]{0,7}\Z")]
City = Annotated[str, Meta(pattern=r"\A[1-9][0-9]{5}\Z")]  # GB/T 2260
#: A city numbers its own bands from 1 up, a better one higher; 0 is no score.
Band = Annotated[int, Meta(ge=1, le=100)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a scheme; an unknown key is a fault."""


class _Figure(_Part, frozen=True, kw_only=True):
    """Something with numbers: where they come from, and whether they are invented (示例)."""

    source: Words
    illustrative: bool = False


class Need(_Figure, frozen=True):
    """The tier that a scenario needs."""

    tier: Tier


class Limit(_Figure, frozen=True):
    """What may be used of a scenario's benefit at the same time, in fen, by tier."""

    fen: dict[Tier, Safe]


class Scale(_Figure, frozen=True):
    """A city's own bands by tier: from the first on, and below the second (closed-open)."""

    bands: dict[Tier, tuple[Band, Band]]


class Scheme(_Part, frozen=True, kw_only=True):
    """A version of a scheme, in force from the start of a day in Asia/Shanghai on."""

    id: SchemeId
    version: Version
    start: date = msgspec.field(name="from")
    title: Text
    tiers: Annotated[tuple[Tier, ...], Meta(min_length=1, max_length=9)]  # ascending
    needs: Annotated[dict[Name, Need], Meta(min_length=1, max_length=56)]
    cities: Annotated[dict[City, Scale], Meta(min_length=2, max_length=400)]
    limits: Annotated[dict[Name, Limit], Meta(max_length=56)] = {}

    def is_valid_on(self, day: date) -> bool:
        """Whether it may be used for what is granted on a day (Asia/Shanghai)."""
        return self.start <= day

    def tier_of(self, city: str, band: int) -> str | None:
        """The tier of a city's band; None where the table names none for it.

        Raises `KeyError` for a city that is not in the table.
        """
        for tier, (least, beyond) in self.cities[city].bands.items():
            if least <= band < beyond:
                return tier
        return None

    def band_of(self, city: str, tier: str) -> int:
        """The lowest band of a city in a tier: where a visitor stands there.

        Raises `KeyError` for a city or a tier that is not in the table.
        """
        return self.cities[city].bands[tier][0]

    def reaches(self, tier: str | None, needed: str) -> bool:
        """Whether a tier, or none, is at least the one that is needed.

        Raises `ValueError` for a tier that is not in the table.
        """
        return tier is not None and self.tiers.index(tier) >= self.tiers.index(needed)

    def open_to(self, tier: str | None, wanted: Iterable[str]) -> tuple[str, ...]:
        """Those of the wanted scenarios that the table knows and the tier suffices for, in order
        and each once."""
        return tuple(
            scenario
            for scenario in dict.fromkeys(wanted)
            if scenario in self.needs and self.reaches(tier, self.needs[scenario].tier)
        )

    def needed(self, scenarios: Collection[str]) -> str:
        """The lowest tier that suffices for every one of these scenarios.

        Raises `KeyError` for a scenario that is not in the table, `ValueError` where there is none.
        """
        return max((self.needs[each].tier for each in scenarios), key=self.tiers.index)

    def limit(self, scenario: str, tier: str) -> int | None:
        """What of a scenario may be used at the same time (fen); None where it is not money.

        Raises `KeyError` for a tier that is not in the table.
        """
        limit = self.limits.get(scenario)
        return None if limit is None else limit.fen[tier]

    def public(self) -> dict[str, Any]:
        """The whole table, as anybody may read it: plain values, in the words of its text."""
        document: dict[str, Any] = msgspec.to_builtins(self)
        return document


class SchemeError(Exception):
    """A text does not spell a scheme; `problems` lists every fault found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


def parse_scheme(raw: bytes, file: str) -> Scheme:
    """The scheme that a TOML text spells; `file` is how its problems name it.

    Raises `SchemeError`, which names file, line, field and remedy of everything found.
    """
    text = _text(raw, file)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SchemeError([not_toml(error, file, text)]) from error
    try:
        scheme = msgspec.convert(document, Scheme)
    except msgspec.ValidationError as error:
        found = _ill_formed(document, error)
        raise SchemeError(place(finding, file, text) for finding in found) from None
    problems = [place(finding, file, text) for finding in _findings(scheme)]
    if problems:
        raise SchemeError(problems)
    return scheme


def in_force(versions: Iterable[Scheme], day: date) -> Scheme | None:
    """The newest version, of one scheme, that is in force on a day (Asia/Shanghai)."""
    valid = [scheme for scheme in versions if scheme.is_valid_on(day)]
    return max(valid, key=lambda scheme: scheme.version, default=None)


def follows(scheme: Scheme, former: Scheme) -> bool:
    """Whether a version may come after a former one of the same scheme: it begins later."""
    return scheme.version > former.version and scheme.start > former.start


def beyond_own_bands(scheme: Scheme, city: str) -> list[str]:
    """Tiers that the table maps to bands which a city of this gateway does not have.

    Empty where the city is not in the table: it then recognises nobody by it.
    """
    scale = scheme.cities.get(city)
    return [] if scale is None else [t for t, (at, _) in scale.bands.items() if at not in BANDS]


def _text(raw: bytes, file: str) -> str:
    if len(raw) > TEXT_MAX_BYTES:
        fault = Problem(
            *(file, 1, "(file)", f"This is longer than {TEXT_MAX_BYTES} bytes."),
            "Leave out what is no part of the table.",
        )
        raise SchemeError([fault])
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        fault = Problem(file, 1, "(file)", "This is not UTF-8.", "Save it as UTF-8.")
        raise SchemeError([fault]) from error


#: The tables that have an entry for each scenario or city.
_TABLES = {"needs": dict[Name, Need], "limits": dict[Name, Limit], "cities": dict[City, Scale]}
_COMPARE = "Compare with the key's meaning in scenarios/schemes.py."


def _ill_formed(document: dict[str, Any], error: msgspec.ValidationError) -> Iterator[Finding]:
    """The faults of form, entry by entry, or else the whole document's first: of a table's
    entries the library does not say which one it means."""
    found = False
    for table, kind in _TABLES.items():
        entries = document.get(table)
        for key, entry in entries.items() if isinstance(entries, dict) else ():
            try:
                msgspec.convert({key: entry}, kind)
            except msgspec.ValidationError as fault:
                found, inner = True, misshapen(fault, _COMPARE)
                yield Finding((table, key, *inner.path), inner.message, inner.remedy)
    if not found:
        yield misshapen(error, _COMPARE)


def _findings(scheme: Scheme) -> Iterator[Finding]:
    """What is wrong with a table whose every part is well formed."""
    if len(set(scheme.tiers)) < len(scheme.tiers):
        yield Finding(("tiers",), "A tier is named twice.", "Name each tier once, lowest first.")
        return
    for scenario, need in scheme.needs.items():
        if need.tier not in scheme.tiers:
            yield _unknown(("needs", scenario, "tier"), need.tier, scheme)
    for scenario, limit in scheme.limits.items():
        path: Path = ("limits", scenario)
        if scenario not in scheme.needs:
            yield Finding(
                path, f"No tier is needed for `{scenario}`.", "Add it under [needs], or drop it."
            )
        yield from _limit_findings((*path, "fen"), limit, scheme)
    for city, scale in scheme.cities.items():
        yield from _scale_findings(("cities", city, "bands"), scale, scheme)


def _limit_findings(path: Path, limit: Limit, scheme: Scheme) -> Iterator[Finding]:
    if found := list(_not_every_tier(path, limit.fen, scheme)):
        yield from found
    elif any(limit.fen[lower] > limit.fen[higher] for lower, higher in pairwise(scheme.tiers)):
        yield Finding(
            path, "A higher tier has a lower limit.", "Let limits stay or grow from tier to tier."
        )


def _scale_findings(path: Path, scale: Scale, scheme: Scheme) -> Iterator[Finding]:
    if found := list(_not_every_tier(path, scale.bands, scheme)):
        yield from found
        return
    for tier in scheme.tiers:
        least, beyond = scale.bands[tier]
        if least >= beyond:
            yield Finding(
                path, f"`{tier}` ends before it begins.", "Write the first band, then one past it."
            )
    for lower, higher in pairwise(scheme.tiers):
        if scale.bands[lower][1] != scale.bands[higher][0]:
            yield Finding(
                path,
                f"`{higher}` does not begin where `{lower}` ends.",
                "Let each tier begin with the band at which the one below it ends.",
            )


def _not_every_tier(path: Path, by_tier: Collection[str], scheme: Scheme) -> Iterator[Finding]:
    for tier in scheme.tiers:
        if tier not in by_tier:
            yield Finding(path, f"`{tier}` is missing.", "Give a value for every tier.")
    for tier in by_tier:
        if tier not in scheme.tiers:
            yield _unknown(path, tier, scheme)


def _unknown(path: Path, tier: str, scheme: Scheme) -> Finding:
    return Finding(path, f"There is no tier `{tier}`.", f"Use one of: {', '.join(scheme.tiers)}.")
