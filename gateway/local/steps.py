"""Who does what and what must come of it: a day of one city, and what follows between two.

The steps are data (`seeds/<city>/day.toml`, `seeds/recognition.toml`), expectations included.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec

from gateway.clock import DAY_US, HOUR_US, rfc3339, shanghai_midnight_after

#: The hour of the day, in Hangzhou, at which things are due back.
DUE_HOUR = 18

Act: TypeAlias = Literal[
    "ask",
    "consent",
    "decline",
    "withdraw",
    "pause",
    "resume",
    "sign",
    "authorise",
    "visit",
    "turn_back",
    "take_back",
    "leave",
    "lapse",
]
Outcome: TypeAlias = Literal["eligible", "standard_path", "cannot_assess"]
#: How a citizen comes back from the home city's page.
Arrival: TypeAlias = Literal["arrived", "declined", "nothing_open"]

#: Acts that may turn out this way or that.
TOLD: Final = frozenset({"ask", "visit", "turn_back", "lapse"})
#: Acts between two cities, which name both.
BETWEEN: Final = frozenset({"visit", "turn_back", "take_back"})


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of a day, or of what follows it between cities.

    `expected` is set where something may turn out this way or that, and the reason is told in
    words. `city`, where it happens, and `home`, where the citizen is at home, are codes (GB/T
    2260) and said between cities alone.
    """

    at: str
    act: Act
    persona: str
    zh: str
    en: str
    party: str = ""
    scenario: str = ""
    scenarios: tuple[str, ...] = ()
    facts: dict[str, Any] | None = None
    expected: Outcome | Arrival | Literal[""] = ""
    again: Literal["eligible", "standard_path", ""] = ""
    city: str = ""
    home: str = ""

    @property
    def allowed(self) -> tuple[str, ...]:
        """The outcomes that are not a difference: the second where the day is played again."""
        return tuple(outcome for outcome in (self.expected, self.again) if outcome)

    @property
    def is_whole(self) -> bool:
        """Whether it says what its act needs, and nothing else."""
        return (
            (self.act in TOLD) is bool(self.expected)
            and (self.act in BETWEEN) is bool(self.home)
            and (self.act in ("visit", "turn_back")) is bool(self.scenarios)
        )

    def facts_at(self, now_us: int) -> dict[str, Any] | None:
        """The facts with their times written out; None for the scenario's own example."""
        if self.facts is None:
            return None
        return {name: _written_out(value, now_us) for name, value in self.facts.items()}


class StepFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`day.toml`, `recognition.toml`."""

    step: tuple[Step, ...]


def _written_out(value: Any, now_us: int) -> Any:
    """A value of a step's facts; `{ in_days = n }` is an evening of Hangzhou."""
    if not isinstance(value, Mapping):
        return value
    midnight = shanghai_midnight_after(now_us) - DAY_US
    return rfc3339(midnight + value["in_days"] * DAY_US + DUE_HOUR * HOUR_US)
