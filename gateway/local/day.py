"""Playing a day: who does what, what must come of it, what did.

The steps and their expectations are data (seeds/). Everything happens over HTTP by the players,
who know nothing but the contract; this file only tells them what to do next and compares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from gateway.local.seeds import Seeds
from gateway.local.steps import Step
from gateway.local.troupe import Player, StepFailed

#: What came of a step that could not be taken.
FAILED = "failed"


class Played(msgspec.Struct, frozen=True):
    """A step and what came of it.

    `record` is that of its answer, and `more` how many others there must be: of answers before it,
    and of what a home city decides about its own citizen.
    """

    step: Step
    actual: str
    took_ms: float | None = None
    record: str = ""
    trouble: str = ""
    more: int = 0

    @property
    def records(self) -> int:
        """How many records must be on disk of it."""
        return bool(self.record) + self.more

    @property
    def as_expected(self) -> bool:
        """Whether the outcome is one that the step allows."""
        if self.actual == FAILED:
            return False
        return not self.step.allowed or self.actual in self.step.allowed


class Day:
    """A day of one city.

    Args:
        seeds: the steps, and the parties' names.
        subjects: login → client id → the citizen's name there, as the party learnt it once.
    """

    def __init__(
        self,
        seeds: Seeds,
        subjects: Mapping[str, Mapping[str, str]],
        counter: Player,
        people: Player,
    ) -> None:
        self._seeds = seeds
        self._subjects = {login: dict(names) for login, names in subjects.items()}
        self._counter, self._people = counter, people

    def play(self, now_us: int) -> Iterator[Played]:
        """Every step in order, whatever came of the ones before."""
        for step in self._seeds.day:
            try:
                yield self.one(step, now_us)
            except StepFailed as fault:
                yield Played(step, FAILED, trouble=str(fault))

    def one(self, step: Step, now_us: int) -> Played:
        """One step, and what came of it.

        Raises:
            StepFailed: it could not be taken.
        """
        return self._ask(step, now_us) if step.scenario and step.expected else self._act(step)

    def _ask(self, step: Step, now_us: int) -> Played:
        subject = self._subjects.get(step.persona, {}).get(step.party)
        if subject is None:
            raise StepFailed(f"{step.party} never learnt a name of {step.persona}")
        given = {"party": step.party, "scenario": step.scenario, "subject": subject}
        answer = self._counter.do("ask", **given, facts=step.facts_at(now_us))
        return Played(step, answer["outcome"], answer["took_ms"], answer["decision_id"])

    def _act(self, step: Step) -> Played:
        match step.act:
            case "consent" | "decline":
                return self._request(step)
            case "withdraw" | "pause" | "resume":
                given = {"recipient": self._recipient(step), "scenario": step.scenario}
                return Played(step, self._do(step, "change", how=step.act, **given))
            case "sign":
                return Played(step, self._do(step, "sign", scenario=step.scenario))
            case _:
                return Played(step, self._do(step, "authorise"))

    def _request(self, step: Step) -> Played:
        """The party asks, the citizen opens the link and decides, the party looks again."""
        asked = self._counter.do("ask_consent", party=step.party, scenario=step.scenario)
        self._do(step, step.act, link=asked["link"])
        ended = self._counter.do("collect", party=step.party, request=asked["id"])
        if "subject" in ended:
            self._subjects.setdefault(step.persona, {})[step.party] = ended["subject"]
        wanted = "granted" if step.act == "consent" else "declined"
        if ended["status"] != wanted:
            raise StepFailed(f"the request is {ended['status']} and not {wanted}")
        return Played(step, ended["status"])

    def _do(self, step: Step, act: str, **given: Any) -> str:
        return str(self._people.do("act", login=step.persona, act=act, **given))

    def _recipient(self, step: Step) -> str:
        party = next(each for each in self._seeds.parties.party if each.id == step.party)
        entity = party.scenarios[step.scenario]
        return next(each.name for each in self._seeds.parties.entity if each.id == entity)


def differences(played: Sequence[Played]) -> list[Played]:
    """The steps that went otherwise than expected."""
    return [row for row in played if not row.as_expected]
