"""What was withdrawn at home and what was answered elsewhere, on one clock: property W of cities.

The checker stands outside of both. A question that starts more than the bound after the home city's
acknowledgement must not be answered with a benefit; until then it may be either way.
"""

from __future__ import annotations

import msgspec


class Asked(msgspec.Struct, frozen=True):
    """One answer: about whom, when the question was sent (monotonic seconds), and which."""

    who: int
    sent: float
    eligible: bool


class Watched:
    """A run."""

    def __init__(self) -> None:
        self.acked: dict[int, float] = {}  # who withdrew, and when that was acknowledged
        self.answers: list[Asked] = []

    def late(self, bound_s: float) -> list[str]:
        """Benefits that were given too late."""
        return [
            f"{each.who}: eligible {each.sent - self.acked[each.who]:.1f} s after the withdrawal"
            for each in self.answers
            if each.eligible
            and each.who in self.acked
            and each.sent - self.acked[each.who] > bound_s
        ]

    def lags(self) -> list[float]:
        """For each who withdrew, the seconds until the last question answered with a benefit."""
        return sorted(
            max((a.sent - at for a in self.answers if a.who == who and a.eligible), default=0.0)
            for who, at in self.acked.items()
        )

    def last(self, who: int) -> bool:
        """Whether the last answer about somebody was a benefit."""
        return max((a for a in self.answers if a.who == who), key=lambda a: a.sent).eligible
