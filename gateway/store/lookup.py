"""Answers read back: by the party that asked, and by the citizen whom they are about."""

from __future__ import annotations

from datetime import date
from typing import Final, Literal
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
    compiler: int


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
    compiler: int
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


Line = Question | Search | StaffAct | AssistedAct
LineKind = Literal["question", "search", "staff", "assisted"]

#: All kinds of line.
KINDS: Final[tuple[LineKind, ...]] = ("question", "search", "staff", "assisted")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines of "who asked about me": of which kinds; from which id (UUIDv7) to below which;
    from when to before when (µs); and, where not None, of which scenario, party's name, outcome.

    The caller sees to it that no kind is wanted by what it does not have: an act of the city's
    staff has no scenario, only a question has an outcome.
    """

    kinds: tuple[LineKind, ...] = KINDS
    floor: UUID = UUID(int=0)
    ceiling: UUID = UUID(int=(1 << 128) - 1)
    from_us: int = 0
    until_us: int = (1 << 48) * 1000
    scenario: str | None = None
    party: str | None = None
    outcome: int | None = None


async def of_party(connection: Connection, decision: UUID, party: int) -> Answered | None:
    """An answer, if this party asked."""
    row = await connection.fetchrow(_sql.of_party, decision, party)
    return Answered(*row) if row is not None else None


async def of_citizen(connection: Connection, decision: UUID, citizen: UUID) -> Recorded | None:
    """An answer, if it is about this citizen."""
    row = await connection.fetchrow(_sql.of_citizen, decision, citizen)
    return Recorded(*row) if row is not None else None


async def reach(
    connection: Connection, citizen: UUID, wanted: Wanted, before: UUID, most: int
) -> UUID | None:
    """The line after so many of one kind, newest first; None if there are fewer of each."""
    span = _span(before, wanted)
    found: UUID | None = await connection.fetchval(_sql.reach, citizen, *span[:2], most)
    return found


async def page(
    connection: Connection, citizen: UUID, wanted: Wanted, before: UUID, limit: int
) -> list[Line]:
    """What of it happened before an id, newest first: at most `limit` lines of all kinds.

    The ids of all are UUIDv7, so their order is that of time.
    """
    span, lines = _span(before, wanted), list[Line]()
    if "question" in wanted.kinds:
        narrowed = (wanted.scenario, wanted.party, wanted.outcome)
        rows = await connection.fetch(_sql.questions, citizen, *span, *narrowed, limit)
        lines += [Question(*row) for row in rows]
    if "search" in wanted.kinds:
        rows = await connection.fetch(
            _sql.searches, citizen, *span, wanted.scenario, wanted.party, limit
        )
        lines += [search_of(row) for row in rows]
    if "staff" in wanted.kinds:
        rows = await connection.fetch(_sql.staff, citizen, *span, limit)
        lines += [StaffAct(*row) for row in rows]
    if "assisted" in wanted.kinds:
        rows = await connection.fetch(
            _sql.assisted, citizen, *span, wanted.scenario, wanted.party, limit
        )
        lines += [AssistedAct(*row) for row in rows]
    return sorted(lines, key=lambda line: line.id, reverse=True)[:limit]


def search_of(row: asyncpg.Record) -> Search:
    """A search from its row."""
    return Search(**{**row, "scenarios": tuple(tuple(each) for each in row["scenarios"])})


def _span(before: UUID, wanted: Wanted) -> tuple[UUID, UUID, int, int]:
    return before, wanted.floor, wanted.from_us, wanted.until_us
