"""Citizens see which cities recognise them, since when, and what ends it."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, get
from litestar.handlers import HTTPRouteHandler

from gateway.city import City
from gateway.clock import rfc3339
from gateway.consent_notice import Words, title_of
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.store.recognition import HeldRecognition


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


def _view(city: City, held: HeldRecognition) -> RecognitionView:
    known = city.trust.city(held.city)
    name = known.entry.name if known is not None else None
    lives = held.ended_us is None and not held.over
    return RecognitionView(
        id=held.id,
        city=held.city,
        name=Words(name.zh, name.en) if name else Words(held.party_name, held.party_name),
        scenarios=tuple(AskedTitle(each, title_of(city.registry, each)) for each in held.scenarios),
        status="active" if lives else "ended",
        since=held.since,
        until=rfc3339(held.until_us),
        ended_at=rfc3339(held.ended_us) if held.ended_us is not None else None,
        reason=held.reason or ("expired" if held.over else None),
        consent=held.consent,
        withdraw=f"/v1/me/consents/{held.consent}/withdraw" if lives else None,
        reserved_fen=held.reserved_fen,
    )


HANDLERS: list[HTTPRouteHandler] = [recognitions]
