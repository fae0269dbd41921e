"""What is wrong about me is to be put right: asked for, and what became of it."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from gateway.clock import Clock, rfc3339
from gateway.corrections import About, Said, Text
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.edge.idempotency import act_of
from gateway.scores import today
from gateway.store.correction import CorrectionRow

_PATH = "/v1/me/corrections"


class CorrectionAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wrong, and how it should read."""

    about: About
    words: Text


class CorrectionView(msgspec.Struct, frozen=True):
    """A request and what became of it; `due_on` is the last day to decide, in Asia/Shanghai."""

    id: UUID
    about: About
    words: str
    status: str
    received_at: str
    due_on: date
    overdue: bool
    decided_at: str | None
    decided_by: str | None
    answer: str | None


class CorrectionList(msgspec.Struct, frozen=True):
    """The newest requests first, at most a hundred; the export has all."""

    corrections: list[CorrectionView]


@post(_PATH, opt={ACCESS: Access.CITIZEN}, status_code=201)
async def ask(request: Request[Any, Any, Any], data: JSONBody[CorrectionAsk]) -> CorrectionView:
    """Ask for a correction."""
    city, citizen = city_of(request), citizen_of(request)
    said = Said(data.about, data.words)
    row = await city.corrections.ask(citizen, said, await act_of(request, citizen))
    return view(row, said, None, city.clock)


@get(_PATH, opt={ACCESS: Access.CITIZEN})
async def asked(request: Request[Any, Any, Any]) -> CorrectionList:
    """My requests for correction."""
    city = city_of(request)
    made = await city.corrections.of(citizen_of(request))
    return CorrectionList([view(each.row, each.said, each.answer, city.clock) for each in made])


def view(row: CorrectionRow, said: Said, answer: str | None, clock: Clock) -> CorrectionView:
    """A request as its citizen reads it."""
    return CorrectionView(
        id=row.id,
        about=said.about,
        words=said.words,
        status=row.status,
        received_at=rfc3339(row.received_us),
        due_on=row.due_on,
        overdue=row.status == "received" and today(clock) > row.due_on,
        decided_at=None if row.decided_us is None else rfc3339(row.decided_us),
        decided_by=row.staff,
        answer=answer,
    )


HANDLERS: list[HTTPRouteHandler] = [ask, asked]
