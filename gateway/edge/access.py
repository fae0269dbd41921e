"""Who may call what: declared on every route, closed by default.

A route says `opt={"access": Access.PARTY}` (or another). One that says nothing answers 401 to
everybody, and a test lists such routes. The guard proves the caller and leaves the proof on the
request: `principal_of` and `citizen_of` read it.
"""

from __future__ import annotations

import enum
from typing import Any
from uuid import UUID

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from gateway.city import City
from gateway.errors import Unauthenticated
from gateway.parties import Principal

#: The option that a route declares its access under.
ACCESS = "access"

_PRINCIPAL, _CITIZEN = "principal", "citizen"

Connection = ASGIConnection[Any, Any, Any, Any]


class Access(enum.StrEnum):
    """The kinds of caller."""

    PUBLIC = "public"  # anybody: discovery, health, the token endpoint
    PARTY = "party"  # an access token of a party
    CITIZEN = "citizen"  # a citizen's session; writes need the CSRF header as well


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


async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
    """Litestar's guard for the whole application.

    Raises:
        Unauthenticated: no credential, a bad one, or a route that declares no access.
        Forbidden: a good credential of one who may not.
    """
    access = handler.opt.get(ACCESS)
    city = city_of(connection)
    match access:
        case Access.PUBLIC:
            return
        case Access.PARTY:
            connection.state[_PRINCIPAL] = await city.tokens.admit(connection.scope["headers"])
        case Access.CITIZEN:
            connection.state[_CITIZEN] = await city.sessions.authenticate(connection)
        case _:
            raise Unauthenticated("route-without-access")
