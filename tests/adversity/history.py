"""What was asked, changed and answered, on one monotonic clock, and whether it may be so.

The checker knows nothing of versions, caches or transactions: it stands outside, like a citizen
who holds a receipt of her withdrawal. What a citizen's consent allows is a register with one
writer at a time. A lookup may answer from the last change acknowledged before it was sent, or from
any change that was under way while it was; from nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from math import inf
from uuid import UUID

import msgspec

from gateway.decision import Answer
from scenarios.contract import Outcome


class Change(msgspec.Struct):
    """A consent opens or closes: begun and acknowledged in monotonic seconds.

    One without acknowledgement (its outcome is unknown) may take effect at any later time.
    """

    citizen: UUID
    opens: bool
    begun: float
    acked: float = inf


class Lookup(msgspec.Struct, frozen=True):
    """An answer that was released, and between which instants it was in the making."""

    citizen: UUID
    sent: float
    answered: float
    answer: Answer

    @property
    def eligible(self) -> bool:
        """Whether the consent was answered from."""
        return self.answer.outcome is Outcome.ELIGIBLE


class History:
    """Everything that happened in one race."""

    def __init__(self) -> None:
        self.changes: dict[UUID, list[Change]] = defaultdict(list)
        self.lookups: list[Lookup] = []
        self.unanswered: list[Exception] = []
        self._checked = 0

    def changed(self, change: Change) -> None:
        """Note a change when it begins; its acknowledgement is set when it comes."""
        self.changes[change.citizen].append(change)

    def violations(self) -> list[str]:
        """Of the lookups since the last call, those that no order of events explains."""
        fresh, self._checked = self.lookups[self._checked :], len(self.lookups)
        return [self._told(lookup) for lookup in fresh if not self._explained(lookup)]

    def promptly(self, change: Change, within_s: float) -> int:
        """Answers to lookups of the citizen sent so soon after this change's acknowledgement."""
        return sum(
            lookup.citizen == change.citizen and 0 <= lookup.sent - change.acked <= within_s
            for lookup in self.lookups
        )

    def withdrawals(self) -> list[Change]:
        """Every acknowledged withdrawal."""
        every = (change for changes in self.changes.values() for change in changes)
        return [change for change in every if not change.opens and change.acked < inf]

    def _explained(self, lookup: Lookup) -> bool:
        changes = self.changes[lookup.citizen]
        settled = [change.opens for change in changes if change.acked < lookup.sent]
        under_way = [
            change.opens
            for change in changes
            if change.begun <= lookup.answered and change.acked >= lookup.sent
        ]
        return lookup.eligible in [*settled[-1:], *under_way]

    def _told(self, lookup: Lookup) -> str:
        acked = [c.acked for c in self.changes[lookup.citizen] if c.acked < lookup.sent]
        late = (lookup.sent - max(acked)) * 1000 if acked else 0.0
        kept = "W: answered from a withdrawn consent" if lookup.eligible else "G: a grant unseen"
        return f"{kept}, asked {late:.1f} ms after the acknowledgement"
