"""What each party may search, made ready: places by recipient, and scenarios that are live."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, TypeVar

import msgspec

from gateway.parties import Principal
from gateway.policies import Policies
from scenarios.sheet import Sheet
from scenarios.sieve import Sieve

#: Places and sets of scenarios that are kept ready; the oldest goes first.
PREPARED_MAX = 256

T = TypeVar("T")


class Place(msgspec.Struct, frozen=True):
    """What a party may search on behalf of one recipient: the sector under which subjects open,
    and the scenarios that it is registered and holds a token for, in order."""

    sector: int
    scenarios: tuple[str, ...]


class Prepared(msgspec.Struct, frozen=True):
    """The scenarios of a place that are live, in order: names, and numbers of their policies."""

    sieve: Sieve
    names: tuple[str, ...]
    policies: tuple[int, ...]
    known: frozenset[str]
    reads: tuple[str, ...]
    stocked: tuple[int, ...]  # those that read the stock of a shelf

    @staticmethod
    def of(sieve: Sieve, names: tuple[str, ...], policies: tuple[int, ...]) -> Prepared:
        """These scenarios, with what follows from them."""
        return Prepared(
            sieve=sieve,
            names=names,
            policies=policies,
            known=frozenset(names),
            # A commitment is seen for each scenario apart.
            reads=tuple(sorted(sieve.reads - {"commitment"})),
            stocked=tuple(
                place for place, each in enumerate(sieve.scenarios) if "stock" in each.reads
            ),
        )

    def shelf(self, sheet: Sheet) -> tuple[str, str] | None:
        """The community and item whose stock is read; facts of one name have one value."""
        for place in self.stocked:
            if sheet.complete >> place & 1:
                return sheet.each[place].community, sheet.each[place].item
        return None


class Places:
    """The places of all parties, each made ready when it is first searched."""

    def __init__(self, policies: Policies) -> None:
        self._policies, self._numbers = policies, policies.numbers
        self._places: dict[tuple[int, int, frozenset[str]], tuple[Place, ...]] = {}
        self._sieves: dict[tuple[str, ...], Sieve] = {}
        self._prepared: dict[Place, Prepared] = {}

    def of(self, principal: Principal) -> tuple[Place, ...]:
        """Where a party may search, by sector; a subject opens in one of them at most."""
        row = principal.party.row
        key = row.num, row.revision, principal.scopes
        found = self._places.get(key)
        return _remember(self._places, key, _places(principal)) if found is None else found

    def prepared(self, place: Place) -> Prepared:
        """The scenarios of a place whose rule of this worker is in the live set now."""
        if self._numbers is not self._policies.numbers:
            self._numbers = self._policies.numbers
            self._prepared.clear()
        found = self._prepared.get(place)
        if found is None:
            names = tuple(name for name in place.scenarios if name in self._numbers)
            numbers = tuple(self._numbers[name] for name in names)
            found = Prepared.of(self._sieve(names), names, numbers)
            _remember(self._prepared, place, found)
        return found

    def _sieve(self, names: tuple[str, ...]) -> Sieve:
        found = self._sieves.get(names)
        if found is None:
            registry = self._policies.registry
            found = _remember(self._sieves, names, Sieve([registry[name] for name in names]))
        return found


def _places(principal: Principal) -> tuple[Place, ...]:
    by_sector: dict[int, list[str]] = {}
    for name, registration in sorted(principal.party.registrations.items()):
        if f"scenario:{name}" in principal.scopes:
            by_sector.setdefault(registration.view.sector, []).append(name)
    return tuple(Place(sector, tuple(names)) for sector, names in by_sector.items())


def _remember(kept: dict[Any, T], key: Hashable, made: T) -> T:
    """Keep what was made, and drop the oldest where there is too much."""
    if len(kept) >= PREPARED_MAX:
        del kept[next(iter(kept))]
    kept[key] = made
    return made
