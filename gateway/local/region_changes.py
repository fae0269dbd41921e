"""What a new entry would do to the list that is there: whose place it takes, and what goes with it.

Pure. The rules of an entry by itself are in region_rules.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from gateway.jwk import thumbprint
from gateway.local.region_rules import (
    RegionDeclines,
    fault_beside,
    fault_of_keys,
    fault_of_operators,
)
from gateway.recognition.agreements import State, conclude
from gateway.recognition.entry import City
from gateway.recognition.statements import Statements
from gateway.recognition.trust_list import TrustList

#: An agreement that stands so must not come into force by a change of an entry.
_OPEN: Final = (State.IN_FORCE, State.COMING)
#: Agreements that a sentence names.
_NAMES: Final = 8


class Admitted(msgspec.Struct, frozen=True):
    """A city is on the list; `former` keeps the entry whose place it took, and `lost` are the
    agreements that are not in force any more."""

    city: City
    former: Path | None
    lost: tuple[str, ...]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The list around one city: the others, and what was said; `now_us` is µs since the epoch."""

    others: Sequence[City]
    said: Mapping[str, tuple[str, ...]]
    region: str
    now_us: int

    def states(self, city: City) -> dict[str, State]:
        """How each agreement of a city stands if this is its entry."""
        listed = TrustList(
            iss=self.region,
            serial=1,
            issued_us=self.now_us,
            expires_us=self.now_us,
            content=b"",
            cities={each.entry.code: each for each in (city, *self.others)},
            agreements=dict(self.said),
            left_out=(),
        )
        read = Statements(city.entry.code).read(listed)
        concluded = (conclude(name, statements, self.now_us) for name, statements in read.items())
        return {each.id: each.state for each in concluded if each is not None}


def judge(before: City | None, after: City, standing: Standing, *, replace: bool) -> None:
    """Refuse an entry that would harm the list, take another's place unasked, or undo what
    operators ended; `before` is the entry of its code that is there.

    Raises:
        RegionDeclines: the message says why, and what to do.
    """
    code = after.entry.code
    fault = fault_beside(after, standing.others) or fault_of_keys(after)
    if fault := fault or fault_of_operators(after):
        raise RegionDeclines(f"{code}: {fault}")
    if before is not None and not replace and (why := stranger(before, after)):
        going = lost(before, after, standing)
        raise RegionDeclines(
            f"{code} on the list is {before.entry.name.zh} at {before.entry.issuer}, and this "
            f"entry, {after.entry.name.zh}, has {why}. If the code is wrong, make the entry again "
            "with the right one. If it is that city, moved or with everything new, --replace "
            f"puts it there{f'; out of force would be: {_some(going)}' if going else ''}"
        )
    if undone := revived(before, after, standing):
        raise RegionDeclines(
            f"{code}: without who leaves, {_some(undone)} would not be ended or suspended "
            "any more; have two who stay say so first"
        )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more


def revived(before: City | None, after: City, standing: Standing) -> list[str]:
    """The agreements whose end or suspension a new entry would undo, because who said so is not in
    it any more (docs/protocol/recognition.md 3.1)."""
    if before is None:
        return []
    old, new = standing.states(before), standing.states(after)
    return [
        name
        for name, state in sorted(old.items())
        if (state is State.ENDED and new.get(name) is not State.ENDED)
        or (state is State.SUSPENDED and new.get(name) in _OPEN)
    ]


def lost(before: City | None, after: City, standing: Standing) -> tuple[str, ...]:
    """The agreements that a new entry would put out of force, because who signed is not in it."""
    if before is None:
        return ()
    old, new = standing.states(before), standing.states(after)
    return tuple(
        name for name, state in sorted(old.items()) if state in _OPEN and new.get(name) is not state
    )


def stranger(before: City | None, after: City) -> str | None:
    """Why a new entry may be another city's, though it has the code of one on the list."""
    if before is None:
        return None
    if before.entry.issuer != after.entry.issuer:
        return f"another issuer, {after.entry.issuer}"
    if not _prints(before) & _prints(after):
        return "other keys and other operators, and none in common"
    return None


def _prints(city: City) -> set[str]:
    keys = *city.keys.values(), *city.operators.values()
    return {thumbprint(key.public) for key in keys}
