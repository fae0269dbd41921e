"""Books: what was acknowledged, against the rows there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """Acknowledged writes against rows: `beyond` counts rows whose write was not acknowledged."""

    acknowledged: int
    once: int
    missing: int
    doubled: int
    beyond: int

    @property
    def balanced(self) -> bool:
        """Whether there are acknowledged writes, and every one exists exactly once."""
        return 0 < self.acknowledged == self.once and not self.missing and not self.doubled


def books(acknowledged: Iterable[tuple[str, str]], rows: Iterable[tuple[str, str]]) -> Books:
    """Compare (key, id) of what was acknowledged with (key, id) of all rows there are."""
    held: defaultdict[str, list[str]] = defaultdict(list)
    for key, identifier in rows:
        held[key].append(identifier)
    told = list(acknowledged)
    return Books(
        acknowledged=len(told),
        once=sum(held.get(key, []) == [identifier] for key, identifier in told),
        missing=sum(identifier not in held.get(key, []) for key, identifier in told),
        doubled=sum(len(held.get(key, [])) > 1 for key, _ in told),
        beyond=sum(len(held[key]) for key in held.keys() - {key for key, _ in told}),
    )
