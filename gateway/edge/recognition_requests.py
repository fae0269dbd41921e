"""Citizens read another city's request, and allow it or decline."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from gateway.city import City
from gateway.clock import rfc3339
from gateway.consent_notice import Between, Told, Words, notice, title_of
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.edge.idempotency import act_of
from gateway.edge.wire import ScenarioId, Sha256
from gateway.lookups import ClauseWords
from gateway.recognition.lacking import Lack
from gateway.recognition.partners import RECOGNITION
from gateway.recognition.requests import Mine, Shown

_REQUESTS = "/v1/me/recognition-requests"


class AskingCity(msgspec.Struct, frozen=True):
    """The city that asks, as the region's list names it."""

    code: str
    """GB/T 2260."""
    name: Words
    contact: str
    issuer: str


class Obstacle(msgspec.Struct, frozen=True):
    """Why a scenario is not open to me; nobody else is told, the city that asks least of all.

    `why` is `not-agreed` (by the two cities), `score` (there is none), `room` (too little of my
    deposit limit is free), `tier` (`band`, 1 to 5, is the least that would do) or `rule` (`unmet`
    clauses of this city's own).
    """

    why: str
    band: int | None
    unmet: tuple[ClauseWords, ...]


class AskedScenario(msgspec.Struct, frozen=True):
    """A scenario that is asked for, and whether it would be open there to me now; what stands in
    the way is null where it is, and where the city may not ask any more."""

    id: str
    title: Words
    open: bool
    lacks: Obstacle | None


class ShownRecognitionRequest(Told, frozen=True, kw_only=True):
    """A request as its citizen reads it, with the separate consent that allowing it is.

    `city` is null where that city may not ask any more. `reserved_fen` of my own deposit limit is
    kept for that city while it recognises me.
    """

    id: UUID
    status: str
    expires_at: str
    city: AskingCity | None
    scenarios: tuple[AskedScenario, ...]
    reserved_fen: int
    longest_until: str
    allow: str | None
    """Where it is allowed; null once it is decided or over, or where nothing is open."""
    decline: str | None


class Allow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A separate consent to the text whose hash was shown, for all or some of the scenarios."""

    text_sha256: Sha256
    scenarios: Annotated[tuple[ScenarioId, ...], Meta(min_length=1, max_length=100)] | None = None


class Answered(msgspec.Struct, frozen=True):
    """Where my browser takes the answer: an address of the city that asked."""

    location: str


@get(_REQUESTS + "/{recognition_request:uuid}", opt={ACCESS: Access.CITIZEN})
async def show(
    request: Request[Any, Any, Any], recognition_request: FromPath[UUID]
) -> ShownRecognitionRequest:
    """The request for which I have just signed in."""
    city = city_of(request)
    shown = await city.recognition_requests.shown(mine_of(request), recognition_request)
    return shown_request(city, shown)


@post(
    _REQUESTS + "/{recognition_request:uuid}/allow", opt={ACCESS: Access.CITIZEN}, status_code=200
)
async def allow(
    request: Request[Any, Any, Any], recognition_request: FromPath[UUID], data: JSONBody[Allow]
) -> Answered:
    """Consent, separately, to that city; the answer goes there with my browser."""
    city, mine = city_of(request), mine_of(request)
    act = await act_of(request, mine.citizen)
    location = await city.recognition_requests.allow(
        mine, recognition_request, data.text_sha256, data.scenarios, act
    )
    return Answered(location)


@post(
    _REQUESTS + "/{recognition_request:uuid}/decline",
    opt={ACCESS: Access.CITIZEN},
    status_code=200,
)
async def decline(request: Request[Any, Any, Any], recognition_request: FromPath[UUID]) -> Answered:
    """Decline; nothing else follows."""
    city, mine = city_of(request), mine_of(request)
    act = await act_of(request, mine.citizen, required=False)
    return Answered(await city.recognition_requests.decline(mine, recognition_request, act))


def mine_of(request: Request[Any, Any, Any]) -> Mine:
    """Whose browser it is."""
    return Mine(citizen_of(request), city_of(request).sessions.key(request))


def shown_request(city: City, shown: Shown) -> ShownRecognitionRequest:
    """A request as its citizen reads it."""
    held, compiled = shown.held, city.registry[RECOGNITION]
    between = Between(
        purpose=compiled.manifest.purposes[0],
        recipient_name=held.recipient_name,
        recipient_contact=held.recipient_contact,
        recipient_promise=held.recipient_promise,
        party_name=held.party_name,
        party_kind="city",
        party_city=held.city,
    )
    words = notice(city.settings, compiled, between, city.clock.now_us())
    undecided = held.status == "opened" and not held.over
    path = f"{_REQUESTS}/{held.id}"
    return ShownRecognitionRequest(
        **words.told(),
        id=held.id,
        status="expired" if held.status == "opened" and held.over else held.status,
        expires_at=rfc3339(held.expires_us),
        city=_asking(shown),
        scenarios=tuple(_asked(city, shown, each) for each in held.scenarios),
        reserved_fen=shown.reserved_fen,
        longest_until=rfc3339(words.longest_until_us),
        allow=f"{path}/allow" if undecided and shown.open else None,
        decline=f"{path}/decline" if undecided else None,
    )


def _asking(shown: Shown) -> AskingCity | None:
    if shown.partner is None:
        return None
    entry = shown.partner.city.entry
    return AskingCity(entry.code, Words(entry.name.zh, entry.name.en), entry.contact, entry.issuer)


def _asked(city: City, shown: Shown, scenario: str) -> AskedScenario:
    lack = shown.lacks.get(scenario)
    return AskedScenario(
        id=scenario,
        title=title_of(city.registry, scenario),
        open=scenario in shown.open,
        lacks=None if lack is None else _obstacle(lack),
    )


def _obstacle(lack: Lack) -> Obstacle:
    return Obstacle(lack.why.value, lack.band, tuple(map(ClauseWords.of, lack.clauses)))


HANDLERS: list[HTTPRouteHandler] = [show, allow, decline]
