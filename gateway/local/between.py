"""Playing between cities: who visits whom, what that opens, and how it ends at home.

Like a day (gateway/local/day.py), by players who know the contract only. Each of them is at one
city; only the browsers of those who travel go to another.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from gateway.local.day import FAILED, Day, Played
from gateway.local.steps import Step
from gateway.local.troupe import Player, StepFailed

#: How long a visit may outlive its end at home (docs/protocol/recognition.md 8.6), and between two
#: questions that look whether it has ended; seconds.
LAPSE_S: Final = 60.0
EVERY_S: Final = 0.5


class Between:
    """What is played between cities; each city is known by its code (GB/T 2260).

    Args:
        steps: what happens, in order.
        days: who asks and answers in each city.
        people: the citizens who are there, visitors included.
        tell: told while something is waited for.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        days: Mapping[str, Day],
        people: Mapping[str, Player],
        tell: Callable[[str], None],
    ) -> None:
        self._steps, self._days, self._people, self._tell = steps, days, people, tell
        self._ended_at = 0.0

    def play(self, now_us: int) -> Iterator[Played]:
        """Every step in order, whatever came of the ones before."""
        for step in self._steps:
            try:
                yield self._one(step, now_us)
            except StepFailed as fault:
                yield Played(step, FAILED, trouble=str(fault))

    def _one(self, step: Step, now_us: int) -> Played:
        match step.act:
            case "visit" | "turn_back":
                return self._travelled(step)
            case "take_back":
                said = self._do(step, city=step.city)
                self._ended_at = time.monotonic()
                return Played(step, said)
            case "leave":
                return Played(step, self._do(step))
            case "lapse":
                return self._lapsed(step, now_us)
            case _:
                return self._days[step.city].one(step, now_us)

    def _do(self, step: Step, **given: str) -> str:
        people = self._people[step.city]
        return str(people.do("act", login=step.persona, act=step.act, **given))

    def _travelled(self, step: Step) -> Played:
        """To the home city and back. The home city decides each scenario on the record."""
        given = {"home": step.home, "scenarios": list(step.scenarios)}
        allows = step.act == "visit"
        people = self._people[step.city]
        outcome = people.do("travel", login=step.persona, allows=allows, **given)
        return Played(step, outcome, more=len(step.scenarios) if outcome == "arrived" else 0)

    def _lapsed(self, step: Step, now_us: int) -> Played:
        """Ask until the answer is another; it counts from the acknowledgement at home."""
        day, asked = self._days[step.city], 0
        while True:
            sent_at = time.monotonic()
            played = day.one(step, now_us)
            after_s = sent_at - self._ended_at
            if played.actual == step.expected or after_s > LAPSE_S:
                return Played(step, played.actual, after_s * 1000, played.record, more=asked)
            asked += 1
            self._tell(f"waiting until a visit that was ended at home has ended: {after_s:.0f} s")
            time.sleep(EVERY_S)
