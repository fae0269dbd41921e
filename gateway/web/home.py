"""The first page: where I stand, and what is mine to decide."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.edge.recognitions import recognised
from gateway.web import lookups, visitor
from gateway.web.consents import cards, pauses
from gateway.web.render import PAGE, language_for, page
from scoring import Band


@get("/app", opt={ACCESS: Access.CITIZEN, PAGE: True}, include_in_schema=False)
async def home(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The page."""
    city, citizen = city_of(request), citizen_of(request)
    visit = await city.visiting.visits.of(citizen)
    if visit is not None:
        return await visitor.home(request, visit)
    person = await city.citizens.person(citizen)
    said = await city.authorisations.current(citizen)
    shown = await city.authorisations.score(citizen)
    elsewhere = [each for each in (await recognised(request)).recognitions if each.withdraw]
    theirs = {each.consent for each in elsewhere}
    mine = [each for each in await cards(city, citizen) if each.fresh and each.id not in theirs]
    return page(
        request,
        "home.html",
        name=person.name,
        said=said,
        shown=shown,
        band=Band(shown.band) if shown else None,
        elsewhere_mine=elsewhere,
        consents_mine=mine,
        pauses=pauses(city.clock.now_us()),
        latest=await lookups.latest(city, citizen),
        act_of=lookups.act_in(language_for(request)),
    )


HANDLERS: list[HTTPRouteHandler] = [home]
