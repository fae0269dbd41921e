"""One AuthZEN request's caller, and the questions that it asks."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from gateway.city import City
from gateway.decision import Answer
from gateway.edge.answer import Wire
from gateway.edge.authzen_route import ours_of
from gateway.edge.authzen_wire import Asked
from gateway.edge.body import decode_part
from gateway.errors import Forbidden, Malformed, NotFound
from gateway.parties import Principal, Registration
from gateway.proposer import Question
from scenarios.compiler import Compiled
from scenarios.contract import Outcome
from scenarios.facts import among_others, fact_fields

_encode = msgspec.json.Encoder().encode


class ScenarioWire(Wire):
    """One scenario on this wire: facts stand among other members of `context`."""

    def __init__(self, scenario: Compiled) -> None:
        super().__init__(scenario)
        fields = fact_fields(scenario.manifest)
        self.facts: msgspec.json.Decoder[Any] = msgspec.json.Decoder(among_others("Facts", fields))

    def answered(self, answer: Answer) -> bytes:
        """The decision's JSON."""
        yes = b"true" if answer.outcome is Outcome.ELIGIBLE else b"false"
        return b'{"decision":%b,"context":%b}' % (yes, self.encode(answer))


class Ready(msgspec.Struct, frozen=True):
    """A question, and the wire of its scenario."""

    scenario: ScenarioWire
    question: Question


class Asking:
    """One request's caller, and the questions that it asks."""

    def __init__(
        self, city: City, scenarios: dict[str, ScenarioWire], principal: Principal, received_us: int
    ) -> None:
        self._pseudonyms, self._scenarios = city.pseudonyms, scenarios
        self._principal, self._received_us = principal, received_us
        # All items of a batch have the time of one question.
        self._deadline = city.clock.monotonic() + city.settings.decision_deadline_s

    def ready(self, asked: Asked) -> Ready:
        """What is asked, understood.

        Raises:
            NotFound, Forbidden: there is no such scenario, or it is not this party's.
            Malformed: the subject is none of this recipient's, or a fact is not as declared.
        """
        scenario, registration = self._permitted(asked.scenario)
        citizen = self._pseudonyms.open(asked.subject, registration.view.sector)
        if citizen is None:
            where = f"{asked.subject_at}/subject/id"
            raise Malformed([(where, "not a subject of this recipient")])
        context, where = bytes(asked.context) or b"{}", f"{asked.context_at}/context"
        facts, ours = decode_part(context, scenario.facts, where), ours_of(context, where)
        body_hash = b""
        if ours.request_id:
            # One question may come alone or in a batch, with or without defaults: a repeat is
            # what asks the same, however it is spelled.
            same = [asked.subject, asked.scenario, facts, ours.staff, ours.reference]
            body_hash = hashlib.sha256(_encode(same)).digest()
        question = Question(
            principal=self._principal,
            registration=registration,
            scenario=scenario.scenario,
            citizen=citizen,
            facts=facts,
            facts_json=_encode(facts),
            received_us=self._received_us,
            deadline=self._deadline,
            stock=scenario.shelf(facts),
            staff=ours.staff,
            reference=ours.reference,
            request_id=ours.request_id,
            body_hash=body_hash,
        )
        return Ready(scenario, question)

    def _permitted(self, name: str) -> tuple[ScenarioWire, Registration]:
        scenario = self._scenarios.get(name)
        if scenario is None:
            raise NotFound
        if scenario.scope not in self._principal.scopes:
            raise Forbidden("scope")
        registration = self._principal.party.registrations.get(name)
        if registration is None:
            raise Forbidden("not-registered")
        return scenario, registration
