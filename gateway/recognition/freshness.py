"""Whether the word of visitors' home cities is fresh: a worker's guess, made from its commits.

A city answers for its citizens abroad only as long as its list of revocations is known to be new.
Which lists are new is in PostgreSQL, and the statement that records a visitor's answer requires
that what the answer assumed is so at its own clock. A wrong guess costs a second try and no more.
"""

from __future__ import annotations


class Freshness:
    """What the commits last said of each city; one instance per worker. At most one number for
    each city of the region's list is kept."""

    def __init__(self) -> None:
        self._stale: set[int] = set()

    def guess(self, issuer: int | None) -> bool | None:
        """Whether to take the word of a city (by its number) for fresh; None where a citizen of
        this city is asked about, who stands on nobody's word."""
        return None if issuer is None else issuer not in self._stale

    def learn(self, issuer: int | None, *, assumed: bool | None) -> None:
        """A commit says that what was assumed of a city is not so."""
        if issuer is None or assumed is None:
            return
        if assumed:
            self._stale.add(issuer)
        else:
            self._stale.discard(issuer)
