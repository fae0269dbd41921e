"""The counter itself: asking about the citizen in front of it, today's list, one's own desk."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from gateway.counter.security_keys import MOST
from gateway.edge.access import ACCESS, Access, city_of, clerk_of
from gateway.edge.counter_questions import CounterScenario, FactField, scenarios_of
from gateway.edge.counter_today import line_of
from gateway.still import SIDE_MAX
from gateway.web import amounts
from gateway.web.render import PAGE, asked, page
from scenarios.units import Unit

#: Questions on a page of the list.
LINES: Final = 30

_STAFF: Final = {ACCESS: Access.STAFF, PAGE: True}

#: Facts whose number is typed in yuan.
_MONEY: Final = frozenset({Unit.FEN.value, Unit.FEN_PER_DAY.value})


class Input(msgspec.Struct, frozen=True):
    """A fact as something to fill in: `kind` is money, number, moment, flag, text or fixed."""

    fact: FactField
    kind: str
    value: str

    @property
    def zh(self) -> str:
        """What it is; whatever the contract counts in, money is asked for in yuan here, and a time
        without its zone."""
        return amounts.label(self.fact.zh, Unit(self.fact.unit), "zh")

    @property
    def en(self) -> str:
        """The same in English."""
        return amounts.label(self.fact.en, Unit(self.fact.unit), "en")


@get("/counter", opt=_STAFF, include_in_schema=False)
async def ask(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The question: a scenario (`?scenario=`), its facts, a code, and the answer."""
    city, clerk = city_of(request), clerk_of(request)
    offered = scenarios_of(city, clerk)
    wanted = asked(request).get("scenario", "")
    chosen = next((each for each in offered if each.id == wanted), offered[0] if offered else None)
    return page(
        request,
        "counter.html",
        clerk=clerk,
        offered=offered,
        chosen=chosen,
        inputs=inputs_of(chosen, city.registry[chosen.id].manifest.example_at(city.clock.now_us()))
        if chosen
        else (),
        several_desks=not clerk.desk and bool(await city.counter_sessions.desks(clerk)),
        side=SIDE_MAX,
    )


@get("/counter/today", opt=_STAFF, include_in_schema=False)
async def today(request: Request[Any, Any, Any]) -> Response[bytes]:
    """What this party's staff asked today, newest first."""
    city, clerk = city_of(request), clerk_of(request)
    listed = await city.counter_questions.today(clerk, _place(request), LINES)
    return page(
        request,
        "counter_today.html",
        clerk=clerk,
        lines=[line_of(city, row) for row in listed.rows],
        next=listed.next,
    )


@get("/counter/desk", opt=_STAFF, include_in_schema=False)
async def desk(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Who I am here, at which desk I work; and away."""
    clerk = clerk_of(request)
    city = city_of(request)
    return page(
        request,
        "counter_desk.html",
        clerk=clerk,
        desks=await city.counter_sessions.desks(clerk),
        keys=await city.security_keys.of(clerk),
        keys_possible=city.security_keys.are_possible,
        keys_most=MOST,
    )


def inputs_of(scenario: CounterScenario, example: dict[str, Any]) -> tuple[Input, ...]:
    """What is filled in for a scenario; a moment begins at the one of the example."""
    return tuple(_input(fact, example.get(fact.name)) for fact in scenario.facts)


def _input(fact: FactField, example: Any) -> Input:
    if fact.value is not None:
        return Input(fact, "fixed", fact.value)
    if fact.unit in _MONEY:
        return Input(fact, "money", "")
    match fact.unit:
        case Unit.TIME.value:
            return Input(fact, "moment", str(example or ""))
        case Unit.FLAG.value:
            return Input(fact, "flag", "")
    return Input(fact, "number" if Unit(fact.unit).is_number else "text", "")


def _place(request: Request[Any, Any, Any]) -> UUID | None:
    try:
        return UUID(asked(request).get("before", ""))
    except ValueError:
        return None


HANDLERS: list[HTTPRouteHandler] = [ask, today, desk]
