"""What keeping my word gave me."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler

from gateway.benefits import Benefits, benefits_of
from gateway.edge.access import ACCESS, Access, citizen_of, city_of


@get("/v1/me/benefits", opt={ACCESS: Access.CITIZEN})
async def benefits(request: Request[Any, Any, Any]) -> Benefits:
    """The deposits that I did not have to pay so far, in fen; what is open comes back settled."""
    return await benefits_of(city_of(request).database, citizen_of(request))


HANDLERS: list[HTTPRouteHandler] = [benefits]
