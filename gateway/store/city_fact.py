"""Facts that the city knows of a citizen besides the score, in PostgreSQL.

Waived deposits, hospital bills, loans, cards, points, residency, suspensions, objections. A party
can never send one. Fields stand in the order of their statement's parameters; times are
microseconds since the epoch, UTC; money is fen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("city_fact")


class Waiver(msgspec.Struct, frozen=True):
    """A deposit that was waived; it counts against the citizen's cap until settled."""

    citizen: UUID
    id: str
    entity: str
    deposit_fen: int
    opened_us: int
    settled_us: int | None = None


class MedicalAdvance(msgspec.Struct, frozen=True):
    """An amount to be paid after treatment; it uses the hospital limit until settled."""

    citizen: UUID
    id: str
    amount_fen: int
    opened_us: int
    settled_us: int | None = None


class Loan(msgspec.Struct, frozen=True):
    """Library items out, until returned."""

    citizen: UUID
    id: str
    entity: str
    items: int
    due_us: int
    returned_us: int | None = None


class LibraryCard(msgspec.Struct, frozen=True):
    """A library's own card reference that rides on this citizen; a child's, mostly."""

    citizen: UUID
    entity: str
    card: str


class PointsEntry(msgspec.Struct, frozen=True):
    """Points earned (or, negative, spent) in one community. Entries are never changed."""

    citizen: UUID
    id: str
    community: str
    points: int
    at_us: int
    expires_us: int | None = None


class Stay(msgspec.Struct, frozen=True):
    """Living in a community from one instant to another."""

    citizen: UUID
    community: str
    from_us: int
    to_us: int | None = None


class Suspension(msgspec.Struct, frozen=True):
    """The fast lane of one scenario closed, until lifted."""

    citizen: UUID
    id: UUID
    scenario: str
    from_us: int
    lifted_us: int | None = None


class Objection(msgspec.Struct, frozen=True):
    """A citizen's objection under review; no scenario means every one."""

    citizen: UUID
    id: UUID
    scenario: str | None
    opened_us: int
    closed_us: int | None = None


CityFact: TypeAlias = (
    Waiver | MedicalAdvance | Loan | LibraryCard | PointsEntry | Stay | Suspension | Objection
)


class Shelf(msgspec.Struct, frozen=True):
    """Pieces of an item that a community has left."""

    community: str
    item: str
    pieces: int


_STATEMENTS: dict[type[CityFact], str] = {
    Waiver: _sql.put_waiver,
    MedicalAdvance: _sql.put_medical_advance,
    Loan: _sql.put_loan,
    LibraryCard: _sql.put_library_card,
    PointsEntry: _sql.put_points_entry,
    Stay: _sql.put_stay,
    Suspension: _sql.put_suspension,
    Objection: _sql.put_objection,
}


async def put(connection: Connection, facts: Sequence[CityFact]) -> None:
    """Add facts, or bring those of the same id up to date; never another citizen's."""
    kinds: defaultdict[type[CityFact], list[tuple[Any, ...]]] = defaultdict(list)
    for fact in facts:
        kinds[type(fact)].append(msgspec.structs.astuple(fact))
    for kind, values in kinds.items():
        await connection.executemany(_STATEMENTS[kind], values)


async def put_shelves(connection: Connection, shelves: Sequence[Shelf]) -> None:
    """Say what communities have left."""
    await connection.executemany(
        _sql.put_shelf, [msgspec.structs.astuple(shelf) for shelf in shelves]
    )


class Waived(msgspec.Struct, frozen=True):
    """Deposits waived and how much of that is settled, in fen and in times."""

    deposit_fen: int
    settled_fen: int
    times: int
    settled_times: int


class WaivedInMonth(Waived, frozen=True):
    """The same for one legal entity and the month of waiving in Asia/Shanghai, as `2026-06`."""

    entity: str
    month: str


async def waived(
    connection: Connection, citizen: UUID, lines: int
) -> tuple[Waived, list[WaivedInMonth]]:
    """A citizen's waived deposits: all of them, and so many lines of the newest months."""
    total, *months = await connection.fetch(_sql.waived, citizen, lines + 1)
    sums = ("deposit_fen", "settled_fen", "times", "settled_times")
    return (
        Waived(*(total[name] for name in sums)),
        [WaivedInMonth(*(row[name] for name in (*sums, "entity", "month"))) for row in months],
    )
