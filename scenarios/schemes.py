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

from collections.abc import Collection, Iterable
from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from scenarios.manifest import Name, Safe, Text, Words
from scenarios.units import BANDS

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
    """How much of deposits a scenario may waive at the same time, in fen, by tier."""

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
        """What a scenario may waive at the same time (fen); None where it waives no deposits.

        Raises `KeyError` for a tier that is not in the table.
        """
        limit = self.limits.get(scenario)
        return None if limit is None else limit.fen[tier]

    def deposits(self, scenarios: Iterable[str], tier: str) -> int:
        """The limit on deposits that comes with a tier for these scenarios together (fen). Home
        keeps as much free as the other city allows, both by this table.

        Raises `KeyError` for a tier that is not in the table.
        """
        return sum(self.limit(each, tier) or 0 for each in scenarios)

    def public(self) -> dict[str, Any]:
        """The whole table, as anybody may read it: plain values, in the words of its text."""
        document: dict[str, Any] = msgspec.to_builtins(self)
        return document


def in_force(versions: Iterable[Scheme], day: date) -> Scheme | None:
    """The newest version, of one scheme, that is in force on a day (Asia/Shanghai)."""
    valid = [scheme for scheme in versions if scheme.is_valid_on(day)]
    return max(valid, key=lambda scheme: scheme.version, default=None)


def beyond_own_bands(scheme: Scheme, city: str) -> list[str]:
    """Tiers that the table maps to bands which a city of this gateway does not have.

    Empty where the city is not in the table: it then recognises nobody by it.
    """
    scale = scheme.cities.get(city)
    return [] if scale is None else [t for t, (at, _) in scale.bands.items() if at not in BANDS]
