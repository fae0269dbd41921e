"""One party's facts, read once for many scenarios.

Scenarios that give a name one kind (a number, a text, a flag, a time) share one decoded object; the
bounds that each of them declares are compared afterwards, all at once. Where a value has not even
the kind, each scenario decodes by itself, so that it shuts out those alone that declare it so.
A set of scenarios is an integer, one bit for each.
"""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from operator import or_
from typing import Any

import msgspec
from msgspec import UNSET

from scenarios.facts import among_others, fact_fields, kind, whole_text
from scenarios.manifest import FactSpec, Manifest

#: A fact as a scenario declares it, and the scenario's bit.
Declared = tuple[FactSpec, int]

#: Takes a value, returns the scenarios in whose bounds it does not lie.
Misfits = Callable[[Any], int]


class Sheet(msgspec.Struct, frozen=True):
    """A party's facts as each of some scenarios takes them.

    `each` has an object for each scenario, None where a fact is of another kind, and `one` is that
    object where all share it. `complete` are the scenarios whose facts are as declared and that
    need no other. `sent` is a JSON object of the facts that some scenario takes.
    """

    each: Sequence[Any]
    one: Any | None
    complete: int
    sent: bytes


class SheetReader:
    """Reads the facts of some manifests."""

    def __init__(self, manifests: Sequence[Manifest]) -> None:
        self._count = len(manifests)
        self._shared = [_Part(places, manifests, alone=False) for places in _alike(manifests)]
        self._alone = [_Part([place], manifests, alone=True) for place in range(self._count)]

    def read(self, facts: bytes) -> Sheet:
        """The facts in a JSON object, matched to each scenario by name; other members are ignored.

        Raises:
            msgspec.DecodeError: this is not a JSON object.
        """
        each: list[Any] = [None] * self._count
        took: list[dict[str, Any]] = []
        complete = 0
        for part, found in self._parts(facts):
            lacking, misfits = part.faults(found)
            complete |= part.mask & ~lacking & ~misfits
            if part.mask == (1 << self._count) - 1 and not misfits:
                sent = msgspec.json.encode(found, order="sorted")
                return Sheet([found] * self._count, found, complete, sent)
            took.append(part.taken(found, misfits))
            for place in part.places:
                each[place] = found
        merged = {name: value for taken in took for name, value in taken.items()}
        return Sheet(each, None, complete, msgspec.json.encode(merged, order="sorted"))

    def _parts(self, facts: bytes) -> Iterator[tuple[_Part, Any]]:
        for shared in self._shared:
            if (found := shared.read(facts)) is not None:
                yield shared, found
                continue
            for place in shared.places:
                if (found := self._alone[place].read(facts)) is not None:
                    yield self._alone[place], found


class _Part:
    """Some scenarios that share an object of facts, or one that reads its facts alone."""

    def __init__(
        self, places: Sequence[int], manifests: Sequence[Manifest], *, alone: bool
    ) -> None:
        self.places = tuple(places)
        self.mask = sum(1 << place for place in places)
        fields: dict[str, Any] = {}
        declared: dict[str, list[Declared]] = {}
        for place in places:
            fields |= fact_fields(manifests[place]) if alone else _kinds(manifests[place])
            for fact in manifests[place].facts:
                declared.setdefault(fact.name, []).append((fact, 1 << place))
        self._decoder = msgspec.json.Decoder(among_others("Facts", fields))
        self._rows = [
            (name, _bits(facts, optional=False), None if alone else _bounds(facts))
            for name, facts in declared.items()
        ]
        self._declaring = {name: _bits(facts) for name, facts in declared.items()}

    def read(self, facts: bytes) -> Any | None:
        """The object of these facts, or None where one has not the kind."""
        try:
            return self._decoder.decode(facts)
        except msgspec.ValidationError:
            if facts.lstrip()[:1] != b"{":
                raise  # no object at all, which is another fault than a fact's
            return None

    def faults(self, found: Any) -> tuple[int, int]:
        """The scenarios that need what was not sent, and those that declare other bounds."""
        lacking = misfits = 0
        for name, needing, bounds in self._rows:
            value = getattr(found, name)
            if value is UNSET:
                lacking |= needing
            elif bounds is not None:
                misfits |= bounds(value)
        return lacking, misfits

    def taken(self, found: Any, misfits: int) -> dict[str, Any]:
        """The facts that some scenario without a misfit declares."""
        return {
            name: value
            for name, declaring in self._declaring.items()
            if declaring & ~misfits and (value := getattr(found, name)) is not UNSET
        }


def _alike(manifests: Sequence[Manifest]) -> Iterator[Sequence[int]]:
    """Places of manifests that share no name of two kinds; as few groups as one pass finds."""
    groups: list[tuple[list[int], dict[str, Any]]] = []
    for place, manifest in enumerate(manifests):
        own = _kinds(manifest)
        for places, kinds in groups:
            if all(kinds.get(name, each) == each for name, each in own.items()):
                places.append(place)
                kinds.update(own)
                break
        else:
            groups.append(([place], own))
    return (places for places, _ in groups)


def _kinds(manifest: Manifest) -> dict[str, Any]:
    return {fact.name: kind(fact) for fact in manifest.facts}


def _bits(facts: Sequence[Declared], *, optional: bool = True) -> int:
    return sum(bit for fact, bit in facts if optional or not fact.optional)


def _bounds(facts: Sequence[Declared]) -> Misfits | None:
    """The bounds that scenarios declare for facts of one name and kind; None where there are none.

    They are those of `facts_type` (scenarios/facts.py), which a test holds beside them.
    """
    if facts[0][0].unit.is_number:
        return _number_bounds(facts)
    return _text_bounds(facts) if facts[0][0].unit.is_text else None


def _number_bounds(facts: Sequence[Declared]) -> Misfits:
    # The scenarios with a maximum below a value are a run of those in order of their maxima, and
    # what a run adds up to is known beforehand: two searches, however many scenarios.
    highs = sorted((fact.max, bit) for fact, bit in facts if fact.max is not None)
    lows = sorted((fact.min, bit) for fact, bit in facts if fact.min is not None)
    maxima, minima = [bound for bound, _ in highs], [bound for bound, _ in lows]
    below = list(accumulate((bit for _, bit in highs), or_, initial=0))
    above = list(accumulate((bit for _, bit in reversed(lows)), or_, initial=0))[::-1]
    return lambda value: below[bisect_left(maxima, value)] | above[bisect_right(minima, value)]


def _text_bounds(facts: Sequence[Declared]) -> Misfits:
    kinds: dict[tuple[int | None, str | None], int] = {}
    for fact, bit in facts:
        kinds[fact.max_length, fact.pattern] = kinds.get((fact.max_length, fact.pattern), 0) | bit
    rows = [
        (most or sys.maxsize, whole_text(pattern), bits) for (most, pattern), bits in kinds.items()
    ]

    def misfits(text: str) -> int:
        found = 0
        for most, pattern, bits in rows:
            if not 1 <= len(text) <= most or not pattern.search(text):
                found |= bits
        return found

    return misfits
