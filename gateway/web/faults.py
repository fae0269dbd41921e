"""What goes wrong while a person looks: a page in plain words instead of problem details.

Only for reading (GET) by a browser that asks for HTML under the pages' own addresses. Whoever asks
otherwise gets the problem as ever (gateway/edge/problems.py). A sign-in that was refused is told on
the page for signing in: the address of the refusal is good once, and every request of it again,
for the other language or by going back, would be refused for another reason.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from litestar import Request, Response
from litestar.exceptions import HTTPException

from gateway.edge import problems
from gateway.oauth.metadata import AUTHORIZE_PATH
from gateway.web.catalogue import catalogue
from gateway.web.render import HEADERS, page
from gateway.web.sign_in import REFUSALS

_LOGIN: Final = "/v1/login"
_VISIT: Final = "/recognition"

#: Where people are, and where each signs in.
_PLACES: Final = {
    "/app": "/app/sign-in",
    "/counter": "/counter/sign-in",
    _LOGIN: "/app/sign-in",
    AUTHORIZE_PATH: "/app/sign-in",
    _VISIT: "/app/visit",
}
#: Header fields of a problem that a page keeps.
_KEPT: Final = frozenset({"retry-after", "allow"})


def answer(request: Request[Any, Any, Any], exc: Exception) -> Response[bytes]:
    """Litestar's exception handler for everything."""
    plain = problems.answer(request, exc)
    place = _place(request)
    if place is None:
        return plain
    kind = problems.kind_of(problems.translate(exc))
    if kind.status == 401:
        return _led_to(f"{_PLACES[place]}?return_to={quote(_own_address(request), safe='/')}")
    if place == _VISIT:
        # Like a refused sign-in: told on the page where it began.
        return _led_to(f"{_PLACES[place]}?refused={kind.slug}")
    if place == _LOGIN:
        refused = kind.slug if kind.slug in REFUSALS else "other"
        return _led_to(f"{_PLACES[place]}?refused={refused}")
    known = f"problem.{kind.slug}" in catalogue()
    shown = page(
        request,
        "fault.html",
        status=kind.status,
        slug=kind.slug if known else "other",
        home="/app" if place == AUTHORIZE_PATH else place,
    )
    shown.headers.update({k: v for k, v in plain.headers.items() if k.lower() in _KEPT})
    return shown


def _place(request: Request[Any, Any, Any]) -> str | None:
    if request.scope["method"] != "GET" or "text/html" not in request.headers.get("accept", ""):
        return None
    path = request.scope["path"]
    return next((place for place in _PLACES if path == place or path.startswith(place + "/")), None)


def _own_address(request: Request[Any, Any, Any]) -> str:
    query = request.scope["query_string"].decode("ascii", "replace")
    return str(request.scope["path"]) + (f"?{query}" if query else "")


def _led_to(address: str) -> Response[bytes]:
    return Response(b"", status_code=303, headers={**HEADERS, "location": address})


#: For `Litestar(exception_handlers=...)`.
EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {Exception: answer, HTTPException: answer}
