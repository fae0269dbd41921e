"""Scoring facts in PostgreSQL, under the blind index of the person they are about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

import asyncpg
import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries
from scoring import Dimension, Fact, Merit, Sphere
from scoring.facts import NEGATIVE_YEARS

_sql = queries("fact")


class Written(msgspec.Struct, frozen=True):
    """What a write changed: rows that are new, rows replaced, and the people concerned."""

    new: int
    changed: int
    people: frozenset[bytes]


async def put(connection: Connection, facts: Sequence[tuple[bytes, Fact]]) -> Written:
    """Add facts, or replace what stands under the same key; keys must differ within one call."""
    columns: list[list[object]] = [[] for _ in range(10)]
    for index, fact in facts:
        for column, value in zip(columns, _values(index, fact), strict=True):
            column.append(value)
    rows = await connection.fetch(_sql.put, *columns)
    new = sum(row["added"] for row in rows)
    return Written(new, len(rows) - new, frozenset(row["identity_index"] for row in rows))


async def load(
    connection: Connection,
    people: Sequence[bytes],
    merits: Mapping[tuple[str, str], Merit | None],
) -> dict[bytes, list[Fact]]:
    """The facts of people by blind index; those without any are left out.

    `merits` says, by department and code, what kind of merit the catalogue sees in a record.
    """
    facts: defaultdict[bytes, list[Fact]] = defaultdict(list)
    for row in await connection.fetch(_sql.load, people):
        facts[row["identity_index"]].append(_fact(row, merits))
    return facts


async def forget_ended(connection: Connection, day: date, limit: int) -> int:
    """Delete negative facts that may not be used on that day or later; returns how many."""
    status = await connection.execute(_sql.forget_ended, day, NEGATIVE_YEARS, limit)
    return int(status.rsplit(" ", 1)[1])  # "DELETE 7"


def _values(index: bytes, fact: Fact) -> tuple[object, ...]:
    return (
        index,
        fact.department,
        fact.code,
        fact.source,
        fact.dimension.value,
        msgspec.json.encode(fact.value).decode(),
        fact.effective,
        fact.expires,
        fact.determined,
        fact.sphere.value,
    )


def _fact(row: asyncpg.Record, merits: Mapping[tuple[str, str], Merit | None]) -> Fact:
    return Fact(
        department=row["department"],
        code=row["code"],
        dimension=Dimension(row["dimension"]),
        value=msgspec.json.decode(row["value"], type=int | str),
        effective=row["effective"],
        expires=row["expires"],
        determined=row["determined"],
        source=row["source_ref"],
        sphere=Sphere(row["sphere"]),
        merit=merits.get((row["department"], row["code"])),
    )
