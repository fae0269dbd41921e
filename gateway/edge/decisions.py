"""Answers read back over HTTP: one address, two views."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from gateway.clock import rfc3339
from gateway.edge.access import ACCESS, Access, city_of, viewer_of
from gateway.edge.answer import Freshness, Policy
from gateway.keys import b64url
from gateway.lookups import Explained, Obligation, Reason
from scenarios.contract import Outcome


class PartyAnswer(msgspec.Struct, frozen=True):
    """The answer as the asking party got it, and not a word more."""

    decision_id: UUID
    outcome: str
    obligations: tuple[Obligation, ...]
    valid_until: str
    policy: Policy
    freshness: Freshness
    receipt: str


class ClauseReason(msgspec.Struct, frozen=True):
    """A clause of the rule: whether it was met, and what would help where it was not."""

    id: str
    met: bool
    zh: str
    en: str
    help_zh: str | None
    help_en: str | None


class ConsentUsed(msgspec.Struct, frozen=True):
    """The consent that was found, in the version that was found."""

    id: UUID
    version: int


class CitizenReasons(msgspec.Struct, frozen=True, kw_only=True):
    """The answer with every reason, for the citizen alone."""

    decision_id: UUID
    outcome: str
    scenario: str
    party: str
    recipient: str
    staff: str | None
    reference: str | None
    asked_at: str
    answered_at: str
    valid_until: str
    delivered: bool
    """False: recorded, not delivered; the party may never have read it."""
    clauses: tuple[ClauseReason, ...]
    facts: dict[str, Any] | None
    """What the party sent; null once it has been erased."""
    consent: ConsentUsed | None
    standing_version: int
    policy: Policy
    freshness: Freshness
    receipt: str


@get("/v1/decisions/{decision:uuid}", opt={ACCESS: Access.PARTY_OR_CITIZEN})
async def decision(
    request: Request[Any, Any, Any], decision: FromPath[UUID]
) -> PartyAnswer | CitizenReasons:
    """The asking party reads its answer, the citizen the reasons; to others there is none."""
    city, viewer = city_of(request), viewer_of(request)
    if isinstance(viewer, UUID):
        return _reasons(await city.lookups.reasons(decision, viewer))
    answered, rule = await city.lookups.answer(decision, viewer.party.row.num)
    return PartyAnswer(
        decision_id=answered.id,
        outcome=Outcome(answered.outcome).wire,
        obligations=rule.obligations,
        valid_until=rfc3339(answered.valid_until_us),
        policy=Policy(answered.scenario, b64url(answered.revision)),
        freshness=_freshness(answered.score_as_of, answered.at_us),
        receipt=b64url(answered.receipt),
    )


def _reasons(explained: Explained) -> CitizenReasons:
    record = explained.record
    consent = None
    if record.consent is not None and record.consent_version is not None:
        consent = ConsentUsed(record.consent, record.consent_version)
    return CitizenReasons(
        decision_id=record.id,
        outcome=Outcome(record.outcome).wire,
        scenario=record.scenario,
        party=record.party,
        recipient=record.recipient,
        staff=record.staff,
        reference=record.reference,
        asked_at=rfc3339(record.received_us),
        answered_at=rfc3339(record.at_us),
        valid_until=rfc3339(record.valid_until_us),
        delivered=record.delivered,
        clauses=tuple(map(_clause, explained.reasons)),
        facts=explained.facts,
        consent=consent,
        standing_version=record.standing_version,
        policy=Policy(record.scenario, b64url(record.revision)),
        freshness=_freshness(record.score_as_of, record.at_us),
        receipt=b64url(record.receipt),
    )


def _clause(reason: Reason) -> ClauseReason:
    words, met = reason.clause, reason.met
    helps = (None, None) if met else (words.help_zh, words.help_en)
    return ClauseReason(words.id, met, words.zh, words.en, *helps)


def _freshness(score_as_of: Any, at_us: int) -> Freshness:
    return Freshness(score_as_of.isoformat() if score_as_of else None, rfc3339(at_us))


HANDLERS: list[HTTPRouteHandler] = [decision]
