"""A citizen's scenarios: open or what is missing, who offers them, and beginning a consent."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from gateway.clock import rfc3339
from gateway.consent_notice import Receiver
from gateway.consent_requests import LINK_PATH
from gateway.consent_rules import state
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.edge.consent_requests import Purpose
from gateway.edge.consents import REQUESTS
from gateway.edge.idempotency import act_of
from gateway.offers import Look, Offered, Offers, Prospects
from gateway.openness import Missing
from gateway.own_requests import Wish
from gateway.store.consent import HeldConsent
from scenarios.manifest import Citation, Dated, Manifest, Obligation, Parameter, Text

_PATH = "/v1/me/scenarios"

PartyId = Annotated[str, Meta(pattern=r"\A[a-z0-9-]{3,64}\Z")]
Words = Annotated[str, QueryParameter(max_length=64)]


class Own(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom I would allow to ask (its client id); without a purpose, the scenario's first one."""

    party: PartyId
    purpose: Purpose | None = None


class OwnRequest(msgspec.Struct, frozen=True):
    """A request that only its citizen sees: the page to read it on, and the same as JSON."""

    status: str
    page: str
    request: str
    expires_at: str


class MissingClause(msgspec.Struct, frozen=True):
    """A clause that is not met, what would help, and what the app can do about it: `consent`,
    `promise`, `score`, `frequency`, or null."""

    id: str
    zh: str
    en: str
    help_zh: str
    help_en: str
    remedy: str | None


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What a question with the example's facts would be answered now; nobody is told.

    `missing` leaves out what only a party can mend.
    """

    open: bool
    outcome: str
    missing: tuple[MissingClause, ...]
    example: dict[str, Any]


class ScenarioView(msgspec.Struct, frozen=True):
    """A scenario on a citizen's page: what it is, and what of it stands.

    `commitment` is None where the scenario asks for none; `committed` is towards the city or any
    party; `consents` counts the live ones. `opening` is at the party where most is met, `at`.
    """

    id: str
    title: Text
    summary: Text
    commitment: Text | None
    committed: bool
    consents: int
    opening: Opening
    at: str | None


class ScenarioList(msgspec.Struct, frozen=True):
    """The scenarios of the city."""

    scenarios: list[ScenarioView]


class Figure(msgspec.Struct, frozen=True):
    """A parameter as it is in force: its value, since when, from where, and whether invented."""

    name: str
    unit: str
    by_band: bool
    zh: str
    en: str
    value: Any
    since: str
    source: str
    illustrative: bool


class HeldHere(msgspec.Struct, frozen=True):
    """The consent that stands towards a recipient."""

    id: UUID
    status: str


class PartyOffer(msgspec.Struct, frozen=True):
    """A party that offers the scenario, who receives the answer, and whether it is open there."""

    party: str
    name: str
    kind: str
    recipient: Receiver
    consent: HeldHere | None
    opening: Opening


class ScenarioPage(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario whole, as it stands for me. `more` where a search would find further parties."""

    scenario: ScenarioView
    owner: str
    legal_basis: tuple[Citation, ...]
    figures: tuple[Figure, ...]
    obligations: tuple[Obligation, ...]
    separate: bool
    parties: list[PartyOffer]
    more: bool


@get(_PATH, opt={ACCESS: Access.CITIZEN})
async def scenarios(request: Request[Any, Any, Any]) -> ScenarioList:
    """Where a good name counts in this city, what is open to me, and what I have said yes to."""
    found = await city_of(request).offers.overview(citizen_of(request))
    return ScenarioList([_scenario(each) for each in found])


@get(_PATH + "/{scenario:str}", opt={ACCESS: Access.CITIZEN})
async def scenario(
    request: Request[Any, Any, Any], scenario: FromPath[str], q: Words = ""
) -> ScenarioPage:
    """One scenario, with the parties that offer it; `q` looks for some by name."""
    city = city_of(request)
    prospects, offers = await city.offers.of(citizen_of(request), scenario, q)
    return _page(prospects, offers, city.clock.now_us())


@post(_PATH + "/{scenario:str}/consent-requests", opt={ACCESS: Access.CITIZEN}, status_code=201)
async def begin(
    request: Request[Any, Any, Any], scenario: FromPath[str], data: JSONBody[Own]
) -> Response[OwnRequest]:
    """Let me read what a party would ask, to consent or not; it is told of a consent only."""
    city, citizen = city_of(request), citizen_of(request)
    act = await act_of(request, citizen)
    wish = Wish(scenario=scenario, party=data.party, purpose=data.purpose)
    begun = await city.own_requests.begin(citizen, wish, act)
    token = city.consent_requests.token(begun.id)
    page = LINK_PATH + token
    answer = OwnRequest(begun.status, page, f"{REQUESTS}/{token}", rfc3339(begun.expires_us))
    return Response(answer, headers={"location": answer.request})


def _page(prospects: Prospects, offers: Offers, now_us: int) -> ScenarioPage:
    manifest = prospects.prospect.compiled.manifest
    return ScenarioPage(
        scenario=_scenario(prospects),
        owner=manifest.owner,
        legal_basis=manifest.legal_basis,
        figures=figures(manifest, now_us),
        obligations=manifest.obligations,
        separate=manifest.consent.separate,
        parties=[_offer(each) for each in offers.offered],
        more=offers.more,
    )


def _scenario(prospects: Prospects) -> ScenarioView:
    manifest = prospects.prospect.compiled.manifest
    text = manifest.commitment
    return ScenarioView(
        manifest.id,
        manifest.title,
        manifest.summary,
        None if text is None else Text(zh=text.zh, en=text.en),
        prospects.committed,
        sum(state(each.consent) == "active" for each in prospects.consents),
        _opening(prospects.look),
        prospects.party,
    )


def _opening(look: Look) -> Opening:
    return Opening(
        open=look.openness.open,
        outcome=look.openness.outcome.wire,
        missing=tuple(map(_missing, look.openness.missing)),
        example=look.example.sent,
    )


def _missing(missing: Missing) -> MissingClause:
    clause = missing.clause
    return MissingClause(
        *(clause.id, clause.zh, clause.en, clause.help_zh, clause.help_en), missing.remedy
    )


def _offer(offered: Offered) -> PartyOffer:
    offer = offered.offer
    return PartyOffer(
        offer.party,
        offer.name,
        offer.kind,
        Receiver(offer.recipient_name, offer.recipient_contact, offer.recipient_promise),
        None if offered.held is None else _held(offered.held),
        _opening(offered.look),
    )


def _held(held: HeldConsent) -> HeldHere:
    return HeldHere(held.consent.id, state(held.consent))


def figures(manifest: Manifest, now_us: int) -> tuple[Figure, ...]:
    """The parameters in force at an instant, without those whose first value is yet to come."""
    found = [(each, each.at(now_us)) for each in manifest.parameters]
    return tuple(_figure(each, dated) for each, dated in found if dated is not None)


def _figure(parameter: Parameter, dated: Dated) -> Figure:
    return Figure(
        *(parameter.name, parameter.unit.value, parameter.by is not None),
        *(parameter.zh, parameter.en, dated.value),
        *(dated.start.isoformat(), dated.source, dated.illustrative),
    )


HANDLERS: list[HTTPRouteHandler] = [scenarios, scenario, begin]
