"""Answers read back over HTTP: one address, two views; and "who asked about me"."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias
from uuid import UUID

import msgspec
from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter

from gateway.city import City
from gateway.clock import rfc3339
from gateway.edge.access import ACCESS, Access, citizen_of, city_of, viewer_of
from gateway.edge.answer import Freshness, Policy
from gateway.keys import b64url
from gateway.lookups import Explained, Obligation, Reason
from gateway.store.lookup import AssistedAct, Line, Search, StaffAct
from scenarios.contract import Outcome

Limit = Annotated[int, QueryParameter(ge=1, le=100)]
Cursor = Annotated[str | None, QueryParameter(max_length=22)]


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


class PartyQuestion(msgspec.Struct, frozen=True, tag_field="kind", tag="question", kw_only=True):
    """A party's question about the citizen."""

    at: str
    decision_id: UUID
    scenario: str
    title: str
    party: str
    staff: str | None
    reference: str | None
    outcome: str
    delivered: bool


class SearchedScenario(msgspec.Struct, frozen=True):
    """A scenario whose rule a search asked, and whether it was open to the citizen."""

    scenario: str
    title: str
    eligible: bool


class PartySearch(msgspec.Struct, frozen=True, tag_field="kind", tag="search", kw_only=True):
    """A party's search for the scenarios that are open to the citizen."""

    at: str
    search_id: UUID
    party: str
    staff: str | None
    reference: str | None
    scenarios: tuple[SearchedScenario, ...]
    delivered: bool


class StaffAccess(msgspec.Struct, frozen=True, tag_field="kind", tag="staff", kw_only=True):
    """An act of the city's staff that read or changed the citizen's data."""

    at: str
    staff: str
    purpose: str
    action: str


class AssistedService(msgspec.Struct, frozen=True, tag_field="kind", tag="assisted", kw_only=True):
    """What staff at a party's counter did for the citizen, who was there without a phone."""

    at: str
    act: str
    scenario: str
    title: str
    purpose: str
    party: str
    staff: str
    place: str
    receipt_no: str | None
    """The number on the printed receipt; null where the person was only looked up."""


LookupLine: TypeAlias = PartyQuestion | PartySearch | StaffAccess | AssistedService


class LookupPage(msgspec.Struct, frozen=True):
    """Newest first; `next` is the `cursor` of the following page, null on the last."""

    lookups: list[LookupLine]
    next: str | None


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


@get("/v1/me/lookups", opt={ACCESS: Access.CITIZEN})
async def lookups(
    request: Request[Any, Any, Any], limit: Limit = 50, cursor: Cursor = None
) -> LookupPage:
    """Who asked about the citizen, staff of the city included."""
    city = city_of(request)
    page = await city.lookups.page(citizen_of(request), cursor, limit)
    return LookupPage([_line(city, line) for line in page.lines], page.next)


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


def _line(city: City, line: Line) -> LookupLine:
    match line:
        case AssistedAct():
            return _assisted(city, line)
        case StaffAct():
            return StaffAccess(
                at=rfc3339(line.at_us), staff=line.staff, purpose=line.purpose, action=line.action
            )
        case Search():
            return PartySearch(
                at=rfc3339(line.at_us),
                search_id=line.id,
                party=line.party,
                staff=line.staff,
                reference=line.reference,
                scenarios=tuple(
                    SearchedScenario(name, _title(city, name), eligible)
                    for name, eligible in line.scenarios
                ),
                delivered=line.delivered,
            )
    return PartyQuestion(
        at=rfc3339(line.at_us),
        decision_id=line.id,
        scenario=line.scenario,
        title=_title(city, line.scenario),
        party=line.party,
        staff=line.staff,
        reference=line.reference,
        outcome=Outcome(line.outcome).wire,
        delivered=line.delivered,
    )


def _assisted(city: City, line: AssistedAct) -> AssistedService:
    told = msgspec.structs.asdict(line)
    del told["id"], told["at_us"]
    return AssistedService(at=rfc3339(line.at_us), title=_title(city, line.scenario), **told)


def _title(city: City, scenario: str) -> str:
    compiled = city.registry.get(scenario)
    return compiled.manifest.title.zh if compiled else scenario


HANDLERS: list[HTTPRouteHandler] = [decision, lookups]
