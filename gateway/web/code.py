"""信用码: the code to show, as a picture that renews itself or as eight digits for one counter."""

from __future__ import annotations

import re
from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from gateway.edge.access import ACCESS, Access
from gateway.web.render import PAGE, asked, page

_NUMBER = re.compile(r"\A[0-9]{6}\Z", re.ASCII)


@get("/app/code", opt={ACCESS: Access.CITIZEN, PAGE: True}, include_in_schema=False)
async def code(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The page; `?desk=` with a counter's number shows digits for that counter."""
    desk = asked(request).get("desk", "")
    return page(request, "code.html", desk=desk if _NUMBER.match(desk) else "")


HANDLERS: list[HTTPRouteHandler] = [code]
