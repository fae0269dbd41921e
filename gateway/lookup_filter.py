"""Which lines of "who asked about me" are wanted, from what a person chose."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Final

import msgspec

from gateway.clock import DAY_US, SECOND_US, SHANGHAI, to_us
from gateway.errors import Malformed
from gateway.ids import uuid7_floor
from gateway.store.lookup import KINDS, LineKind, Wanted
from scenarios.contract import Outcome

#: Everything.
EVERYTHING: Final = Wanted()

#: A line's id is made when its question arrives, its time by the statement that commits it: so far
#: the two may lie apart, clocks and all.
APART_US: Final = 60 * SECOND_US


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What a person chose; None is no choice. Days are Asia/Shanghai's, both included."""

    kind: LineKind | None = None
    scenario: str | None = None
    party: str | None = None
    outcome: Outcome | None = None
    first: date | None = None
    last: date | None = None

    def wanted(self) -> Wanted:
        """The lines that fit every choice.

        Raises:
            Malformed: the last day lies before the first.
        """
        if self.first and self.last and self.last < self.first:
            raise Malformed([("", "`to` must not be before `from`")])
        from_us = _midnight(self.first) if self.first else 0
        until_us = _midnight(self.last) + DAY_US if self.last else EVERYTHING.until_us
        return Wanted(
            kinds=self._kinds(),
            floor=uuid7_floor(from_us - APART_US),
            ceiling=uuid7_floor(until_us + APART_US),
            from_us=from_us,
            until_us=until_us,
            scenario=self.scenario,
            party=self.party,
            outcome=self.outcome,
        )

    def _kinds(self) -> tuple[LineKind, ...]:
        """The kinds that have what is asked of them."""
        having: set[LineKind] = set(KINDS) if self.kind is None else {self.kind}
        if self.scenario is not None or self.party is not None:
            having.discard("staff")
        if self.outcome is not None:
            having &= {"question"}
        return tuple(kind for kind in KINDS if kind in having)


def is_sparse(wanted: Wanted) -> bool:
    """Whether lines may be passed over for something that no index knows."""
    return any(each is not None for each in (wanted.scenario, wanted.party, wanted.outcome))


def _midnight(day: date) -> int:
    return to_us(datetime.combine(day, time(), SHANGHAI))
