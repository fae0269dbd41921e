"""Scores in PostgreSQL: whose are due, what is held, and the runs that published them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg
import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries
from scoring import Merit

_sql = queries("score")


class Held(msgspec.Struct, frozen=True):
    """A score on file; `factors` is its explanation, sealed under the person's key."""

    score: int
    band: int
    factors: bytes


class Due(msgspec.Struct, frozen=True):
    """A living citizen whose score may be computed, under which authorisation, and what is held."""

    citizen: UUID
    identity_index: bytes | None
    wrapped_key: bytes
    authorisation: int
    leave_out: frozenset[Merit]
    held: Held | None


class Fresh(msgspec.Struct, frozen=True):
    """A score to be written. `moves` where the band, which decisions read, is another than held."""

    citizen: UUID
    authorisation: int
    score: int
    band: int
    factors: bytes
    moves: bool


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One publication: how many were scored, written, and changed their band.

    `forgotten` counts the negative facts that were deleted before it; it is told and not stored.
    """

    id: int
    model: str
    as_of: date
    scored: int
    changed: int
    band_moves: int
    forgotten: int
    started_us: int


async def due(connection: Connection, after: UUID, limit: int) -> list[Due]:
    """The next citizens in the order of their keys."""
    return [_due(row) for row in await connection.fetch(_sql.due, after, limit)]


async def due_of(connection: Connection, citizens: Sequence[UUID]) -> list[Due]:
    """Those of these citizens whose score may be computed."""
    return [_due(row) for row in await connection.fetch(_sql.due_of, citizens)]


async def put(connection: Connection, run: int, fresh: Sequence[Fresh]) -> int:
    """Write scores under the authorisations they were computed by; returns how many were.

    One whose authorisation changed meanwhile, who was erased, or who has the score of a later
    run, is passed over.
    """
    rows = await connection.fetch(
        _sql.put,
        run,
        [one.citizen for one in fresh],
        [one.authorisation for one in fresh],
        [one.score for one in fresh],
        [one.band for one in fresh],
        [one.factors for one in fresh],
    )
    return len(rows)


async def leftover(connection: Connection, limit: int) -> list[UUID]:
    """Citizens whose score must go."""
    return [row["citizen"] for row in await connection.fetch(_sql.leftover, limit)]


async def forget(connection: Connection, citizens: Sequence[UUID]) -> None:
    """Delete the scores of those who withdrew their authorisation or were erased."""
    await connection.execute(_sql.forget, citizens)


async def next_run(connection: Connection) -> int:
    """The number of a run that begins."""
    return int(await connection.fetchval(_sql.next_run))


async def finish_run(connection: Connection, run: Run) -> None:
    """Record a run that has ended: its day is from now on the day of all scores."""
    await connection.execute(
        _sql.finish_run,
        run.id,
        run.model,
        run.as_of,
        run.scored,
        run.changed,
        run.band_moves,
        run.started_us,
    )


async def latest_run(connection: Connection) -> tuple[int, date] | None:
    """Number and day of the newest run that has ended."""
    row = await connection.fetchrow(_sql.latest_run)
    return None if row is None else (row["id"], row["as_of"])


async def candidates(connection: Connection) -> int:
    """How many citizens a run may have to look at, for a progress bar."""
    return int(await connection.fetchval(_sql.candidates))


async def held(connection: Connection, citizen: UUID, today: date) -> tuple[Held, date] | None:
    """A citizen's score and its day, where there is one and its authorisation stands.

    `today` is the day said where no run has ended yet.
    """
    row = await connection.fetchrow(_sql.held, citizen, today)
    return None if row is None else (Held(row["score"], row["band"], row["factors"]), row["as_of"])


def _due(row: asyncpg.Record) -> Due:
    held = None
    if row["score"] is not None:
        held = Held(row["score"], row["band"], row["factors"])
    return Due(
        citizen=row["id"],
        identity_index=row["identity_index"],
        wrapped_key=row["wrapped_key"],
        authorisation=row["authorisation"],
        leave_out=frozenset(map(Merit, row["leave_out"])),
        held=held,
    )
