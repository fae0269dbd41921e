"""Assisted service: the counter's pages for people without a phone, step by step.

Nothing typed on them enters an address or stays in the browser: what a document says travels in the
body of the one request that needs it.
"""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from gateway.assisted.attendant import DOCUMENTS
from gateway.assisted.texts import Reading
from gateway.edge.access import ACCESS, Access, city_of, clerk_of
from gateway.edge.assisted import attendant_of
from gateway.edge.counter_questions import scenarios_of
from gateway.web.notice import MERITS
from gateway.web.render import PAGE, asked, page

HOME: Final = "/counter/assisted"

_STAFF: Final = {ACCESS: Access.STAFF, PAGE: True}


@get(HOME, opt=_STAFF, include_in_schema=False, sync_to_thread=False)
def start(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The party's scenarios; who comes for the first time, again, or to take something back."""
    found = scenarios_of(city_of(request), clerk_of(request))
    return page(request, "assisted.html", scenarios=found)


@get(HOME + "/new", opt=_STAFF, include_in_schema=False)
async def new(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Document, texts, answers, receipt, question: each on a screen of its own."""
    return await _page(request, "assisted_new.html", merits=MERITS)


@get(HOME + "/return", opt=_STAFF, include_in_schema=False)
async def returning(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Somebody who said yes here before."""
    return await _page(request, "assisted_return.html")


@get(HOME + "/back", opt=_STAFF, include_in_schema=False)
async def back(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Taking back."""
    return await _page(request, "assisted_back.html")


async def _page(request: Request[Any, Any, Any], template: str, **values: Any) -> Response[bytes]:
    scenario = asked(request).get("scenario", "")
    reading = await _reading(request, scenario)
    return page(
        request,
        template,
        reading=reading,
        documents=DOCUMENTS,
        **values,
    )


async def _reading(request: Request[Any, Any, Any], scenario: str) -> Reading:
    city, attendant = city_of(request), attendant_of(request)
    remit = city.assisted.texts.remit(attendant.party, scenario)
    purpose = remit.scenario.manifest.purposes[0]
    return await city.assisted.texts.reading(attendant.party, scenario, purpose)


HANDLERS: list[HTTPRouteHandler] = [start, new, returning, back]
