"""What is new about citizens whose pages are open, read beside the decisions and never in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec

from gateway.store.database import Connection
from gateway.store.lookup import (
    KINDS,
    AssistedAct,
    Line,
    LineKind,
    Question,
    StaffAct,
    search_of,
)
from gateway.store.sql import queries

_sql = queries("watch")


class Scope(msgspec.Struct, frozen=True):
    """Which lines are looked for: from an id to below another; `staff_us` bounds acts of staff by
    their time (µs). At most `limit` of each kind for each citizen, the newest."""

    since: UUID
    until: UUID
    staff_us: int
    limit: int


class Found(msgspec.Struct):
    """What there is of one citizen: ids of lines with their kinds, the open requests that ask in
    person, the standing's version; `most` is how many lines there are of the most frequent kind."""

    lines: dict[UUID, LineKind] = {}
    asked: list[UUID] = []
    standing: int | None = None
    most: int = 0


class ConsentChange(msgspec.Struct, frozen=True):
    """The last change of any of a citizen's consents."""

    id: UUID
    version: int
    status: str
    at_us: int


async def news(
    connection: Connection, citizens: Sequence[UUID], sessions: Sequence[bytes], scope: Scope
) -> tuple[dict[UUID, Found], set[int]]:
    """What there is of each of these citizens, and which of these sessions (hashes) go on, by their
    places from 1."""
    rows = await connection.fetch(
        _sql.news,
        *(citizens, sessions),
        *(scope.since, scope.until, scope.staff_us, scope.limit),
    )
    found = {each: Found() for each in citizens}
    alive: set[int] = set()
    counted: Counter[tuple[UUID, LineKind]] = Counter()
    for kind, citizen, identifier, number in rows:
        match kind:
            case "session":
                alive.add(number)
            case "standing":
                found[citizen].standing = number
            case "asked":
                found[citizen].asked.append(identifier)
            case _:
                found[citizen].lines[identifier] = kind
                counted[citizen, kind] += 1
    for (citizen, _), count in counted.items():
        found[citizen].most = max(found[citizen].most, count)
    return found, alive


async def lines(
    connection: Connection, wanted: Iterable[tuple[LineKind, UUID]]
) -> dict[UUID, Line]:
    """The lines of these kinds and ids."""
    ids: dict[LineKind, list[UUID]] = {kind: [] for kind in KINDS}
    for kind, identifier in wanted:
        ids[kind].append(identifier)
    found: list[Line] = []
    if few := ids["question"]:
        rows = await connection.fetch(_sql.questions, few, min(few), max(few))
        found += [Question(*row) for row in rows]
    if few := ids["search"]:
        rows = await connection.fetch(_sql.searches, few, min(few), max(few))
        found += [search_of(row) for row in rows]
    if few := ids["staff"]:
        found += [StaffAct(*row) for row in await connection.fetch(_sql.staff, few)]
    if few := ids["assisted"]:
        found += [AssistedAct(*row) for row in await connection.fetch(_sql.assisted, few)]
    return {line.id: line for line in found}


async def consent_changes(
    connection: Connection, citizens: Sequence[UUID]
) -> dict[UUID, ConsentChange]:
    """The last change of a consent of each of these citizens, of those who have any."""
    rows = await connection.fetch(_sql.consent_changes, citizens)
    return {citizen: ConsentChange(*rest) for citizen, *rest in rows}
