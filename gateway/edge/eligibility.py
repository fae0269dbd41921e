"""`POST /v1/scenarios/{scenario}/eligibility`: the hot route, read top to bottom.

    token → body → subject → standing → scenario → commit → answer

It is dispatched before Litestar (gateway/app.py): for a decision of some 100 µs a framework's
routing, dependency injection and middleware would cost as much as the decision itself. What the
framework would do is done here: method, media type, size, structure, problems.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from litestar.types import HTTPScope, Receive, Send

from gateway.city import City
from gateway.clock import rfc3339
from gateway.decision import Answer, Question
from gateway.edge.body import ELIGIBILITY_BYTES, decode, read_body
from gateway.edge.problems import send_problem
from gateway.edge.wire import Label, RequestId, Subject
from gateway.errors import Forbidden, Malformed, MethodNotAllowed, NotFound
from gateway.keys import b64url
from gateway.parties import Principal, Registration
from scenarios.compiler import Compiled

PREFIX, SUFFIX = "/v1/scenarios/", "/eligibility"

_encoder = msgspec.json.Encoder()
_HEADERS = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
]


class Policy(msgspec.Struct, frozen=True):
    """Which rules answered: scenario and revision (SHA-256 of the whole policy)."""

    scenario: str
    revision: str


class Freshness(msgspec.Struct, frozen=True):
    """How old what the answer rests on may be. Consent is never older than `decided_at`."""

    score_as_of: str | None
    decided_at: str


class EligibilityAnswer(msgspec.Struct, frozen=True):
    """All that a party learns. `obligations` (what it owes the citizen with this benefit) and
    `policy` are the same for everybody and encoded once."""

    decision_id: str
    outcome: str
    obligations: msgspec.Raw
    valid_until: str
    policy: msgspec.Raw
    freshness: Freshness
    receipt: str


class Eligibility:
    """The handler of one worker."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._wires = {name: _Wire(city.registry[name]) for name in city.registry}

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        try:
            body = await self._answer(scope, receive)
        except Exception as fault:
            # A client that left is answered too: a server that gets no answer from its
            # application makes a 500 of what may just be a badly framed body.
            await send_problem(send, fault)
            return
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _answer(self, scope: HTTPScope, receive: Receive) -> bytes:
        city, received_us = self._city, self._city.clock.now_us()
        if scope["method"] != "POST":
            raise MethodNotAllowed(["POST"])
        principal = await city.tokens.admit(scope["headers"])
        wire, registration = self._permitted(scope["path"], principal)
        body = await read_body(scope, receive, limit_bytes=ELIGIBILITY_BYTES)
        asked = decode(body, wire.decoder)
        citizen = city.pseudonyms.open(asked.subject, registration.view.sector)
        if citizen is None:
            raise Malformed([("/subject", "not a subject of this recipient")])
        answer = await city.decisions.decide(
            Question(
                principal=principal,
                registration=registration,
                scenario=wire.scenario,
                citizen=citizen,
                facts=asked.facts,
                received_us=received_us,
                deadline=city.clock.monotonic() + city.settings.decision_deadline_s,
                stock=wire.shelf(asked.facts),
                staff=asked.staff,
                reference=asked.reference,
                request_id=asked.request_id,
                body_hash=hashlib.sha256(body).digest() if asked.request_id else b"",
            )
        )
        return wire.encode(answer)

    def _permitted(self, path: str, principal: Principal) -> tuple[_Wire, Registration]:
        """The scenario of the path, and the party's place in it."""
        name = path[len(PREFIX) : -len(SUFFIX)]
        wire = self._wires.get(name)
        if wire is None:
            raise NotFound
        if f"scenario:{name}" not in principal.scopes:
            raise Forbidden("scope")
        registration = principal.party.registrations.get(name)
        if registration is None:
            raise Forbidden("not-registered")
        return wire, registration


class _Wire:
    """One scenario's question and answer on the wire, prepared once."""

    def __init__(self, scenario: Compiled) -> None:
        self.scenario = scenario
        self.decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(question_type(scenario))
        self._policy = _raw(Policy(scenario.id, b64url(scenario.revision)))
        self._obligations = _raw(scenario.manifest.obligations)
        self._reads_stock = "stock" in scenario.reads

    def shelf(self, facts: Any) -> tuple[str, str] | None:
        """The community and item whose stock the scenario reads."""
        if not self._reads_stock or not facts.community or not facts.item:
            return None
        return facts.community, facts.item

    def encode(self, answer: Answer) -> bytes:
        """The answer's JSON; its size depends on nothing about the citizen."""
        return _encoder.encode(
            EligibilityAnswer(
                decision_id=str(answer.decision),
                outcome=answer.outcome.wire,
                obligations=self._obligations,
                valid_until=rfc3339(answer.valid_until_us),
                policy=self._policy,
                freshness=Freshness(
                    answer.score_as_of.isoformat() if answer.score_as_of else None,
                    rfc3339(answer.at_us),
                ),
                receipt=b64url(answer.receipt),
            )
        )


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(_encoder.encode(value))


def question_type(scenario: Compiled) -> type[msgspec.Struct]:
    """The strict struct of a scenario's question: one for each scenario, since facts differ."""
    return msgspec.defstruct(
        f"{scenario.id.title().replace('-', '')}Question",
        [
            ("subject", Subject),
            ("facts", scenario.facts_type),
            ("request_id", RequestId | None, None),
            ("staff", Label | None, None),
            ("reference", Label | None, None),
        ],
        frozen=True,
        forbid_unknown_fields=True,
        kw_only=True,
    )
