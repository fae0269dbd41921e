"""Which of this city's words to other cities still stand: lists of bits, for everybody."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from gateway.edge.access import ACCESS, Access, city_of
from gateway.recognition.status_lists import PATH

#: Token Status List 8.1; it is what is sent whatever else a caller would accept (RFC 9110 12.5.1).
MEDIA_TYPE: Final = "application/statuslist+jwt"

#: A copy is made every other second. What a cache holds for longer tells its age by its `iat`.
_BRIEFLY: Final = {"cache-control": "public, max-age=2"}


@get(f"{PATH}/{{list_id:int}}", opt={ACCESS: Access.PUBLIC}, media_type=MEDIA_TYPE)
async def status_list(request: Request[Any, Any, Any], list_id: FromPath[int]) -> Response[bytes]:
    """A status list as a signed token (Token Status List 8.2), fetched whole by whoever wants one
    bit of it, so that nobody learns which."""
    token = await city_of(request).status_lists.token(list_id)
    return Response(token.encode("ascii"), media_type=MEDIA_TYPE, headers=_BRIEFLY)


HANDLERS: list[HTTPRouteHandler] = [status_list]
