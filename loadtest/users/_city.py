"""What all users know of the city: its address, the parties' keys, the people, what to expect."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from gateway.local import upfile
from gateway.local.generator import MERCHANT, citizen
from gateway.local.people import PREFIX
from gateway.local.seeds import load_seeds

#: The lowest band that rents without a deposit, as in scenarios/rent (示例).
BAND_FLOOR = 3


class Case(NamedTuple):
    """A question with the outcome that must come of it."""

    party: str
    scenario: str
    subject: str
    facts: dict[str, Any]
    expected: str


class City:
    """A running city, as `up.json` describes it. One for the process."""

    def __init__(self, up: upfile.UpFile) -> None:
        self.up = up
        self.base_url = up.base_url
        self._subjects = Path(up.subjects_file).read_text().split()
        self._scenarios: dict[str, dict[str, Any]] = {}
        self._turns: dict[str, Iterator[int]] = {}

    def scenario(self, name: str) -> dict[str, Any]:
        """The scenario's own description; fetched once."""
        if name not in self._scenarios:
            url = f"{self.base_url}/v1/scenarios/{name}"
            with urllib.request.urlopen(url, timeout=10) as answer:
                self._scenarios[name] = json.load(answer)
        return self._scenarios[name]

    @cached_property
    def customers(self) -> list[Case]:
        """The merchant's questions, those about its customers first."""
        facts = self.scenario("rent")["example"]
        cases = [
            Case(MERCHANT, "rent", subject, facts, self.expected(number, consented=None))
            for number, subject in enumerate(self._subjects, 1)
        ]
        return sorted(cases, key=lambda case: case.expected != "eligible")

    def cases(self, scenario: str) -> list[Case]:
        """The questions of the demonstration's day in a scenario in which nothing changes."""
        names = {persona.login: persona.subjects for persona in self.up.personas}
        now_us = time.time_ns() // 1000
        return [
            Case(
                step.party,
                scenario,
                names[step.persona][step.party],
                step.facts_at(now_us) or self.scenario(scenario)["example"],
                step.expected,
            )
            for step in load_seeds().day
            if step.act == "ask" and step.scenario == scenario
        ]

    def expected(self, number: int, *, consented: bool | None) -> str:
        """What renting comes to for a generated citizen: consent, promise and band.

        `consented` says it of another recipient than the merchant of the seeds.
        """
        known = citizen(number)
        promised = "rent" in known.commitments
        agreed = bool(known.consents) if consented is None else consented
        return "eligible" if agreed and promised and known.band >= BAND_FLOOR else "standard_path"

    def next_citizen(self, *, promising: bool, kind: str) -> int | None:
        """The number of a citizen who is nobody else's of this kind; None when all have a user.

        Kinds that change nothing of each other's may meet in one citizen.
        """
        numbers = [
            number
            for number in range(1, len(self._subjects) + 1)
            if ("rent" in citizen(number).commitments) is promising
        ]
        turn = next(self._turns.setdefault(kind, count()))
        return numbers[turn] if turn < len(numbers) else None


def login(number: int) -> str:
    """How a generated citizen signs in."""
    return f"{PREFIX}{number}"
