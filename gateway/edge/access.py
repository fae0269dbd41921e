"""Who may call what: declared on every route, closed by default.

A route says `opt={"access": Access.PARTY}` (or another). One that says nothing answers 401 to
everybody, and a test lists such routes. The guard proves the caller and leaves the proof on the
request: `principal_of`, `citizen_of` and `clerk_of` read it.
"""

from __future__ import annotations

import enum
from typing import Any, cast
from uuid import UUID

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import HTTPScope

from gateway.city import City
from gateway.counter.sessions import Clerk
from gateway.edge.caller import caller
from gateway.errors import MethodNotAllowed, Unauthenticated
from gateway.parties import Principal

#: The option that a route declares its access under.
ACCESS = "access"

_PRINCIPAL, _CITIZEN, _CLERK = "principal", "citizen", "clerk"

Connection = ASGIConnection[Any, Any, Any, Any]


class Access(enum.StrEnum):
    """The kinds of caller."""

    PUBLIC = "public"  # anybody: discovery, health, the token endpoint
    PARTY = "party"  # an access token of a party
    CITIZEN = "citizen"  # a citizen's session; writes need the CSRF header as well
    STAFF = "staff"  # a session of a party's staff at a counter; writes need the CSRF header too
    PARTY_OR_CITIZEN = "party-or-citizen"  # either, each with a view of its own


def city_of(connection: Connection) -> City:
    """The worker's parts."""
    city: City = connection.app.state.city
    return city


def principal_of(connection: Connection) -> Principal:
    """The party that the guard proved."""
    principal: Principal = connection.state[_PRINCIPAL]
    return principal


def citizen_of(connection: Connection) -> UUID:
    """The signed-in citizen that the guard proved."""
    citizen: UUID = connection.state[_CITIZEN]
    return citizen


def clerk_of(connection: Connection) -> Clerk:
    """The member of a party's staff that the guard proved."""
    clerk: Clerk = connection.state[_CLERK]
    return clerk


def is_citizen(connection: Connection) -> bool:
    """Whether the guard proved a citizen."""
    return _CITIZEN in connection.state


def is_clerk(connection: Connection) -> bool:
    """Whether the guard proved a member of a party's staff."""
    return _CLERK in connection.state


def viewer_of(connection: Connection) -> Principal | UUID:
    """The party or the citizen that the guard proved, where a route admits both."""
    viewer: Principal | UUID = (
        connection.state[_PRINCIPAL]
        if _PRINCIPAL in connection.state
        else connection.state[_CITIZEN]
    )
    return viewer


async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
    """Litestar's guard for the whole application.

    Raises:
        Unauthenticated: no credential, a bad one, or a route that declares no access.
        Forbidden: a good credential of one who may not.
        QuotaExceeded: a party's own limit is spent.
        MethodNotAllowed: OPTIONS, which no route answers.
    """
    access = handler.opt.get(ACCESS)
    if access is None and _made_by_framework(handler):
        # Its lists of methods miss some, and pages of other origins have no business here.
        raise MethodNotAllowed(_methods(connection))
    city = city_of(connection)
    match access:
        case Access.PUBLIC:
            return
        case Access.PARTY:
            connection.state[_PRINCIPAL] = await _party(city, connection)
        case Access.CITIZEN:
            connection.state[_CITIZEN] = await city.sessions.authenticate(connection)
        case Access.STAFF:
            connection.state[_CLERK] = await _clerk(city, connection)
        case Access.PARTY_OR_CITIZEN if "authorization" in connection.headers:
            # Who sends a token is judged by it alone: a bad one never falls back to a cookie.
            connection.state[_PRINCIPAL] = await _party(city, connection)
        case Access.PARTY_OR_CITIZEN:
            connection.state[_CITIZEN] = await city.sessions.authenticate(connection)
        case _:
            raise Unauthenticated("route-without-access")


async def _party(city: City, connection: Connection) -> Principal:
    """The party of a token, with this request counted against its limit."""
    principal = await caller(city, cast("HTTPScope", connection.scope))  # every route is HTTP
    await city.limits.charge(principal.party)
    return principal


async def _clerk(city: City, connection: Connection) -> Clerk:
    """The staff of a session, with this request counted against their party's limit."""
    clerk = await city.counter_sessions.authenticate(connection)
    await city.limits.charge(clerk.party)
    return clerk


def _made_by_framework(handler: BaseRouteHandler) -> bool:
    """Whether this is the answer to OPTIONS that the framework adds to every path."""
    made_by = handler.fn.__module__.partition(".")[0]
    return getattr(handler, "http_methods", None) == {"OPTIONS"} and made_by == "litestar"


def _methods(connection: Connection) -> list[str]:
    """The methods that the path has handlers for."""
    path = connection.scope["path_template"]
    known = {
        each
        for route in connection.app.routes
        if route.path_format == path
        for each in getattr(route, "methods", ())
    }
    return sorted(str(method) for method in known - {"OPTIONS"})
