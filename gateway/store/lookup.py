"""Answers read back: by the party that asked, and by the citizen whom they are about."""

from __future__ import annotations

from datetime import date
from typing import TypeAlias
from uuid import UUID

import asyncpg
import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("lookup")


class Answered(msgspec.Struct, frozen=True):
    """An answer as the party got it."""

    id: UUID
    at_us: int
    outcome: int
    valid_until_us: int
    score_as_of: date | None
    receipt: bytes
    scenario: str
    revision: bytes
    manifest: str


class Recorded(msgspec.Struct, frozen=True):
    """An answer with all that its record holds, for the citizen."""

    id: UUID
    at_us: int
    received_us: int
    outcome: int
    clauses: int
    valid_until_us: int
    score_as_of: date | None
    receipt: bytes
    staff: str | None
    reference: str | None
    consent: UUID | None
    consent_version: int | None
    standing_version: int
    scenario: str
    revision: bytes
    manifest: str
    party: str
    recipient: str
    wrapped_key: bytes | None
    sealed: bytes | None
    delivered: bool


class Question(msgspec.Struct, frozen=True):
    """One line of "who asked about me": a party's question."""

    id: UUID
    at_us: int
    outcome: int
    staff: str | None
    reference: str | None
    scenario: str
    party: str
    delivered: bool


class Search(msgspec.Struct, frozen=True):
    """One line of "who asked about me": a party's search among its scenarios.

    `scenarios` are those whose rules were asked, each with whether it was open.
    """

    id: UUID
    at_us: int
    staff: str | None
    reference: str | None
    party: str
    scenarios: tuple[tuple[str, bool], ...]
    delivered: bool


class StaffAct(msgspec.Struct, frozen=True):
    """One line of "who asked about me": an act of the city's own staff."""

    id: UUID
    at_us: int
    staff: str
    purpose: str
    action: str


class AssistedAct(msgspec.Struct, frozen=True):
    """One line of "who asked about me": an act of staff at a party's counter."""

    id: UUID
    at_us: int
    act: str
    scenario: str
    purpose: str
    party: str
    staff: str
    place: str
    receipt_no: str | None


Line: TypeAlias = Question | Search | StaffAct | AssistedAct


async def of_party(connection: Connection, decision: UUID, party: int) -> Answered | None:
    """An answer, if this party asked."""
    row = await connection.fetchrow(_sql.of_party, decision, party)
    return Answered(*row) if row is not None else None


async def of_citizen(connection: Connection, decision: UUID, citizen: UUID) -> Recorded | None:
    """An answer, if it is about this citizen."""
    row = await connection.fetchrow(_sql.of_citizen, decision, citizen)
    return Recorded(*row) if row is not None else None


async def page(connection: Connection, citizen: UUID, before: UUID, limit: int) -> list[Line]:
    """What happened before an id, newest first: at most `limit` of questions, searches and acts
    of staff, of the city and at counters.

    The ids of all are UUIDv7, so their order is that of time.
    """
    questions = await connection.fetch(_sql.questions, citizen, before, limit)
    searches = await connection.fetch(_sql.searches, citizen, before, limit)
    acts = await connection.fetch(_sql.staff, citizen, before, limit)
    assisted = await connection.fetch(_sql.assisted, citizen, before, limit)
    lines: list[Line] = [Question(*row) for row in questions]
    lines += [_search(row) for row in searches]
    lines += [StaffAct(*row) for row in acts]
    lines += [AssistedAct(*row) for row in assisted]
    return sorted(lines, key=lambda line: line.id, reverse=True)[:limit]


def _search(row: asyncpg.Record) -> Search:
    return Search(**{**row, "scenarios": tuple(tuple(each) for each in row["scenarios"])})
