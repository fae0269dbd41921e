"""A bound on attempts, so that a flood ends before it costs a signature check.

Kept by each worker for itself: the limit of a city is this one times its workers. It guards the
processor, not a secret: private_key_jwt leaves nothing to guess.
"""

from __future__ import annotations

import math
from typing import Final

from gateway.clock import Clock

#: Names remembered at once. A forgotten one begins anew with a full allowance.
REMEMBERED: Final = 10_000


class Throttle:
    """A token bucket for each name, as one number a name (the generic cell rate algorithm).

    Args:
        per_s: attempts a second that a name may make for ever.
        burst: attempts that it may make at once after a rest.
    """

    def __init__(self, clock: Clock, *, per_s: float, burst: int) -> None:
        self._clock = clock
        self._step_s = 1 / per_s
        self._slack_s = (burst - 1) / per_s
        self._full_at: dict[str, float] = {}

    def wait_s(self, name: str) -> int:
        """Take one attempt: 0 if there was one, else the seconds until there is."""
        now = self._clock.monotonic()
        # Taken out and put back, the name becomes the youngest; the first is then the oldest.
        full_at = max(self._full_at.pop(name, now), now)
        early_s = full_at - now - self._slack_s
        self._full_at[name] = full_at if early_s > 0 else full_at + self._step_s
        if len(self._full_at) > REMEMBERED:
            del self._full_at[next(iter(self._full_at))]
        return math.ceil(early_s) if early_s > 0 else 0
