"""The path of a decision, top to bottom: standing → scenario → commit → answer.

What comes before (token, body, subject) is in gateway/edge/eligibility.py, which also shows the
whole way in one function. The rule that everything here serves: the cache makes it fast, the
commit makes it true. A decision is computed from whatever standing the cache offers; no answer
leaves before one statement of PostgreSQL has recorded it and confirmed every premise. A premise
that no longer holds comes back fresh with the commit, and the question is decided again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date
from uuid import UUID

import msgspec
import structlog

from gateway.batching import HANDED_ON, Batcher, HandedOn
from gateway.body import NOBODY, is_body
from gateway.clock import Clock
from gateway.committer import Committer, Waiting
from gateway.counts import Counts
from gateway.errors import (
    ClientGone,
    DependencyDown,
    Forbidden,
    GatewayError,
    IdempotencyMismatch,
    Overloaded,
    QuotaExceeded,
)
from gateway.evidence import Record
from gateway.parties import Parties
from gateway.policies import Policies
from gateway.proposer import Premises, Proposer, Question
from gateway.recognition.freshness import Freshness
from gateway.standing import Standing, StandingReader, StandingWriter, Wanted
from gateway.store.cache import Entry
from gateway.store.decision import Outcome, Proposal, Replay
from gateway.vault import SealBroken
from scenarios.contract import Outcome as Answered

_log = structlog.get_logger(__name__)

#: A question is decided at most so often: once from the cache, twice from what commits returned.
TRIES = 3


class Answer(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What was recorded: all that the party will read, and nothing of what it was made of."""

    decision: UUID
    outcome: Answered
    at_us: int
    valid_until_us: int
    receipt: bytes
    score_as_of: date | None


class Attempt:
    """A question under way: what it was last decided from, and what is to be recorded."""

    __slots__ = ("future", "gone", "premises", "proposal", "question", "repeat_of", "used_up")

    def __init__(self, question: Question) -> None:
        self.question = question
        self.premises: Premises | None = None
        self.proposal: Proposal | None = None
        self.repeat_of: UUID | None = None
        self.used_up = False
        #: The asker is known to have left: nothing more is sent for it.
        self.gone = False
        self.future: asyncio.Future[Outcome | None] | None = None


class Decisions:
    """Decides questions; one instance per worker.

    The first try of all that gathers in a tick is one batch: one MGET, then each question decided
    and handed to the commit, whose outcome wakes the asker. So a question waits once.
    """

    def __init__(
        self,
        *,
        standings: StandingReader,
        writer: StandingWriter,
        committer: Committer,
        proposer: Proposer,
        policies: Policies,
        parties: Parties,
        freshness: Freshness,
        clock: Clock,
        waiting_max: int,
        linger_s: Callable[[], float] = lambda: 0.0,
        counts: Counts,
    ) -> None:
        self._standings = standings
        self._writer = writer
        self._committer = committer
        self._policies = policies
        self._proposer = proposer
        self._clock = clock
        self._parties = parties
        self._freshness = freshness
        self._counts = counts
        self._first: Batcher[Attempt, Outcome | None] = Batcher(
            self._first_tries,
            batch_max=256,
            waiting_max=waiting_max,
            linger_s=linger_s,
            queue=counts.queue("read"),
        )

    async def decide(self, question: Question) -> Answer:
        """The recorded answer to a question.

        Raises:
            DependencyDown, OutcomeUnknown, Overloaded: there is no answer (503).
            Forbidden: the party may no longer ask.
            IdempotencyMismatch: the request id was used with another body.
            QuotaExceeded: the party's own limit is spent.
        """
        return await self.finish(self.begin(question))

    async def decide_many(self, questions: Sequence[Question]) -> list[Answer | GatewayError]:
        """The recorded answers to questions, in order; what went wrong with one is in its place.

        They share reads and commits like questions of several callers. At most `waiting_max`.
        """
        begun: list[Attempt | GatewayError] = []
        for question in questions:
            try:
                begun.append(self.begin(question))
            except GatewayError as fault:
                begun.append(fault)
        try:
            return [await self._finished_or_fault(each) for each in begun]
        finally:
            # Of an asker that has gone, what was not sent yet is not sent.
            for each in begun:
                if isinstance(each, Attempt) and each.future is not None:
                    each.future.cancel()

    async def _finished_or_fault(self, begun: Attempt | GatewayError) -> Answer | GatewayError:
        if isinstance(begun, GatewayError):
            return begun
        try:
            return await self.finish(begun)
        except GatewayError as fault:
            return fault

    def begin(self, question: Question) -> Attempt:
        """Put a question on its way. Its `future` is done when the first try is.

        Raises:
            Overloaded: too many are waiting.
        """
        attempt = Attempt(question)
        attempt.future = self._first.submit(attempt)
        return attempt

    def at_once(self, attempt: Attempt) -> Answer | None:
        """The answer of a first try that is done, or None where `finish` has more to do.

        Raises: as `decide` does.
        """
        assert attempt.future is not None, "set when it was begun"
        outcome = attempt.future.result()
        if outcome is None or outcome.receipt is None:
            return None
        return self._answered(attempt, outcome)

    async def finish(self, attempt: Attempt) -> Answer:
        """The answer to a question that was begun; raises as `decide` does."""
        assert attempt.future is not None, "set when it was begun"
        outcome = await attempt.future
        if outcome is None:
            outcome = await self._first_alone(attempt)
        for _ in range(TRIES - 1):
            if outcome.receipt is not None:
                break
            # Not recorded: learn what no longer holds, and decide again from the truth.
            self._counts.stale(outcome.changed)
            saved = await self._learn(attempt, outcome)
            if saved is not None:
                return _replayed(saved)
            self._counts.retried()
            self._propose_again(attempt, outcome.at_us)
            outcome = await self._record(attempt)
        return self._answered(attempt, outcome)

    async def settled(self) -> None:
        """Return once no first try is under way."""
        while self._first.busy:  # noqa: ASYNC110  once, at a worker's end
            await asyncio.sleep(0.001)

    async def _first_tries(
        self, attempts: Sequence[Attempt]
    ) -> list[Outcome | Exception | HandedOn | None]:
        """Read the standings of a batch in one go, decide each, and hand it to the commit."""
        wanted = [_wanted(each.question) for each in attempts]
        standings = await self._standings.read_many(wanted)
        at_us = self._clock.now_us()
        return [
            self._first_try(attempt, standing, at_us)
            for attempt, standing in zip(attempts, standings, strict=True)
        ]

    def _first_try(
        self, attempt: Attempt, standing: Standing | QuotaExceeded, at_us: int
    ) -> Exception | HandedOn | None:
        """Hand one on; None leaves it to its own asker: bytes of no use, or the second lane."""
        if isinstance(standing, QuotaExceeded):
            return standing
        try:
            premises = attempt.premises = self._proposer.usable(standing)
        except (msgspec.DecodeError, SealBroken):
            _log.warning("standing_unusable", origin="cache")
            attempt.premises = Premises(standing, NOBODY, None)
            return None
        try:
            proposal = self._proposer.propose(
                attempt.question, premises, at_us, None, used_up=False
            )
            attempt.proposal = proposal
            if proposal.frequency:
                return None
            waiting = Waiting(proposal, attempt.question.deadline)
            self._committer.batcher.submit(waiting, attempt.future)
        except Exception as fault:
            return fault
        return HANDED_ON

    async def _first_alone(self, attempt: Attempt) -> Outcome:
        """The first try of what cannot go with the others."""
        if attempt.proposal is None:
            assert attempt.premises is not None, "set when the standing was read"
            attempt.premises = await self._true_premises(attempt.question, attempt.premises)
            self._propose_again(attempt, self._clock.now_us())
        return await self._record(attempt)

    async def _record(self, attempt: Attempt) -> Outcome:
        assert attempt.proposal is not None, "decided before it is recorded"
        if attempt.gone:
            raise ClientGone
        return await self._committer.record(attempt.proposal, attempt.question.deadline)

    def _propose_again(self, attempt: Attempt, at_us: int) -> None:
        assert attempt.premises is not None, "read before it is decided"
        attempt.proposal = self._proposer.propose(
            *(attempt.question, attempt.premises, at_us, attempt.repeat_of),
            used_up=attempt.used_up,
        )

    async def _learn(self, attempt: Attempt, outcome: Outcome) -> Replay | None:
        """Take in what the commit said; an answer saved before ends the matter."""
        assert attempt.premises is not None, "decided from something"
        if outcome.standing_holds and not outcome.issuer_holds:
            # The standing is as it was, so it was this city's word that was taken wrongly.
            assumed = attempt.proposal.fresh if attempt.proposal is not None else None
            self._freshness.learn(attempt.premises.body.issuer, assumed=assumed)
        if not outcome.party_holds or not outcome.policy_holds:
            attempt.question = await self._refreshed(attempt.question)
        if not outcome.standing_holds:
            attempt.premises = await self._corrected(attempt.question, attempt.premises, outcome)
        elif outcome.used_up:
            attempt.used_up = True
        elif outcome.changed == ["request_id"]:
            saved = await self._saved(attempt.question)
            if saved.holds:
                return saved
            attempt.repeat_of = saved.decision
        return None

    def _answered(self, attempt: Attempt, outcome: Outcome) -> Answer:
        if outcome.receipt is None:
            self._counts.stale(outcome.changed)
            self._counts.limited("tries")
            raise Overloaded(retry_after_s=1)
        assert attempt.proposal is not None, "what was recorded was proposed"
        answer = _answer(attempt.proposal.record, outcome, outcome.receipt)
        question = attempt.question
        kind = question.principal.party.row.kind
        self._counts.decided(question.scenario.id, kind, answer.outcome)
        return answer

    async def _true_premises(self, question: Question, unusable: Premises) -> Premises:
        """The standing from PostgreSQL, where the cache's bytes are of no use.

        One that was written in an earlier layout is built anew from what it is made of, when it is
        first asked for: an upgrade stops nobody and visits nobody else.
        """
        wanted = Wanted(question.citizen, question.stock)
        true = await self._standings.read_stored(wanted)
        try:
            premises = self._proposer.usable(true)
        except msgspec.DecodeError:
            await self._writer.rebuild(question.citizen)
            true = await self._standings.read_stored(wanted)
            premises = self._stored(true)
        except SealBroken:
            premises = self._stored(true)
        wrong = unusable.standing.cached
        self._standings.heal(wrong, Entry(true.citizen, true.version, true.body))
        return msgspec.structs.replace(
            premises,
            standing=msgspec.structs.replace(true, stock=unusable.standing.stock),
        )

    async def _corrected(
        self, question: Question, premises: Premises, outcome: Outcome
    ) -> Premises:
        """The premises that the commit statement itself returned, and a healed cache."""
        used = premises.standing
        version, body = outcome.true_version or 0, outcome.true_body or b""
        if version and not is_body(body):
            return await self._true_premises(question, premises)
        if version:
            self._standings.heal(used.cached, Entry(question.citizen, version, body))
        return self._stored(Standing(question.citizen, version, body, used.stock))

    def _stored(self, standing: Standing) -> Premises:
        try:
            return self._proposer.usable(standing)
        except (msgspec.DecodeError, SealBroken):
            # PostgreSQL's own copy cannot be read: a wrong key file or a damaged row. There is no
            # answer without a usable standing.
            _log.error("standing_unusable", origin="database")
            raise DependencyDown("standing") from None

    async def _refreshed(self, question: Question) -> Question:
        """The same question by the party as it is now.

        Raises:
            Unauthenticated: the token's key was revoked, or the token is older than allowed.
            Forbidden: the party was suspended, or no longer takes part in this scenario.
        """
        await self._parties.refresh(force=True)
        await self._policies.refresh()
        principal = self._parties.readmit(question.principal)
        registration = principal.party.registrations.get(question.scenario.id)
        if registration is None or registration.view.sector != question.registration.view.sector:
            # Another recipient now: the subject was made for the former one.
            raise Forbidden("scenario")
        return msgspec.structs.replace(question, principal=principal, registration=registration)

    async def _saved(self, question: Question) -> Replay:
        assert question.request_id is not None, "everything holds, so only a repeat can fail"
        saved = await self._committer.replay(question.principal.party.row.num, question.request_id)
        if saved is None:
            raise Overloaded(retry_after_s=1)
        if saved.body_hash != question.body_hash:
            raise IdempotencyMismatch
        return saved


def _wanted(question: Question) -> Wanted:
    return Wanted(question.citizen, question.stock, question.principal.party)


def _answer(record: Record, outcome: Outcome, receipt: bytes) -> Answer:
    assert outcome.valid_until_us is not None, "set with the receipt"
    return Answer(
        decision=record.id,
        outcome=Answered(record.outcome),
        at_us=outcome.at_us,
        valid_until_us=outcome.valid_until_us,
        receipt=receipt,
        score_as_of=record.score_as_of,
    )


def _replayed(saved: Replay) -> Answer:
    return Answer(
        decision=saved.decision,
        outcome=Answered(saved.outcome),
        at_us=saved.at_us,
        valid_until_us=saved.valid_until_us,
        receipt=saved.receipt,
        score_as_of=saved.score_as_of,
    )
