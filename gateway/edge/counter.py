"""Staff of parties: signing in at the counter, taking up an account, and who is signed in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import Meta

from gateway.city import City
from gateway.clock import rfc3339
from gateway.counter.enrolment import CONFIRM_LIFE_S
from gateway.counter.passwords import LENGTH_MAX
from gateway.counter.sessions import LIFE_S
from gateway.counter.sign_in import KNOWN_LIFE_S, SECOND_LIFE_S, SignedIn
from gateway.counter.staff import LOGIN
from gateway.edge.access import ACCESS, Access, city_of, clerk_of
from gateway.edge.cookies import cookie
from gateway.edge.wire import DeskNumber
from gateway.sessions import check_origin, cookie_name

Password = Annotated[str, Meta(min_length=1, max_length=LENGTH_MAX)]
Code = Annotated[str, Meta(pattern=r"\A[0-9]{6}\Z")]
LinkToken = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[A-Za-z0-9_-]+\Z")]

#: Names of the browser's tickets: between two steps, and of earlier sessions.
_STEP, _KNOWN = "counter-step", "counter-known"


class SignInAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first factor."""

    login: Annotated[str, Meta(pattern=LOGIN)]
    password: Password


class SecondWanted(msgspec.Struct, frozen=True):
    """Which second factor is wanted now; with a security key, a code is taken as well."""

    second: Literal["totp", "webauthn"]


class CodeAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The six digits that the authenticator app shows."""

    code: Code


class LinkAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The token of an enrolment link: what follows the hash of its address."""

    token: LinkToken


class ChoiceAsk(LinkAsk, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The link's token, and the password chosen."""

    password: Password


class Invited(msgspec.Struct, frozen=True):
    """Whose account it is."""

    login: str
    name: str
    party: str


class SecondOffered(msgspec.Struct, frozen=True):
    """The second factor to set up: the secret in base32, and its QR code as an SVG document."""

    secret: str
    qr: str


class CounterDesk(msgspec.Struct, frozen=True):
    """A counter of the party: its number, and where it is."""

    number: str
    place: str


class CounterDesks(msgspec.Struct, frozen=True):
    """All that are open."""

    desks: list[CounterDesk]


class DeskChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the person works from now on; null for nowhere in particular."""

    desk: DeskNumber | None


class ClerkView(msgspec.Struct, frozen=True):
    """Who is signed in, and what the page needs for writes."""

    login: str
    name: str
    party: str
    desk: CounterDesk | None
    expires_at: str
    csrf_token: str


@post("/v1/counter/sign-in", opt={ACCESS: Access.PUBLIC}, status_code=200)
async def sign_in(
    request: Request[Any, Any, Any], data: JSONBody[SignInAsk]
) -> Response[SecondWanted]:
    """The first step: login and password."""
    city = our_city(request)
    known = request.cookies.get(cookie_name(city.settings, _KNOWN))
    address = request.client.host if request.client else ""
    ticket = await city.sign_in.first(data.login, data.password, address, known)
    wanted = SecondWanted("webauthn" if await city.security_keys.offered(ticket) else "totp")
    return Response(wanted, cookies=[own_cookie(city, _STEP, ticket, SECOND_LIFE_S)])


@post("/v1/counter/second", opt={ACCESS: Access.PUBLIC}, status_code=204)
async def second(request: Request[Any, Any, Any], data: JSONBody[CodeAsk]) -> Response[None]:
    """The second step: a code, once. A session begins."""
    city = our_city(request)
    signed_in = await city.sign_in.second(
        ticket_of(request), data.code, instead_of=request.cookies.get(city.counter_sessions.cookie)
    )
    return begun(city, signed_in)


@post("/v1/counter/enrolment/link", opt={ACCESS: Access.PUBLIC}, status_code=200)
async def link(request: Request[Any, Any, Any], data: JSONBody[LinkAsk]) -> Invited:
    """Whose account an enrolment link is for."""
    city = our_city(request)
    found = await city.enrolments.invited(data.token)
    return Invited(found.login, found.name, found.party)


@post("/v1/counter/enrolment", opt={ACCESS: Access.PUBLIC}, status_code=200)
async def enrol(
    request: Request[Any, Any, Any], data: JSONBody[ChoiceAsk]
) -> Response[SecondOffered]:
    """Choose a password, and get a second factor to set up. Nothing is in force yet."""
    city = our_city(request)
    offered = await city.enrolments.choose(data.token, data.password)
    return Response(
        SecondOffered(offered.secret, offered.qr),
        cookies=[own_cookie(city, _STEP, offered.ticket, CONFIRM_LIFE_S)],
    )


@post("/v1/counter/enrolment/confirmation", opt={ACCESS: Access.PUBLIC}, status_code=204)
async def confirm(request: Request[Any, Any, Any], data: JSONBody[CodeAsk]) -> Response[None]:
    """Show by a code that the second factor is set up: account and session begin."""
    city = our_city(request)
    signed_in = await city.enrolments.confirm(
        ticket_of(request), data.code, instead_of=request.cookies.get(city.counter_sessions.cookie)
    )
    return begun(city, signed_in)


@post("/v1/counter/sign-out", opt={ACCESS: Access.STAFF}, status_code=204)
async def sign_out(request: Request[Any, Any, Any]) -> Response[None]:
    """End the session, here and in the database."""
    city = city_of(request)
    await city.counter_sessions.end(clerk_of(request))
    return Response(None, cookies=[own_cookie(city, "counter", "", 0)])


@get("/v1/counter/me", opt={ACCESS: Access.STAFF}, sync_to_thread=False)
def me(request: Request[Any, Any, Any]) -> ClerkView:
    """Who is signed in, for which party, at which desk."""
    clerk = clerk_of(request)
    return ClerkView(
        login=clerk.login,
        name=clerk.name,
        party=clerk.party.row.name,
        desk=CounterDesk(clerk.desk, clerk.place) if clerk.desk and clerk.place else None,
        expires_at=rfc3339(clerk.expires_us),
        csrf_token=city_of(request).counter_sessions.csrf_token(request),
    )


@get("/v1/counter/desks", opt={ACCESS: Access.STAFF})
async def desks(request: Request[Any, Any, Any]) -> CounterDesks:
    """The party's counters."""
    found = await city_of(request).counter_sessions.desks(clerk_of(request))
    return CounterDesks([CounterDesk(each.number, each.place) for each in found])


@post("/v1/counter/desk", opt={ACCESS: Access.STAFF}, status_code=204)
async def sit_at(request: Request[Any, Any, Any], data: JSONBody[DeskChoice]) -> None:
    """Choose the desk at which the person works; codes that were made for it work there."""
    await city_of(request).counter_sessions.sit_at(clerk_of(request), data.desk)


def our_city(request: Request[Any, Any, Any]) -> City:
    """The worker's parts, for a request of a page of our own.

    A page of another origin cannot send JSON here without being asked first, which nobody answers;
    one that a browser sends all the same names its origin.
    """
    city = city_of(request)
    check_origin(request, city.settings.issuer)
    return city


def ticket_of(request: Request[Any, Any, Any], what: str = _STEP) -> str | None:
    """The browser's ticket between two steps, or another one of its."""
    return request.cookies.get(cookie_name(city_of(request).settings, what))


def begun(city: City, signed_in: SignedIn) -> Response[None]:
    """The answer with which a session begins."""
    return Response(
        None,
        cookies=[
            own_cookie(city, "counter", signed_in.session, LIFE_S),
            own_cookie(city, _STEP, "", 0),
            own_cookie(city, _KNOWN, signed_in.known, KNOWN_LIFE_S),
        ],
    )


def own_cookie(city: City, what: str, value: str, life_s: int) -> Cookie:
    """A cookie of the counter's, to which nobody comes from another site."""
    return cookie(city.settings, what, value, life_s, same_site="strict")


HANDLERS: list[HTTPRouteHandler] = [
    sign_in,
    second,
    link,
    enrol,
    confirm,
    sign_out,
    me,
    desks,
    sit_at,
]
