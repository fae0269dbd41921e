"""How long what a city said of its citizens may be relied on (docs/protocol/recognition.md 8)."""

from __future__ import annotations

from typing import Final

from gateway.clock import SECOND_US

#: A minute, less the rebuild of a list (5 s), two clocks (10 s) and a moment to spare.
FRESH_US: Final = 40 * SECOND_US


def fresh_until(*, issued_us: int, began_us: int, trust_until_us: int) -> int:
    """Until when a list serves, in µs: 40 s from its own instant, or from when its fetch began.

    The earlier of the two counts, for a city's clock may be ahead; and nothing outlives the trust
    list that names the city's keys.
    """
    return min(min(issued_us, began_us) + FRESH_US, trust_until_us)
