"""A copy of everything about me, to keep."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.datastructures import ResponseHeader
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.response import Stream

from gateway.clock import SHANGHAI, from_us
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.errors import Forbidden
from gateway.export_document import Export


@get(
    "/v1/me/export",
    opt={ACCESS: Access.CITIZEN},
    media_type="application/json",
    responses={200: ResponseSpec(Export, description="Everything, as one document")},
    response_headers=[ResponseHeader(name="content-disposition", documentation_only=True)],
)
async def export(request: Request[Any, Any, Any]) -> Stream:
    """Everything about me as a file: three at once, then one in ten minutes."""
    return await file_of(request)


async def file_of(request: Request[Any, Any, Any]) -> Stream:
    """The signed-in citizen's file, whatever address it is asked at.

    Raises:
        Forbidden: another site led the browser here.
        others: as `Exports.begin`.
    """
    if comes_from_elsewhere(request):
        raise Forbidden("cross-site")
    city = city_of(request)
    written = await city.exports.begin(citizen_of(request))
    day = from_us(city.clock.now_us()).astimezone(SHANGHAI).date()
    name = f'attachment; filename="qianjiang-{day.isoformat()}.json"'
    return Stream(written, headers={"content-disposition": name}, media_type="application/json")


def comes_from_elsewhere(request: Request[Any, Any, Any]) -> bool:
    """Whether another site led a browser here (Fetch Metadata, 2.4).

    A link elsewhere would use up the few copies that a citizen may have. Programs and old browsers
    do not say where they come from.
    """
    return request.headers.get("sec-fetch-site") in ("cross-site", "same-site")


HANDLERS: list[HTTPRouteHandler] = [export]
