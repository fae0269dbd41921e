"""Who waits for room, who comes next, and who is told to come back: pure, in seconds handed in.

The rule is CoDel's (RFC 8289) with a last-in-first-out order while it sheds. Some waiting is good,
it is what a burst needs; waiting that does not end is not. So each kind may wait for `CALM_S` until
somebody was given up or has been waiting for longer than `TARGET_S` through a whole `INTERVAL_S`.
From then on each waits only as long as its kind's patience, and the newest is served first: the
others are as good as gone. That lasts until nobody has been given up for an interval.

More urgent kinds are always served first, have more patience, and take the place of the least
urgent where the line is full.
"""

from __future__ import annotations

import enum
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")

#: What one may wait while the line does not shed, and for how long more before it does.
TARGET_S: Final = 0.005
INTERVAL_S: Final = 0.100


class Priority(enum.IntEnum):
    """The kinds of request, the most urgent first."""

    WITHDRAW = 0  # a citizen takes something back
    SIGN = 1  # a citizen grants or promises
    CITIZEN = 2  # whatever else citizens do
    HOSPITAL = 3
    MERCHANT = 4  # and every other party
    BATCH = 5  # many questions at once


#: What each kind waits at most while the line does not shed. A party hears within 20 ms that it is
#: to come back, at the beginning of a flood as later.
CALM_S: Final = (1.0, 1.0, 3 * INTERVAL_S, 3 * TARGET_S, 3 * TARGET_S, 3 * TARGET_S)

#: What each kind waits at most while the line sheds. A withdrawal is worth a second; a till is
#: better told at once.
PATIENCE_S: Final = (1.0, 1.0, INTERVAL_S, 2 * TARGET_S, TARGET_S, TARGET_S)


class WaitingLine(Generic[Item]):
    """One line for each kind, `most` waiting in all of them together."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lines: tuple[OrderedDict[Item, float], ...] = tuple(OrderedDict() for _ in Priority)
        self._above_since: float | None = None
        self._shedding_until = float("-inf")
        self.count = 0

    @property
    def most_urgent(self) -> int | None:
        """The kind that comes next."""
        return next((kind for kind, line in enumerate(self._lines) if line), None)

    def join(self, item: Item, kind: int, now: float) -> Item | None:
        """Let an item wait; returns who is given up for it where the line is full: maybe itself."""
        gone = None
        if self.count >= self._most:
            gone = self._least_urgent(kind)
            if gone is None:
                return item
        self._lines[kind][item] = now
        self.count += 1
        return gone

    def leave(self, item: Item, kind: int) -> bool:
        """Let an item wait no longer; whether it was still waiting."""
        if self._lines[kind].pop(item, None) is None:
            return False
        self.count -= 1
        return True

    def next(self, now: float) -> Item:
        """Take out whoever comes next; there must be one."""
        kind = self.most_urgent
        assert kind is not None, "somebody waits"
        # Those with patience are still there, so among them the first comes first.
        newest = kind > Priority.SIGN and self.shedding(now)
        item, _ = self._lines[kind].popitem(last=newest)
        self.count -= 1
        return item

    def shedding(self, now: float) -> bool:
        """Whether too many have waited for too long of late."""
        return now < self._shedding_until

    def overdue(self, now: float) -> list[Item]:
        """Take out who is to be given up now, the least urgent first."""
        stands = not self.shedding(now) and self._stands(now)
        patience = PATIENCE_S if stands or self.shedding(now) else CALM_S
        gone = [
            item for kind in reversed(Priority) for item in self._impatient(kind, now, patience)
        ]
        self.count -= len(gone)
        if gone or stands:
            self._shedding_until, self._above_since = now + INTERVAL_S, None
        return gone

    def due(self, now: float) -> float | None:
        """When `overdue` is to be asked next, at the latest; None while nobody waits."""
        if not self.count:
            return None
        firsts = [
            (kind, next(iter(line.values()))) for kind, line in enumerate(self._lines) if line
        ]
        if self.shedding(now):
            return min(since + PATIENCE_S[kind] for kind, since in firsts)
        if self._above_since is not None:
            seen = self._above_since + INTERVAL_S
        else:
            seen = min(since for _, since in firsts) + TARGET_S
        return min(seen, *(since + CALM_S[kind] for kind, since in firsts))

    def _stands(self, now: float) -> bool:
        """Whether there has been somebody over the target for a whole interval."""
        oldest = min((next(iter(line.values())) for line in self._lines if line), default=now)
        if now - oldest < TARGET_S:
            self._above_since = None
            return False
        if self._above_since is None:
            self._above_since = oldest + TARGET_S
        return now - self._above_since >= INTERVAL_S

    def _impatient(self, kind: Priority, now: float, patience: Sequence[float]) -> Iterator[Item]:
        line = self._lines[kind]
        while line and now - next(iter(line.values())) >= patience[kind]:
            yield line.popitem(last=False)[0]

    def _least_urgent(self, than: int) -> Item | None:
        """Take out the one that has waited longest among the least urgent, if less urgent."""
        for kind in range(len(Priority) - 1, than, -1):
            if self._lines[kind]:
                self.count -= 1
                return self._lines[kind].popitem(last=False)[0]
        return None
