"""A visitor's own visit: what is open here, by which tier, how fresh the home city's word is."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from gateway.city import City
from gateway.clock import rfc3339
from gateway.consent_notice import Words, title_of
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.errors import NotFound
from gateway.recognition.visits import Visit
from gateway.store.visit import VisitRow

_PATH = "/v1/me/visit"


class HomeCity(msgspec.Struct, frozen=True):
    """Where a visitor comes from; `name` and `contact` are the trust list's, while there is one."""

    code: str
    """GB/T 2260 code."""
    name: Words | None
    contact: str | None


class VisitBrief(msgspec.Struct, frozen=True):
    """A visit in a few words."""

    home: HomeCity
    live: bool
    scenarios: tuple[str, ...]
    since: date | None


class VisitScenario(msgspec.Struct, frozen=True):
    """A scenario that the visit is for."""

    id: str
    title: Words


class VisitView(msgspec.Struct, frozen=True, kw_only=True):
    """A visitor's last visit.

    While `fresh` is false, or `live` is, every question reads the ordinary way. There is no end
    that is known beforehand: a visit lasts until the visitor or the home city ends it, or another
    one begins. `assured_until` is how long the home city's last word on it holds; it moves on
    every few seconds.
    """

    home: HomeCity
    live: bool
    fresh: bool
    scenarios: list[VisitScenario]
    tier: str
    """The lowest tier that these scenarios need; nobody here knows the visitor's own."""
    scheme: str
    scheme_version: int
    scheme_title: Words | None
    deposit_limit_fen: int
    """Deposits that may be waived here at the same time; the home city keeps them free for it."""
    as_of: date
    since: date
    """The day; when exactly is kept by nobody here."""
    assured_until: str
    ended_on: date | None
    reason: str | None
    """Why it ended: `visitor`, `replaced`, or what the home city's status says."""


@get(_PATH, opt={ACCESS: Access.CITIZEN})
async def visit(request: Request[Any, Any, Any]) -> VisitView:
    """My visit; the city's own citizens have none."""
    city = city_of(request)
    found = await city.visiting.visits.of(citizen_of(request))
    if found is None or found.row is None:
        raise NotFound
    return view(city, found, found.row)


@post(_PATH + "/end", opt={ACCESS: Access.CITIZEN}, status_code=204)
async def end(request: Request[Any, Any, Any]) -> Response[None]:
    """End my visit: at once for every question. To be forgotten as well, close the account."""
    await city_of(request).visiting.visits.end(citizen_of(request))
    return Response(None, status_code=204)


def brief(visit: Visit) -> VisitBrief:
    """A visit as `GET /v1/me` tells it."""
    row = visit.row
    if row is None:
        return VisitBrief(_home(visit), False, (), None)
    return VisitBrief(_home(visit), row.ended is None, row.scenarios, row.since)


def view(city: City, visit: Visit, row: VisitRow) -> VisitView:
    """A visit as its visitor reads it."""
    title = visit.scheme_title
    return VisitView(
        home=_home(visit),
        live=row.ended is None,
        fresh=row.is_fresh,
        scenarios=[VisitScenario(each, title_of(city.registry, each)) for each in row.scenarios],
        tier=row.tier,
        scheme=row.scheme,
        scheme_version=row.scheme_version,
        scheme_title=Words(title.zh, title.en) if title else None,
        deposit_limit_fen=row.limit_fen,
        as_of=row.as_of,
        since=row.since,
        assured_until=rfc3339(row.fresh_until_us),
        ended_on=row.ended,
        reason=row.reason,
    )


def _home(visit: Visit) -> HomeCity:
    home = visit.home
    name = Words(home.name.zh, home.name.en) if home.name else None
    return HomeCity(home.code, name, home.contact)


HANDLERS: list[HTTPRouteHandler] = [visit, end]
