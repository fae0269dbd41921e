"""Where I am signed in, and signing out everywhere."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from gateway.clock import rfc3339
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.edge.login import signed_out


class SessionView(msgspec.Struct, frozen=True):
    """A signed-in browser; `is_this` is the one that asks."""

    begun_at: str
    ends_at: str
    is_this: bool


class SessionList(msgspec.Struct, frozen=True):
    """The sessions that go on, the newest first."""

    sessions: list[SessionView]


@get("/v1/me/sessions", opt={ACCESS: Access.CITIZEN})
async def sessions(request: Request[Any, Any, Any]) -> SessionList:
    """Where I am signed in."""
    held = await city_of(request).sessions.of(citizen_of(request), request)
    return SessionList(
        [SessionView(rfc3339(row.begun_us), rfc3339(row.ends_us), row.is_this) for row in held]
    )


@post("/v1/me/sessions/end-all", opt={ACCESS: Access.CITIZEN}, status_code=204)
async def end_all(request: Request[Any, Any, Any]) -> Response[None]:
    """Sign out everywhere, here too."""
    city = city_of(request)
    await city.sessions.end_all(citizen_of(request))
    return signed_out(city)


HANDLERS: list[HTTPRouteHandler] = [sessions, end_all]
