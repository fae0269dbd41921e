"""The first page of a visitor from another city, and what visitors have no part in."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response
from litestar.handlers import BaseRouteHandler

from gateway.edge.access import Connection, citizen_of, city_of
from gateway.edge.my_visit import view
from gateway.errors import NotForVisitors
from gateway.recognition.visits import Visit
from gateway.web import lookups
from gateway.web.consents import cards, pauses
from gateway.web.render import language_for, page


async def own_citizens_only(connection: Connection, _: BaseRouteHandler) -> None:
    """A guard of pages that are about what this city knows of its own citizens: score and facts,
    and what it says of them to other cities.

    Raises:
        NotForVisitors: another city's citizen is signed in.
    """
    city = city_of(connection)
    if await city.visiting.visits.of(citizen_of(connection)) is not None:
        raise NotForVisitors


async def home(request: Request[Any, Any, Any], visit: Visit) -> Response[bytes]:
    """The page: from where, what is open here, and whether the home city can be reached."""
    city, citizen = city_of(request), citizen_of(request)
    row = visit.row
    return page(
        request,
        "visitor.html",
        home=visit.home,
        visit=view(city, visit, row) if row is not None else None,
        consents_mine=[each for each in await cards(city, citizen) if each.fresh],
        pauses=pauses(city.clock.now_us()),
        latest=await lookups.latest(city, citizen),
        act_of=lookups.act_in(language_for(request)),
    )
