"""The way out: what ends, what is erased, what stays; the act; and a plain goodbye."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.web.data import PATH as DATA
from gateway.web.render import PAGE, page

PATH: Final = DATA + "/closure"
GOODBYE: Final = "/app/goodbye"

#: The parts of the text, by what an item's id begins with.
PARTS: Final = ("ends", "erased", "kept", "after")


@get(PATH, opt={ACCESS: Access.CITIZEN, PAGE: True}, include_in_schema=False)
async def closure(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The page; while matters are open it names them, and there is nothing to press."""
    closing, citizen = city_of(request).closing, citizen_of(request)
    items = closing.text.items
    return page(
        request,
        "closure.html",
        text=closing.text,
        parts=[(part, [each for each in items if each.id.startswith(part)]) for part in PARTS],
        matters=await closing.open_matters(citizen),
        then=GOODBYE,
        owner=citizen.hex,
    )


@get(
    GOODBYE,
    opt={ACCESS: Access.PUBLIC, PAGE: True},
    include_in_schema=False,
    sync_to_thread=False,
)
def goodbye(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The page that everybody may see: it says nothing of anybody."""
    return page(request, "goodbye.html")


HANDLERS: list[HTTPRouteHandler] = [closure, goodbye]
