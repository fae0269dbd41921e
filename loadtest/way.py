"""The way of a question through a worker, stage by stage: the one place to change with the path.

Every stage takes many questions and does its part of each with the worker's own parts; what the
next one needs it leaves on the question. `loadtest/stages.py` times them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from litestar.types import HTTPScope

from gateway.body import consent_of
from gateway.city import City
from gateway.decision import Answer
from gateway.edge.body import ELIGIBILITY_BYTES, check_fields, collect
from gateway.edge.eligibility import PREFIX, SUFFIX, Eligibility
from gateway.edge.headers import fault, fields_of
from gateway.proposer import Premises, Question, judge
from gateway.standing import Standing, Wanted
from gateway.store.decision import Proposal
from loadtest.questions import Questions

SCENARIO = "rent"

# Whom the questions of the stages are addressed to; nobody listens there.
_HOST, _PORT = "127.0.0.1", 80
_HOSTS = frozenset({f"{_HOST}:{_PORT}".encode()})


class Asked(msgspec.Struct):
    """One question on its way through the stages; each fills in what the next one takes."""

    scope: HTTPScope
    body: bytes
    subject: str = ""
    wish: Any = None
    facts_json: bytes = b""
    question: Any = None
    standing: Any = None
    premises: Any = None
    proposal: Any = None
    answer: Any = None
    sent: bytes = b""

    async def receive(self) -> Any:
        """The body in one piece, as nearly every body comes."""
        return {"type": "http.request", "body": self.body, "more_body": False}


class Way:
    """The parts of a worker that a question passes."""

    def __init__(self, city: City, batch: int) -> None:
        self.city, self.batch = city, batch
        self.wire = Eligibility(city).wires[PREFIX + SCENARIO + SUFFIX]

    async def guard(self, asked: Sequence[Asked]) -> None:
        """Look at the header fields before anything else does."""
        for each in asked:
            assert fault(each.scope, _HOSTS) is None, "as a client sends them"

    async def token(self, asked: Sequence[Asked]) -> None:
        """Find the token that was verified before, and the party's place in the scenario."""
        for each in asked:
            fields = fields_of(each.scope)
            principal = self.city.tokens.recognise(fields.get(b"authorization"))
            if principal is None:  # the first time only
                principal = self.city.tokens.authenticate(each.scope["headers"])
            each.question = principal, principal.party.registrations[SCENARIO]

    async def parse(self, asked: Sequence[Asked]) -> None:
        """Read, check and decode the body."""
        for each in asked:
            check_fields(fields_of(each.scope), limit_bytes=ELIGIBILITY_BYTES)
            raw = await collect(each.receive, ELIGIBILITY_BYTES)
            each.wish, each.facts_json = self.wire.decode(raw)

    async def subject(self, asked: Sequence[Asked]) -> None:
        """Open the citizen's name, and put the question together."""
        city, now_us = self.city, self.city.clock.now_us()
        for each in asked:
            principal, registration = each.question
            citizen = city.pseudonyms.open(each.wish.subject, registration.view.sector)
            assert citizen is not None, "made for this recipient"
            each.question = Question(
                principal=principal,
                registration=registration,
                scenario=self.wire.scenario,
                citizen=citizen,
                facts=each.wish.facts,
                facts_json=each.facts_json,
                received_us=now_us,
                deadline=city.clock.monotonic() + city.settings.decision_deadline_s,
            )

    async def standing(self, asked: Sequence[Asked]) -> None:
        """Get the entries, a batch in one MGET, and make them usable."""
        for start in range(0, len(asked), self.batch):
            batch = asked[start : start + self.batch]
            wanted = [Wanted(each.question.citizen) for each in batch]
            found: list[Standing] = await self.city.standings.read_many(wanted)
            for each, standing in zip(batch, found, strict=True):
                each.premises = self.city.decisions._proposer.usable(standing)

    async def scenario(self, asked: Sequence[Asked]) -> None:
        """What the scenario may see, and its verdict."""
        now_us = self.city.clock.now_us()
        for each in asked:
            question: Question = each.question
            premises: Premises = each.premises
            slip = consent_of(premises.body, question.registration.view)
            judge(question, premises, slip, now_us, used_up=False, fresh=True)

    async def record(self, asked: Sequence[Asked]) -> None:
        """The record: verdict (again), id, digest, hashes, sealed facts."""
        now_us = self.city.clock.now_us()
        for each in asked:
            each.proposal = self.city.decisions._proposer.propose(
                each.question, each.premises, now_us, None, used_up=False
            )

    async def commit(self, asked: Sequence[Asked]) -> None:
        """Send batches to PostgreSQL and take the outcomes."""
        committer, database = self.city.committer, self.city._batch
        for start in range(0, len(asked), self.batch):
            batch = asked[start : start + self.batch]
            proposals: list[Proposal] = [each.proposal for each in batch]
            outcomes = await committer._record(proposals, database)
            for each, outcome in zip(batch, outcomes, strict=True):
                assert not isinstance(outcome, Exception), outcome
                assert outcome.receipt is not None, "recorded"
                each.answer = each.proposal.record, outcome

    async def encode(self, asked: Sequence[Asked]) -> None:
        """The answer as JSON."""
        for each in asked:
            record, outcome = each.answer
            each.sent = self.wire.encode(
                Answer(
                    decision=record.id,
                    outcome=record.outcome,
                    at_us=outcome.at_us,
                    valid_until_us=outcome.valid_until_us,
                    receipt=outcome.receipt,
                    score_as_of=record.score_as_of,
                )
            )


Step = Callable[[Way, Sequence[Asked]], Awaitable[None]]

#: Every stage in the order of the path, with the stages that are measured inside it once more.
STAGES: tuple[tuple[str, Step, tuple[str, ...]], ...] = (
    ("guard", Way.guard, ()),
    ("token", Way.token, ()),
    ("parse", Way.parse, ()),
    ("subject", Way.subject, ()),
    ("standing", Way.standing, ()),
    ("scenario", Way.scenario, ()),
    ("record", Way.record, ("scenario",)),
    ("commit", Way.commit, ()),
    ("encode", Way.encode, ()),
)


def on_their_way(questions: Questions, count: int) -> list[Asked]:
    """The first so many questions as the server hands them to the application."""
    asked = []
    for raw in questions.requests(_HOST, _PORT)[:count]:
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *fields = head.split(b"\r\n")
        pairs = (field.split(b": ", 1) for field in fields)
        headers = [(name.lower(), value) for name, value in pairs]
        target = first.split(b" ")[1]
        scope: Any = {
            "type": "http",
            "method": "POST",
            "path": target.decode(),
            "raw_path": target,
            "query_string": b"",
            "headers": headers,
        }
        asked.append(Asked(scope=scope, body=body))
    return asked
