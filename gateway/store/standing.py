"""Standings in PostgreSQL: loading them, and rebuilding them from what they are made of."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from gateway.body import (
    Body,
    CommitmentSlip,
    ConsentSlip,
    LoanSlip,
    PointsSlip,
    StaySlip,
    VisitSlip,
    pack_commitments,
    pack_consents,
)
from gateway.errors import Conflict
from gateway.store.cache import Entry
from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("standing")
_U63 = 1 << 63


async def load(connection: Connection, citizens: Sequence[UUID]) -> dict[UUID, Entry]:
    """The standings of citizens, each by its primary key; those without one are left out."""
    rows = await connection.fetch(_sql.load, citizens)
    return {row["citizen"]: Entry(row["citizen"], row["version"], row["body"]) for row in rows}


async def lock(connection: Connection, citizens: Sequence[UUID]) -> bool:
    """Lock standings until the transaction ends: always a writer's first statement.

    Returns whether none of these accounts has been closed.
    """
    return bool(await connection.fetchval(_sql.lock, citizens))


async def next_versions(connection: Connection, count: int) -> list[int]:
    """Fresh version numbers of the global sequence."""
    return [row["nextval"] for row in await connection.fetch(_sql.next_versions, count)]


async def put(
    connection: Connection,
    entries: Sequence[Entry],
    digests: Sequence[int],
    issuers: Sequence[int | None],
) -> None:
    """Write standings with new versions, through the one function that may.

    `issuers` are the numbers of the cities whose word visitors stand on: the commit of every
    decision requires it to be fresh.
    """
    await connection.execute(
        _sql.put,
        [entry.citizen for entry in entries],
        [entry.version for entry in entries],
        digests,
        [entry.body for entry in entries],
        issuers,
    )


async def generation(connection: Connection) -> int:
    """The restore generation as an unsigned 64-bit number.

    It mixes the realm's own number with the server's identity and timeline, so that a restored
    or promoted server never shares it with the history it came from.

    Raises:
        Conflict: no city was given this database yet.
    """
    number = await connection.fetchval(_sql.generation)
    if number is None:
        raise Conflict("the database has no city yet; run `qianjiang scenarios publish` first")
    return int(number) % (2 * _U63)


async def word_is_fresh(connection: Connection, issuer: int) -> bool:
    """Whether what a city (by its number) last said of its citizens here is fresh now."""
    return bool(await connection.fetchval(_sql.word_is_fresh, issuer))


async def changes(connection: Connection, limit: int) -> list[tuple[int, UUID]]:
    """What was written and may not have reached the cache: sequence number and citizen."""
    rows = await connection.fetch(_sql.changes, limit)
    return [(row["seq"], row["citizen"]) for row in rows]


async def changes_done(connection: Connection, numbers: Sequence[int]) -> None:
    """Forget changes that reached the cache."""
    await connection.execute(_sql.changes_done, numbers)


async def rebuild(connection: Connection, citizens: Sequence[UUID]) -> dict[UUID, Body]:
    """The bodies of citizens, from one fresh snapshot of everything they are made of."""
    rows = await connection.fetch(_sql.sources, citizens)
    return {row["id"]: _body(row) for row in rows}


def _body(row: asyncpg.Record) -> Body:
    if row["key"] is None:
        return Body()  # erased: nothing else may remain
    return Body(
        key=row["key"],
        # A visitor has no score here, but the lowest band of the tier that came from home.
        band=(row["band"] if row["issuer"] is None else row["visit_band"]) or 0,
        waived_fen=row["waived_fen"],
        medical_used_fen=row["medical_used_fen"],
        consents=pack_consents(_consent(slip) for slip in row["consents"]),
        commitments=pack_commitments(CommitmentSlip(*slip) for slip in row["commitments"]),
        suspensions=tuple(tuple(slip) for slip in row["suspensions"]),
        objections=tuple(row["objections"]),
        probes=tuple(tuple(slip) for slip in row["probes"]),
        loans=tuple(LoanSlip(*slip) for slip in row["loans"]),
        points=tuple(PointsSlip(*slip) for slip in row["points"]),
        residency=tuple(StaySlip(*slip) for slip in row["residency"]),
        cards=tuple(tuple(slip) for slip in row["cards"]),
        reserved_fen=row["reserved_fen"],
        visit=_visit(row),
    )


def _visit(row: asyncpg.Record) -> VisitSlip | None:
    if row["issuer"] is None:
        return None
    # Whose visit is over is a visitor still: nobody's word, not a citizen of the city.
    return VisitSlip(row["issuer"], tuple(row["visit_scenarios"] or ()), row["visit_limit"] or 0)


def _consent(slip: asyncpg.Record) -> ConsentSlip:
    identifier, *rest = slip
    return ConsentSlip(identifier.bytes, *rest)
