"""Citizens at desks: a printed code or a typed number, who stands behind it, and what it asks."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody, PathParameter

from gateway.city import City
from gateway.clock import rfc3339
from gateway.consent_notice import Asker, Receiver, Words
from gateway.consent_requests import LINK_PATH
from gateway.desks import DESK_PATH, TOKEN_CHARS
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.edge.consent_requests import status_of
from gateway.edge.idempotency import act_of
from gateway.edge.stills import StillOperation, read_still
from gateway.edge.wire import DeskNumber
from gateway.store.desk import OpenDesk

Token = Annotated[str, PathParameter(min_length=TOKEN_CHARS, max_length=TOKEN_CHARS)]

_DESKS = "/v1/me/desks"


class DeskNamed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A desk by the number that is written on it."""

    number: DeskNumber


class DeskView(msgspec.Struct, frozen=True, kw_only=True):
    """Who stands at a desk, and what it asks for; nothing of that where it only takes codes."""

    number: str
    kind: str
    place: str
    party: Asker
    recipient: Receiver
    scenario: str | None
    purpose: str | None
    title: Words | None
    page: str


class DeskAsked(msgspec.Struct, frozen=True):
    """The desk's request to this citizen; `link` is the page that shows it."""

    id: UUID
    status: str
    link: str
    expires_at: str


class StillRead(msgspec.Struct, frozen=True):
    """What a still shows: the page of a desk, or whether there was any code at all."""

    desk: str | None
    found: bool


@post(_DESKS, opt={ACCESS: Access.CITIZEN}, status_code=200)
async def find(request: Request[Any, Any, Any], data: JSONBody[DeskNamed]) -> DeskView:
    """The desk of a number that was typed."""
    city = city_of(request)
    return view(city, await city.desk_requests.find(citizen_of(request), data.number))


@get(_DESKS + "/{desk:str}", opt={ACCESS: Access.CITIZEN})
async def show(request: Request[Any, Any, Any], desk: Token) -> DeskView:
    """The desk of a printed code."""
    city = city_of(request)
    return view(city, await city.desk_requests.behind(desk))


@post(_DESKS + "/{desk:str}/consent-requests", opt={ACCESS: Access.CITIZEN}, status_code=201)
async def ask(request: Request[Any, Any, Any], desk: Token) -> DeskAsked:
    """Let the desk ask me: a request for consent that only I see; twice is the same one."""
    city, citizen = city_of(request), citizen_of(request)
    act = await act_of(request, citizen, required=False)
    session = city.sessions.key(request)
    held = await city.desk_requests.ask(citizen, session, desk, act)
    link = LINK_PATH + city.consent_requests.token(held.id)
    return DeskAsked(held.id, status_of(held), link, rfc3339(held.expires_us))


@post(
    "/v1/me/stills", opt={ACCESS: Access.CITIZEN}, status_code=200, operation_class=StillOperation
)
async def read(request: Request[Any, Any, Any]) -> StillRead:
    """Read the code in one picture of my camera; nothing of it is kept."""
    text = await read_still(request)
    # Never the text itself: a page that goes where any code says would go anywhere.
    links = city_of(request).desks
    return StillRead(links.path_of(text) if text is not None else None, text is not None)


def view(city: City, desk: OpenDesk) -> DeskView:
    """A desk as its citizen sees it."""
    compiled = city.registry.get(desk.scenario) if desk.scenario else None
    title = compiled.manifest.title if compiled else None
    return DeskView(
        number=desk.number,
        kind=desk.kind,
        place=desk.place,
        party=Asker(desk.party_name, desk.party_kind, city=None),
        recipient=Receiver(desk.recipient_name, desk.recipient_contact, desk.recipient_promise),
        scenario=desk.scenario,
        purpose=desk.purpose,
        title=Words(title.zh, title.en) if title else None,
        page=DESK_PATH + city.desks.token(desk.number),
    )


HANDLERS: list[HTTPRouteHandler] = [find, show, ask, read]
