"""The counter's doors: signing in, the second factor, taking up an account."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from gateway.counter.passwords import LENGTH_MAX, LENGTH_MIN
from gateway.edge.access import ACCESS, Access, city_of
from gateway.edge.counter import ticket_of
from gateway.web.render import PAGE, asked, page

HOME: Final = "/counter/"
SIGN_IN: Final = "/counter/sign-in"
SECOND: Final = "/counter/second"
ENROL: Final = "/counter/enrol"

#: Pages of staff only, and the doors are none to come back to.
_OWN = re.compile(
    r"\A/counter(?:/(?:today|desk|assisted(?:/[a-z]+)?)?)?(?:\?[A-Za-z0-9_.~=&%+-]*)?\Z"
)

_OPEN: Final = {ACCESS: Access.PUBLIC, PAGE: True}


@get(SIGN_IN, opt=_OPEN, include_in_schema=False, sync_to_thread=False)
def sign_in(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Login and password; `return_to` is where to go after both steps."""
    wanted = asked(request).get("return_to", "")
    then = f"{SECOND}?{urlencode({'return_to': where_to(wanted)})}"
    return page(request, "counter_sign_in.html", then=then, comes_back=where_to(wanted) != HOME)


@get(SECOND, opt=_OPEN, include_in_schema=False)
async def second(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The code of the authenticator app, or a security key where the person has one."""
    return page(
        request,
        "counter_second.html",
        then=where_to(asked(request).get("return_to", "")),
        has_key=await city_of(request).security_keys.offered(ticket_of(request)),
    )


@get(ENROL, opt=_OPEN, include_in_schema=False, sync_to_thread=False)
def enrol(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Taking up an account; the link's token stands behind the hash and stays in the browser."""
    return page(
        request, "counter_enrol.html", then=HOME, length_min=LENGTH_MIN, length_max=LENGTH_MAX
    )


def where_to(address: str) -> str:
    """The address if it is a page of the counter to come back to, else the counter itself."""
    return address if _OWN.match(address) else HOME


HANDLERS: list[HTTPRouteHandler] = [sign_in, second, enrol]
