"""`POST /v1/scenarios/{scenario}/eligibility`: the hot route, read top to bottom.

    token → body → subject → standing → scenario → commit → answer

It is dispatched before Litestar (gateway/app.py): for a decision of some 100 µs a framework's
routing, dependency injection and middleware would cost as much as the decision itself. What the
framework would do is done here: method, media type, size, structure, problems.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar.types import HTTPScope, Receive, Send

from gateway.city import City
from gateway.edge import answer
from gateway.edge.admission import of_party
from gateway.edge.body import ELIGIBILITY_BYTES, are_plain, check_fields, collect, decode
from gateway.edge.caller import caller
from gateway.edge.headers import fields_of
from gateway.edge.limits import Fields
from gateway.edge.limits import fields as limit_fields
from gateway.edge.problems import kind_of, send_problem
from gateway.edge.wire import Label, RequestId, Subject
from gateway.errors import Forbidden, Malformed, MethodNotAllowed, NotFound
from gateway.parties import Principal, Registration
from gateway.proposer import Question
from gateway.scan import MAX_NUMBER, check, is_flat
from scenarios.compiler import Compiled

PREFIX, SUFFIX = "/v1/scenarios/", "/eligibility"

_encoder = msgspec.json.Encoder()
HEADERS: Final = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))


class Eligibility:
    """The handler of one worker."""

    def __init__(self, city: City) -> None:
        self._city = city
        self.counted = city.counts.route("eligibility")
        wires = [Wire(city.registry[name]) for name in city.registry]
        self.wires = {f"{PREFIX}{wire.scenario.id}{SUFFIX}": wire for wire in wires}

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        began = self._city.counts.now()
        try:
            body, limits = await self._answer(scope, receive)
        except Exception as fault:
            # A client that left is answered too: a server that gets no answer from its
            # application makes a 500 of what may just be a badly framed body.
            await send_problem(send, fault)
            self.counted.answered(kind_of(fault).status, self._city.counts.now() - began)
            return
        headers = [*HEADERS, *limits]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})
        self.counted.answered(200, self._city.counts.now() - began)

    async def _answer(self, scope: HTTPScope, receive: Receive) -> tuple[bytes, Fields]:
        city, received_us = self._city, self._city.clock.now_us()
        if scope["method"] != "POST":
            raise MethodNotAllowed(["POST"])
        fields = fields_of(scope)
        principal = city.tokens.recognise(fields.get(b"authorization"))
        if principal is None:
            principal = await caller(city, scope)
        wire, registration = self._permitted(scope["path"], principal)
        check_fields(fields, limit_bytes=ELIGIBILITY_BYTES)
        body = await collect(receive, ELIGIBILITY_BYTES)
        kind = of_party(principal.party.row.kind)
        if not city.admission.try_enter(kind):
            await city.admission.wait(kind)
        try:
            question = self.question(principal, registration, wire, body, received_us)
            decided = await city.decisions.decide(question)
        finally:
            city.admission.leave()
        return wire.encode(decided), limit_fields(city.limits.quota(principal.party))

    def question(
        self,
        principal: Principal,
        registration: Registration,
        wire: Wire,
        body: bytes,
        received_us: int,
    ) -> Question:
        """The body understood.

        Raises:
            Malformed: with JSON Pointers.
        """
        city = self._city
        asked, facts_json = wire.decode(body)
        citizen = city.pseudonyms.open(asked.subject, registration.view.sector)
        if citizen is None:
            raise Malformed([("/subject", "not a subject of this recipient")])
        return Question(
            principal=principal,
            registration=registration,
            scenario=wire.scenario,
            citizen=citizen,
            facts=asked.facts,
            facts_json=facts_json,
            received_us=received_us,
            deadline=city.clock.monotonic() + city.settings.decision_deadline_s,
            stock=wire.shelf(asked.facts),
            staff=asked.staff,
            reference=asked.reference,
            request_id=asked.request_id,
            body_hash=hashlib.sha256(body).digest() if asked.request_id else b"",
        )

    def known_caller(
        self, wire: Wire, fields: Mapping[bytes, bytes]
    ) -> tuple[Principal, Registration] | None:
        """Who asks, where the token was seen before and all is well as far as the body."""
        principal = self._city.tokens.recognise(fields.get(b"authorization"))
        if principal is None or wire.scope not in principal.scopes:
            return None
        registration = principal.party.registrations.get(wire.scenario.id)
        if registration is None or not are_plain(fields, limit_bytes=ELIGIBILITY_BYTES):
            return None
        return principal, registration

    def _permitted(self, path: str, principal: Principal) -> tuple[Wire, Registration]:
        """The scenario of the path, and the party's place in it."""
        wire = self.wires.get(path)
        if wire is None:
            raise NotFound
        if wire.scope not in principal.scopes:
            raise Forbidden("scope")
        registration = principal.party.registrations.get(wire.scenario.id)
        if registration is None:
            raise Forbidden("not-registered")
        return wire, registration


class Wire(answer.Wire):
    """One scenario's question and answer on the wire, prepared once."""

    def __init__(self, scenario: Compiled) -> None:
        super().__init__(scenario)
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(question_type(scenario))
        # Numbers without narrower bounds of their own are left to the exact check.
        self._bounded = all(
            not fact.unit.is_number
            or (fact.min is not None and fact.max is not None and fact.max <= MAX_NUMBER)
            for fact in scenario.manifest.facts
        )

    def decode(self, body: bytes) -> tuple[Any, bytes]:
        """A checked question, and the canonical JSON of its facts.

        Raises:
            Malformed: with JSON Pointers.
        """
        try:
            asked = self._decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            decode(body, self._decoder)  # says what is wrong
            raise
        facts = _encoder.encode(asked.facts)
        if not (self._bounded and is_flat(body, _members(asked) + facts.count(b'":'))):
            check(body)
        return asked, facts


def _members(asked: Any) -> int:
    """How many members a question has outside its facts, where none is an explicit null."""
    return (
        2
        + (asked.request_id is not None)
        + (asked.staff is not None)
        + (asked.reference is not None)
    )


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
