"""Does a decision cost the same in a big city, with many scenarios, for who consented often?"""

from __future__ import annotations

import msgspec

from loadtest import flat
from loadtest.options import Options
from loadtest.serving import Progress
from loadtest.sides import Comparison


class Flat(msgspec.Struct, frozen=True, kw_only=True):
    """Paired comparisons, the bigger over the smaller."""

    connections: int
    comparisons: list[Comparison]


def measure(options: Options, progress: Progress) -> Flat:
    """Every comparison that was asked for."""
    asked = flat.Options(
        rounds=options.rounds,
        seconds=options.seconds,
        connections=options.few_connections,
        workers=options.workers,
        many_citizens=options.many_citizens,
        citizens=options.citizens,
        many_scenarios=options.many_scenarios,
        many_consents=options.many_consents,
    )
    made = [flat.COMPARISONS[name](asked, progress) for name in options.comparisons]
    return Flat(connections=options.few_connections, comparisons=made)
