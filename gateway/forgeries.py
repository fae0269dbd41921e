"""How many bad signatures a worker looks at: a signature check costs a hundred times the rest.

Bad ones are counted for each name they claim, and for a crowd of names where nothing ties a name
to its claimant, in fixed windows. What has used up its count is refused unlooked at until the
window ends: a flood of forgeries costs a known amount of work, and good signatures of other names
pass as ever. Counts are forgotten with the window, which bounds them as well.
"""

from __future__ import annotations

from typing import Final

import structlog

from gateway.clock import Clock
from gateway.counts import Counts
from gateway.errors import AbnormalUsage

WINDOW_S: Final = 10

#: Many names together (an address, or all of them) may fail so many times as often as one.
MANY: Final = 10

#: Names counted in one window; those beyond share one count.
NAMES_MAX: Final = 10_000

_log = structlog.get_logger(__name__)


class Forgeries:
    """The counts of one worker.

    Args:
        most: bad signatures of one name in a window that are looked at.
    """

    def __init__(self, clock: Clock, most: int, counts: Counts | None = None) -> None:
        self._told = counts or Counts(clock)
        self._clock, self._most = clock, most
        self._counts: dict[str, int] = {}
        self._ends_at = clock.monotonic() + WINDOW_S
        self.looked_at = self.shed = 0

    def tolerates(self, name: str, crowd: str | None = None) -> bool:
        """Whether one more signature in this name, and of this crowd, may be looked at."""
        self.roll()
        if self._count(name) < self._most and (
            crowd is None or self._count(crowd) < self._most * MANY
        ):
            return True
        self.shed += 1
        self._told.limited("bad_signatures")
        return False

    def failed(self, name: str, crowd: str | None = None) -> None:
        """Count a signature that was looked at and was not good."""
        self.looked_at += 1
        for each in (name, crowd):
            if each is not None:
                key = each if each in self._counts or len(self._counts) < NAMES_MAX else ""
                self._counts[key] = self._counts.get(key, 0) + 1

    def refusal(self) -> AbnormalUsage:
        """What one reads whose signature was not looked at: come back in the next window."""
        return AbnormalUsage(max(1, round(self._ends_at - self._clock.monotonic())))

    def roll(self) -> None:
        """Begin a new window if this one is over, and tell the last one in one line."""
        now = self._clock.monotonic()
        if now < self._ends_at:
            return
        if self.looked_at or self.shed:
            tell = _log.warning if self.shed else _log.info
            tell("bad_signatures", count=self.looked_at, attempts=self.looked_at + self.shed)
        self._counts.clear()
        self._ends_at = now + WINDOW_S
        self.looked_at = self.shed = 0

    def _count(self, name: str) -> int:
        known = name in self._counts or len(self._counts) < NAMES_MAX
        return self._counts.get(name if known else "", 0)
