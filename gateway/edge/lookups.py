"""Who asked about me: the list, page by page, and what of it is wanted."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter

from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.edge.lookup_lines import Line, OutcomeName, line_of, outcome_of
from gateway.lookup_filter import Choice
from gateway.store.lookup import LineKind

Limit = Annotated[int, QueryParameter(ge=1, le=100)]
Cursor = Annotated[str | None, QueryParameter(max_length=22)]
Name = Annotated[str | None, QueryParameter(min_length=1, max_length=200)]
ScenarioName = Annotated[str | None, QueryParameter(min_length=1, max_length=64)]
First = Annotated[date | None, QueryParameter(name="from", description="A day in Asia/Shanghai")]
Last = Annotated[date | None, QueryParameter(name="to", description="A day, itself included")]


class LookupPage(msgspec.Struct, frozen=True):
    """Newest first; `next` is the `cursor` of the following page, null on the last.

    Under a filter a page may be short, even empty, and yet have a next.
    """

    lookups: list[Line]
    next: str | None


async def choice_of(
    kind: FromQuery[LineKind | None] = None,
    scenario: ScenarioName = None,
    party: Name = None,
    outcome: FromQuery[OutcomeName | None] = None,
    first: First = None,
    last: Last = None,
) -> Choice:
    """What of the lines is wanted: everything that fits all that is given."""
    return Choice(
        kind=kind,
        scenario=scenario,
        party=party,
        outcome=outcome_of(outcome) if outcome else None,
        first=first,
        last=last,
    )


#: For routes that take a choice among the lines.
CHOOSING: Final = {"choice": Provide(choice_of)}


@get("/v1/me/lookups", opt={ACCESS: Access.CITIZEN}, dependencies=CHOOSING)
async def lookups(
    request: Request[Any, Any, Any],
    choice: NamedDependency[Choice],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> LookupPage:
    """Who asked about the citizen, staff of the city included."""
    city = city_of(request)
    page = await city.lookups.page(citizen_of(request), cursor, limit, choice.wanted())
    return LookupPage([line_of(city.registry, line) for line in page.lines], page.next)


HANDLERS: list[HTTPRouteHandler] = [lookups]
