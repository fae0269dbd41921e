"""My data: who I am here, a copy of everything, corrections, signing out, the way out."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.edge.corrections import view
from gateway.edge.export import comes_from_elsewhere, file_of
from gateway.web.render import PAGE, page

PATH: Final = "/app/data"

#: Requests for correction on the page, the newest first; the API and the export have more.
CORRECTIONS_SHOWN: Final = 20


@get(PATH, opt={ACCESS: Access.CITIZEN, PAGE: True}, include_in_schema=False)
async def data(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The page."""
    city, citizen = city_of(request), citizen_of(request)
    person = await city.citizens.person(citizen)
    made = await city.corrections.of(citizen)
    shown = [view(each.row, each.said, each.answer, city.clock) for each in made]
    return page(
        request,
        "data.html",
        person=person,
        home=city.visiting.visits.home(person.home) if person.home else None,
        masked=masked(person.id_number or ""),
        corrections=shown[:CORRECTIONS_SHOWN],
        left_out=max(0, len(shown) - CORRECTIONS_SHOWN),
        sessions=await city.sessions.of(citizen, request),
    )


@get(PATH + "/export", opt={ACCESS: Access.CITIZEN}, include_in_schema=False)
async def copy(request: Request[Any, Any, Any]) -> Stream | Response[None]:
    """The same file as from the API; under this address what goes wrong is told as a page.

    Whom another site leads here, be it the identity provider, sees the page with the button first.
    """
    if comes_from_elsewhere(request):
        return Response(None, status_code=303, headers={"location": PATH})
    return await file_of(request)


def masked(id_number: str) -> str:
    """An identity number that its owner knows again, and a look over the shoulder does not."""
    return f"{id_number[:3]}{'•' * (len(id_number) - 5)}{id_number[-2:]}"


HANDLERS: list[HTTPRouteHandler] = [data, copy]
