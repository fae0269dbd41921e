"""Whether this worker is alive, and whether it can answer."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, get
from litestar.handlers import HTTPRouteHandler

from gateway.edge.access import ACCESS, Access, city_of
from gateway.errors import DependencyDown


class Health(msgspec.Struct, frozen=True):
    """The word of a health check."""

    status: str


@get("/healthz", opt={ACCESS: Access.PUBLIC}, sync_to_thread=False)
def healthz() -> Health:
    """The process runs."""
    return Health("alive")


@get("/readyz", opt={ACCESS: Access.PUBLIC})
async def readyz(request: Request[Any, Any, Any]) -> Health:
    """The worker can answer: PostgreSQL is there and a scenario is live."""
    city = city_of(request)
    await city.policies.refresh()
    if not any(city.policies.number(name) for name in city.registry):
        raise DependencyDown("policy")
    return Health("ready")


HANDLERS: list[HTTPRouteHandler] = [healthz, readyz]
