"""Deciding, and the record of a decision: everything between a standing and the commit.

Nothing here waits for anything. What a decision is computed from comes in, what is to be recorded
goes out: the verdict, the canonical record, the digest that the commit joins on, the sealed facts.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from gateway.body import (
    NOBODY,
    Body,
    ConsentSlip,
    consent_of,
    decode_body,
    digest,
    values_at,
)
from gateway.clock import DAY_US, shanghai_midnight_after
from gateway.errors import DependencyDown
from gateway.evidence import Record, facts_hash
from gateway.ids import Ids, uuid_of
from gateway.parties import Principal, Registration
from gateway.policies import Policies
from gateway.recognition.freshness import Freshness
from gateway.standing import Standing
from gateway.store.decision import Proposal
from gateway.vault import Seal, Vault
from scenarios.compiler import Compiled
from scenarios.contract import Verdict


class Question(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a party asks, understood and authenticated, about one citizen."""

    principal: Principal
    registration: Registration
    scenario: Compiled
    citizen: UUID
    facts: msgspec.Struct
    facts_json: bytes  # the same in canonical JSON, which is sealed and hashed
    received_us: int
    deadline: float  # monotonic seconds; not sent to PostgreSQL after it
    stock: tuple[str, str] | None = (
        None  # the shelf the facts ask about, where the scenario reads it
    )
    staff: str | None = None
    reference: str | None = None
    request_id: str | None = None
    body_hash: bytes = b""


class Premises(msgspec.Struct, frozen=True, gc=False):
    """A standing made usable: decoded, with the person's seal."""

    standing: Standing
    body: Body
    seal: Seal | None


class Proposer:
    """Makes proposals; one instance per worker."""

    def __init__(
        self,
        policies: Policies,
        freshness: Freshness,
        vault: Vault,
        ids: Ids,
        *,
        digest_key: bytes,
        facts_key: bytes,
    ) -> None:
        self._policies, self._freshness = policies, freshness
        self._vault, self._ids = vault, ids
        self._digest_key, self._facts_key = digest_key, facts_key

    def usable(self, standing: Standing) -> Premises:
        """A standing decoded, with the person's seal.

        Raises:
            msgspec.DecodeError: its body is none, or one of an earlier layout.
            SealBroken: the person's key does not open.
        """
        body = decode_body(standing.body) if standing.version else NOBODY
        seal = self._vault.person(body.key, standing.citizen) if body.living else None
        return Premises(standing, body, seal)

    def propose(
        self,
        question: Question,
        premises: Premises,
        at_us: int,
        repeat_of: UUID | None,
        *,
        used_up: bool,
    ) -> Proposal:
        """Decide, and put the decision into the form of its record.

        A visitor's is decided by what is guessed of the home city's word, which the commit checks.

        Raises:
            DependencyDown: this worker's rule is not in the live set.
        """
        view, standing = question.registration.view, premises.standing
        slip = consent_of(premises.body, view)
        fresh = self._freshness.guess(premises.body.issuer)
        verdict = judge(question, premises, slip, at_us, used_up=used_up, fresh=fresh is not False)
        facts = question.facts_json
        identifier = self._ids.uuid7(at_us)
        record = Record(
            id=identifier,
            received_us=question.received_us,
            party=question.principal.party.row.num,
            party_revision=question.principal.party.row.revision,
            policy=self._policy(question.scenario),
            citizen=question.citizen,
            standing_version=standing.version,
            consent=uuid_of(slip.id) if slip else None,
            consent_version=slip.version if slip else None,
            outcome=verdict.outcome,
            clauses=verdict.met,
            since_us=verdict.since_us,
            until_us=verdict.until_us,
            score_as_of=self._policies.score_as_of,
            facts_hash=facts_hash(self._facts_key, view.sector, view.scenario, facts),
            staff=question.staff,
            reference=question.reference,
            repeat_of=repeat_of,
        )
        return Proposal(
            record=record,
            digest=digest(self._digest_key, question.citizen, standing.version, standing.body),
            sealed=self._sealed(premises.seal, question.citizen, facts, identifier),
            request_id=question.request_id,
            body_hash=question.body_hash,
            frequency=slip.frequency if slip and not used_up and _uses(slip, at_us) else 0,
            fresh=fresh,
        )

    def _sealed(self, seal: Seal | None, citizen: UUID, facts: bytes, decision: UUID) -> bytes:
        # A subject that opens to nobody is answered at the same cost: its facts are sealed under
        # a key that is thrown away at once.
        if seal is None:
            seal = self._vault.person(self._vault.new_key(citizen), citizen)
        return seal.seal(facts, b"decision_facts/" + decision.bytes)

    def _policy(self, scenario: Compiled) -> int:
        number = self._policies.number(scenario.id)
        if number is None:
            # This worker's revision is not in the live set: it was retired, or never published.
            raise DependencyDown("policy")
        return number


def judge(
    question: Question,
    premises: Premises,
    slip: ConsentSlip | None,
    at_us: int,
    *,
    used_up: bool,
    fresh: bool,
) -> Verdict:
    """The scenario's verdict on the facts and on what it may see of the citizen at an instant."""
    stock = premises.standing.stock
    values = values_at(
        *(premises.body, question.registration.view, at_us),
        slip=slip,
        used_up=used_up,
        stock=stock,
        fresh=fresh,
    )
    if used_up:
        # A spent frequency is a fact of the day in Asia/Shanghai, and the day ends.
        midnight = shanghai_midnight_after(at_us)
        values = msgspec.structs.replace(
            values,
            since_us=max(values.since_us, midnight - DAY_US),
            until_us=min(values.until_us, midnight),
        )
    return question.scenario.decide(values, question.facts, at_us)


def _uses(slip: ConsentSlip, at_us: int) -> bool:
    """Whether a question counts against the consent's daily frequency."""
    return (
        slip.frequency > 0
        and slip.from_us <= at_us < slip.to_us
        and (not slip.paused_until_us or slip.paused_until_us <= at_us)
    )
