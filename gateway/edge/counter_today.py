"""Staff of parties: what was asked today at the party's counters, without the citizens."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter

from gateway.city import City
from gateway.clock import rfc3339
from gateway.edge.access import ACCESS, Access, city_of, clerk_of
from gateway.store.counter_question import QuestionRow
from scenarios.contract import Outcome
from scenarios.manifest import Text

Limit = Annotated[int, QueryParameter(ge=1, le=100)]


class TodayLine(msgspec.Struct, frozen=True, kw_only=True):
    """A question of today, without the citizen."""

    at: str
    scenario: str
    title: Text | None
    staff: str
    mine: bool
    desk: str | None
    reference: str | None
    outcome: Literal[
        "eligible", "standard_path", "cannot_assess", "waiting", "not_consented", "unanswered"
    ]
    decision_id: UUID | None


class TodayPage(msgspec.Struct, frozen=True):
    """Newest first; `next` is the `before` of the following page, null on the last."""

    questions: list[TodayLine]
    next: UUID | None


@get("/v1/counter/today", opt={ACCESS: Access.STAFF})
async def today(
    request: Request[Any, Any, Any], limit: Limit = 50, before: FromQuery[UUID | None] = None
) -> TodayPage:
    """What the party's staff asked today."""
    city = city_of(request)
    listed = await city.counter_questions.today(clerk_of(request), before, limit)
    return TodayPage([line_of(city, row) for row in listed.rows], listed.next)


def line_of(city: City, row: QuestionRow) -> TodayLine:
    """A line of the list."""
    compiled = city.registry.get(row.scenario)
    return TodayLine(
        at=rfc3339(row.at_us),
        scenario=row.scenario,
        title=compiled.manifest.title if compiled else None,
        staff=row.staff,
        mine=row.mine,
        desk=row.desk,
        reference=row.reference,
        outcome=_outcome(row),
        decision_id=row.decision,
    )


def _outcome(row: QuestionRow) -> Any:
    if row.outcome is not None:
        return Outcome(row.outcome).wire
    match row.request:
        case "pending" | "granted":
            return "waiting"
        case "declined" | "expired":
            return "not_consented"
    return "unanswered"


HANDLERS: list[HTTPRouteHandler] = [today]
