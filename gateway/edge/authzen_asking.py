"""One AuthZEN request's caller, and the questions that it asks."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from gateway.city import City
from gateway.decision import Answer
from gateway.edge.answer import Wire
from gateway.edge.authzen_route import ours_of
from gateway.edge.authzen_wire import Asked, Ours
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


Context = tuple[Any, bytes, Ours]


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
        #: Of each scenario, the context that was read last, and what it says.
        self._defaults: dict[str, tuple[msgspec.Raw, Context]] = {}
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
        facts, facts_json, ours = self._understood(scenario, asked)
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
            facts_json=facts_json,
            received_us=self._received_us,
            deadline=self._deadline,
            stock=scenario.shelf(facts),
            staff=ours.staff,
            reference=ours.reference,
            request_id=ours.request_id,
            body_hash=body_hash,
        )
        return Ready(scenario, question)

    def _understood(self, scenario: ScenarioWire, asked: Asked) -> Context:
        """The facts, the same as canonical JSON, and what is ours in a context.

        Items that name no context of their own share the default, which is read once for each
        scenario; the pointer of a fault in it is the same as well.
        """
        known = self._defaults.get(scenario.scenario.id)
        if known is not None and known[0] is asked.context:
            return known[1]
        raw, where = bytes(asked.context) or b"{}", f"{asked.context_at}/context"
        facts = decode_part(raw, scenario.facts, where)
        read = facts, _encode(facts), ours_of(raw, where)
        self._defaults[scenario.scenario.id] = asked.context, read
        return read

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
