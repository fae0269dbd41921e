"""Staff ask about the citizen in front of them, through the same path as the party's programs.

A code that the citizen shows says who it is, once. From then on the page holds a sealed handle in
its place, good for this session and a few minutes: enough to try another amount, or to wait while
the citizen consents, and nothing that could be written down. The answer is the party's and no more.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec

from gateway.clock import DAY_US, SECOND_US, Clock, shanghai_midnight_after
from gateway.consent_requests import ConsentRequests
from gateway.counter.sessions import Clerk
from gateway.counter.tickets import Tickets
from gateway.counter.trials import Trials
from gateway.credit_codes import CreditCodes, Redeemed
from gateway.decision import Answer, Decisions
from gateway.errors import Forbidden, Malformed, NotFound
from gateway.idempotency import Act
from gateway.ids import Ids
from gateway.parties import Registration
from gateway.proposer import Question
from gateway.pseudonyms import Pseudonyms
from gateway.store import counter_question as rows
from gateway.store.counter_question import NewQuestion, QuestionRow
from gateway.store.database import Database
from scenarios.compiler import Compiled

#: For how long the page may ask about the same person after the code, or after the end of the
#: request that the code led to, in seconds. Neither a repeat nor a later question makes it longer.
AGAIN_LIFE_S: Final = 300

_encode = msgspec.json.Encoder().encode


class Person(msgspec.Struct, frozen=True):
    """A ticket: the citizen in front of a counter, for one session and one scenario.

    `request` names the consent request that the citizen has yet to decide. No ticket that is made
    of this one is good after `until_us` (UTC), which is the end of this one.
    """

    session: bytes
    scenario: str
    subject: str = ""
    question: UUID | None = None
    request: UUID | None = None
    until_us: int = 0


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked, understood; about whom is said by a code or by a handle."""

    scenario: Compiled
    facts: msgspec.Struct
    facts_json: bytes
    stock: tuple[str, str] | None
    reference: str | None
    code: str | None
    handle: str | None
    act: Act


class Answered(msgspec.Struct, frozen=True):
    """The recorded answer, and the handle for another question about the same person."""

    answer: Answer
    handle: str


class Waiting(msgspec.Struct, frozen=True):
    """The citizen is asked for a consent; the handle asks again when that is decided."""

    handle: str
    expires_us: int


class NotConsented(msgspec.Struct, frozen=True):
    """The citizen declined, or let the time pass: the ordinary way, and nothing was asked."""


Result: TypeAlias = Answered | Waiting | NotConsented


class Listed(msgspec.Struct, frozen=True):
    """A page of the day's questions, newest first; `next` is the place of the following one."""

    rows: list[QuestionRow]
    next: UUID | None


class CounterQuestions:
    """Questions at counters; one instance per worker."""

    def __init__(
        self,
        *,
        database: Database,
        codes: CreditCodes,
        requests: ConsentRequests,
        decisions: Decisions,
        pseudonyms: Pseudonyms,
        tickets: Tickets,
        trials: Trials,
        clock: Clock,
        ids: Ids,
        deadline_s: float,
    ) -> None:
        self._database, self._codes, self._requests = database, codes, requests
        self._decisions, self._pseudonyms, self._tickets = decisions, pseudonyms, tickets
        self._trials = trials
        self._clock, self._ids, self._deadline_s = clock, ids, deadline_s

    async def ask(self, clerk: Clerk, asked: Asked) -> Result:
        """The answer to a question, or what it waits for.

        Raises:
            Forbidden: the party does not take part in the scenario.
            NotFound: the code is none that works here and now, or its time is over.
            Malformed: the handle is another session's or scenario's, or its time is over.
            TooManyRequests: too many codes were wrong, or too many different facts were tried.
            others: as `Decisions.decide`.
        """
        received_us = self._clock.now_us()
        registration = clerk.party.registrations.get(asked.scenario.id)
        if registration is None:
            raise Forbidden("not-registered")
        person = await self._person(clerk, asked)
        if person.request is not None:
            held, subject = await self._requests.of_party(clerk.principal, person.request)
            if held.status == "pending" and not held.over:
                return await self._wait(clerk, asked, person, held.expires_us)
            if not subject:
                return NotConsented()
            person = msgspec.structs.replace(person, subject=subject)
        return await self._answered(clerk, asked, registration, person, received_us)

    async def _answered(
        self,
        clerk: Clerk,
        asked: Asked,
        registration: Registration,
        person: Person,
        received_us: int,
    ) -> Answered:
        citizen = self._pseudonyms.open(person.subject, registration.view.sector)
        if citizen is None:  # the party asks for another recipient since
            raise Malformed([("/person", "not a person of this recipient")])
        await self._trials.count(clerk.party.row.num, citizen, asked.scenario.id, asked.facts_json)
        line = await self._noted(clerk, asked, person)
        answer = await self._decisions.decide(
            self._question(clerk, asked, registration, person.subject, citizen, line, received_us)
        )
        async with self._database.connection() as connection:
            await rows.decided(connection, line, answer.decision)
        again = msgspec.structs.replace(person, question=None, request=None)
        return Answered(answer, self._sealed(again))

    async def today(self, clerk: Clerk, before: UUID | None, limit: int) -> Listed:
        """What the party's staff asked since midnight in Asia/Shanghai."""
        since_us = shanghai_midnight_after(self._clock.now_us()) - DAY_US
        async with self._database.connection() as connection:
            found = await rows.page(
                connection,
                clerk.party.row.num,
                clerk.id,
                before=before or UUID(int=(1 << 128) - 1),
                since_us=since_us,
                limit=limit + 1,
            )
        return Listed(found[:limit], found[limit - 1].id if len(found) > limit else None)

    async def _person(self, clerk: Clerk, asked: Asked) -> Person:
        if asked.code is None:
            return self._known(clerk, asked)
        told = await self._codes.redeem(
            clerk.principal, asked.code, asked.scenario.id, desk=clerk.desk, act=asked.act
        )
        return self._met(clerk, asked.scenario.id, told)

    def _known(self, clerk: Clerk, asked: Asked) -> Person:
        """The person of a handle, until the end of the very ticket that was brought."""
        opened = self._tickets.open_until(Person, asked.handle)
        if opened is not None:
            person, until_us = opened
            if (person.session, person.scenario) == (clerk.session, asked.scenario.id):
                return msgspec.structs.replace(person, until_us=until_us)
        raise Malformed([("/person", "not a handle of this session, or over")])

    def _met(self, clerk: Clerk, scenario: str, told: Redeemed) -> Person:
        """The person of a code, for as long after it was used as its first ticket lasted."""
        request, since_us = None, told.used_us
        if told.request is not None:
            request, since_us = told.request.id, told.request.expires_us
        until_us = since_us + AGAIN_LIFE_S * SECOND_US
        if until_us <= self._clock.now_us():  # a repeat of a question that was asked long ago
            raise NotFound
        return Person(clerk.session, scenario, told.subject, request=request, until_us=until_us)

    def _sealed(self, person: Person) -> str:
        return self._tickets.seal_until(person, person.until_us)

    async def _wait(self, clerk: Clerk, asked: Asked, person: Person, expires_us: int) -> Waiting:
        question = person.question
        if question is None:
            question = await self._noted(clerk, asked, person)
            async with self._database.connection() as connection:
                assert person.request is not None, "what is waited for"
                await rows.waits(connection, question, person.request)
        waiting = msgspec.structs.replace(person, question=question)
        return Waiting(self._sealed(waiting), expires_us)

    async def _noted(self, clerk: Clerk, asked: Asked, person: Person) -> UUID:
        """The list's line of a question: written before it is asked, so that none is missing."""
        async with self._database.connection() as connection:
            if person.question is not None and await rows.is_undecided(
                connection, person.question, clerk.id
            ):
                return person.question
            new = NewQuestion(
                id=self._ids.uuid7(self._clock.now_us()),
                party=clerk.party.row.num,
                staff=clerk.id,
                key=asked.act.key,
                desk=clerk.desk,
                scenario=asked.scenario.id,
                reference=asked.reference,
            )
            return await rows.add(connection, new)

    def _question(
        self,
        clerk: Clerk,
        asked: Asked,
        registration: Registration,
        subject: str,
        citizen: UUID,
        line: UUID,
        received_us: int,
    ) -> Question:
        # A repeat of the page's request is the same question, and reads the same answer.
        same: list[Any] = [subject, asked.scenario.id, asked.facts, asked.reference]
        return Question(
            principal=clerk.principal,
            registration=registration,
            scenario=asked.scenario,
            citizen=citizen,
            facts=asked.facts,
            facts_json=asked.facts_json,
            received_us=received_us,
            deadline=self._clock.monotonic() + self._deadline_s,
            stock=asked.stock,
            staff=clerk.name,
            reference=asked.reference,
            request_id=f"counter:{line}",
            body_hash=hashlib.sha256(_encode(same)).digest(),
        )
