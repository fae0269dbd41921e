"""Citizens decide another city's request, and see which cities recognise them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from gateway.city import City
from gateway.clock import rfc3339
from gateway.consent_notice import (
    Asker,
    ConsentText,
    Field,
    Handler,
    Receiver,
    Words,
    notice,
)
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.edge.idempotency import act_of
from gateway.edge.wire import ScenarioId, Sha256
from gateway.recognition.partners import RECOGNITION
from gateway.recognition.requests import Mine, Shown
from gateway.store.recognition import HeldRecognition

_REQUESTS = "/v1/me/recognition-requests"


class AskingCity(msgspec.Struct, frozen=True):
    """The city that asks, as the region's list names it."""

    code: str
    """GB/T 2260."""
    name: Words
    contact: str
    issuer: str


class AskedScenario(msgspec.Struct, frozen=True):
    """A scenario that is asked for, and whether it would be open there to me now."""

    id: str
    title: Words
    open: bool


class ShownRecognitionRequest(msgspec.Struct, frozen=True, kw_only=True):
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
    handler: Handler
    recipient: Receiver
    asked_by: Asker
    title: Words
    summary: Words
    purpose: str
    learns: tuple[Field, ...]
    answers: dict[str, Words]
    separate: bool
    longest_until: str
    longest_days: int
    text: ConsentText
    refusing: Words
    withdrawing: Words
    keeping: Words
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


class AskedTitle(msgspec.Struct, frozen=True):
    """A scenario by its name."""

    id: str
    title: Words


class RecognitionView(msgspec.Struct, frozen=True, kw_only=True):
    """A city that recognises me, or did. `status` is `active` or `ended`; withdrawing the consent
    ends it, at `withdraw`."""

    id: UUID
    city: str
    name: Words
    scenarios: tuple[AskedTitle, ...]
    status: str
    since: date
    until: str
    ended_at: str | None
    reason: str | None
    consent: UUID
    withdraw: str | None
    reserved_fen: int


class RecognitionList(msgspec.Struct, frozen=True):
    """The cities, those first that recognise me now; `reserved_fen` is kept for them in all."""

    recognitions: list[RecognitionView]
    reserved_fen: int


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


@get("/v1/me/recognitions", opt={ACCESS: Access.CITIZEN})
async def recognitions(request: Request[Any, Any, Any]) -> RecognitionList:
    """Which cities recognise me, since when, for what, and which consent ends it."""
    return await recognised(request)


async def recognised(request: Request[Any, Any, Any]) -> RecognitionList:
    """The cities that recognise whose browser it is."""
    city = city_of(request)
    views = [_view(city, each) for each in await city.recognitions.of(citizen_of(request))]
    living: dict[str, int] = {}
    for view in views:
        if view.status == "active":
            living[view.city] = max(living.get(view.city, 0), view.reserved_fen)
    return RecognitionList(views, sum(living.values()))


def mine_of(request: Request[Any, Any, Any]) -> Mine:
    """Whose browser it is."""
    return Mine(citizen_of(request), city_of(request).sessions.key(request))


class _Asks(msgspec.Struct, frozen=True, kw_only=True):
    """Between whom the consent would be, for its notice."""

    purpose: str
    recipient_name: str
    recipient_contact: str
    recipient_promise: str
    party_name: str
    party_kind: str
    party_city: str | None


def shown_request(city: City, shown: Shown) -> ShownRecognitionRequest:
    """A request as its citizen reads it."""
    held, compiled = shown.held, city.registry[RECOGNITION]
    asks = _Asks(
        purpose=compiled.manifest.purposes[0],
        recipient_name=held.recipient_name,
        recipient_contact=held.recipient_contact,
        recipient_promise=held.recipient_promise,
        party_name=held.party_name,
        party_kind="city",
        party_city=held.city,
    )
    words = msgspec.structs.asdict(notice(city.settings, compiled, asks, city.clock.now_us()))
    longest_until_us = words.pop("longest_until_us")
    del words["scenario"], words["frequency_per_day"]
    undecided = held.status == "opened" and not held.over
    path = f"{_REQUESTS}/{held.id}"
    return ShownRecognitionRequest(
        **words,
        id=held.id,
        status="expired" if held.status == "opened" and held.over else held.status,
        expires_at=rfc3339(held.expires_us),
        city=_asking(shown),
        scenarios=tuple(
            AskedScenario(name, _title(city, name), name in shown.open) for name in held.scenarios
        ),
        reserved_fen=shown.reserved_fen,
        longest_until=rfc3339(longest_until_us),
        allow=f"{path}/allow" if undecided and shown.open else None,
        decline=f"{path}/decline" if undecided else None,
    )


def _asking(shown: Shown) -> AskingCity | None:
    if shown.partner is None:
        return None
    entry = shown.partner.city.entry
    return AskingCity(entry.code, Words(entry.name.zh, entry.name.en), entry.contact, entry.issuer)


def _title(city: City, scenario: str) -> Words:
    compiled = city.registry.get(scenario)
    title = compiled.manifest.title if compiled is not None else None
    return Words(title.zh, title.en) if title is not None else Words(scenario, scenario)


def _view(city: City, held: HeldRecognition) -> RecognitionView:
    known = city.trust.city(held.city)
    name = known.entry.name if known is not None else None
    lives = held.ended_us is None and not held.over
    return RecognitionView(
        id=held.id,
        city=held.city,
        name=Words(name.zh, name.en) if name else Words(held.party_name, held.party_name),
        scenarios=tuple(AskedTitle(each, _title(city, each)) for each in held.scenarios),
        status="active" if lives else "ended",
        since=held.since,
        until=rfc3339(held.until_us),
        ended_at=rfc3339(held.ended_us) if held.ended_us is not None else None,
        reason=held.reason or ("expired" if held.over else None),
        consent=held.consent,
        withdraw=f"/v1/me/consents/{held.consent}/withdraw" if lives else None,
        reserved_fen=held.reserved_fen,
    )


HANDLERS: list[HTTPRouteHandler] = [show, allow, decline, recognitions]
