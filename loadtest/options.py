"""How much a session of measurements measures, and how big is big."""

from __future__ import annotations

import msgspec


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be chosen. The defaults are those of the published results."""

    rounds: int = 5
    """Paired rounds of each section."""
    warm: bool = True
    """Whether a second of each kind goes ahead uncounted."""
    seconds: int = 3
    """Length of a closed-loop round; wrk takes whole seconds."""
    connections: int = 128
    """Connections kept busy; `few_connections` is the smaller number that peers are measured at."""
    few_connections: int = 64
    workers: int = 2
    citizens: int = 10_000
    distributions: tuple[str, ...] = ("uniform", "zipf")

    offered_s: float = 7
    """Length of an open-loop run."""
    shares: tuple[float, ...] = (0.1, 0.25, 0.5, 0.7, 0.85, 1.0, 1.2)
    """Offered loads, in shares of the closed loop's peak."""

    many_citizens: int = 1_000_000
    many_scenarios: int = 500
    many_consents: int = 200
    comparisons: tuple[str, ...] = ("citizens", "scenarios", "compiled", "consents")
    weighed: int = 100_000
    """Citizens whose memory in the cache is weighed."""

    items: int = 100
    """Evaluations in one AuthZEN request."""
    searched: int = 62
    """Generated scenarios that an AuthZEN search looks through."""

    admission_per_s: int = 300
    """What the overloaded gateway lets in; little enough to be offered ten times over."""
    overload_s: float = 4
    withdrawals_per_s: float = 5

    calls: int = 1_000
    """Counted calls of each kind that is not a decision."""
    sample: int = 2_000
    """Questions that pass each stage by itself."""


#: A look at everything in two minutes, with figures that mean little.
QUICK = Options(
    rounds=1,
    warm=False,
    seconds=1,
    connections=64,
    citizens=2_000,
    offered_s=2,
    shares=(0.25, 0.5, 1.0),
    many_citizens=20_000,
    many_scenarios=20,
    many_consents=40,
    comparisons=("consents",),
    weighed=5_000,
    searched=10,
    overload_s=2,
    calls=60,
    sample=200,
)
