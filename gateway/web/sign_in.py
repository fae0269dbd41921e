"""Signing in: what this is, before anything is asked; and where strangers are led to."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from gateway.edge.access import ACCESS, Access
from gateway.web.render import PAGE, asked, page

PATH: Final = "/app/sign-in"

#: After the first sign-in the notice comes before anything else; after later ones it leads home.
_FIRST: Final = "/app/notice"

#: Why a sign-in did not work, by the problem's slug: the words are those of the problem.
REFUSALS: Final = frozenset(
    {
        *("login-refused", "adults-only", "identity-refused", "malformed", "too-many-requests"),
        *("unavailable", "overloaded", "temporary-reduced-capacity", "outcome-unknown", "other"),
    }
)

#: Pages of citizens only: an address of anybody else's is no place to come back to.
_OWN = re.compile(r"\A/app(?:/[A-Za-z0-9_./~-]*)?(?:\?[A-Za-z0-9_./~=&%+-]*)?\Z")


@get(PATH, opt={ACCESS: Access.PUBLIC, PAGE: True}, include_in_schema=False, sync_to_thread=False)
def sign_in(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The page; `return_to` is where to go afterwards, `refused` why the last try did not work."""
    refused = asked(request).get("refused", "")
    wanted = asked(request).get("return_to", "")
    comes_back = is_own_page(wanted) and wanted.rstrip("/") != "/app"
    return page(
        request,
        "sign_in.html",
        login="/v1/login?" + urlencode({"return_to": wanted if comes_back else _FIRST}),
        comes_back=comes_back,
        refused=refused if refused in REFUSALS else None,
    )


def is_own_page(address: str) -> bool:
    """Whether an address is a page of the mini-app, and the sign-in page is none to return to."""
    path = address.partition("?")[0]
    plain = "//" not in path and "/." not in path and path != PATH
    return plain and _OWN.match(address) is not None


HANDLERS: list[HTTPRouteHandler] = [sign_in]
