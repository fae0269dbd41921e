"""Decisions in PostgreSQL: the commit statement, and reading answers back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from gateway.evidence import Record, head
from gateway.store.database import Connection
from gateway.store.sql import queries
from scenarios.universal import RECOGNISED

_sql = queries("decision")


class Proposal(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A decision as computed, asking to be recorded."""

    record: Record
    digest: int
    sealed: bytes
    request_id: str | None
    body_hash: bytes
    frequency: int = 0  # of the consent relied on; above 0 only in the single lane
    fresh: bool | None = None  # what it assumes of the word of a visitor's home city


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What the commit statement says of one proposal, at the database's time.

    `receipt` is set where it was recorded. Otherwise at least one of the `*_holds` is false, or
    the consent's questions of the day are `used_up`, or else the party's `request_id` was used
    before. Where the standing does not hold, the true one comes along (None = there is none).
    """

    at_us: int
    valid_until_us: int | None
    receipt: bytes | None
    standing_holds: bool
    party_holds: bool
    policy_holds: bool
    time_holds: bool
    issuer_holds: bool
    used_up: bool
    true_version: int | None
    true_body: bytes | None

    @property
    def changed(self) -> list[str]:
        """Of a proposal that was not recorded: the premises that no longer held."""
        holds = {
            "standing": self.standing_holds,
            "party": self.party_holds,
            "policy": self.policy_holds,
            "time": self.time_holds,
            "issuer": self.issuer_holds,
            "used_up": not self.used_up,
        }
        return [premise for premise, held in holds.items() if not held] or ["request_id"]


async def record(
    connection: Connection,
    proposals: Sequence[Proposal],
    *,
    answer_ttl_us: int,
    statement: str = _sql.record,
) -> list[Outcome]:
    """Check and record proposals in one autocommit statement, one outcome each, in order."""
    columns = [_column(values) for values in zip(*map(_row, proposals), strict=True)]
    rows = await connection.fetch(statement, *columns, answer_ttl_us)
    return [_outcome(row) for row in rows]


def _column(values: tuple[Any, ...]) -> Sequence[Any]:
    # `unnest` pads a shorter array with NULLs, and asyncpg spends time on every element: a column
    # that no proposal of the batch uses (staff, reference, request id, …) travels empty.
    return () if values.count(None) == len(values) else values


def _row(proposal: Proposal) -> tuple[Any, ...]:
    record = proposal.record
    return (
        head(record),
        proposal.digest,
        proposal.sealed,
        record.staff,
        record.reference,
        proposal.request_id,
        proposal.body_hash or None,
        proposal.frequency or None,
        proposal.fresh,
    )


def _outcome(row: asyncpg.Record) -> Outcome:
    return Outcome(*row)


class Replay(msgspec.Struct, frozen=True):
    """A question asked before, with its saved answer and whether every premise still holds."""

    body_hash: bytes
    decision: UUID
    at_us: int
    outcome: int
    policy: int
    score_as_of: date | None
    receipt: bytes
    valid_until_us: int
    holds: bool


async def replay(
    connection: Connection, party: int, request_id: str, answer_ttl_us: int
) -> Replay | None:
    """The saved answer to a party's own request id, if there is one."""
    row = await connection.fetchrow(_sql.replay, party, request_id, answer_ttl_us, RECOGNISED)
    return Replay(*row) if row is not None else None


async def living(connection: Connection, lost: Sequence[tuple[int, int]]) -> set[int]:
    """Those of the server processes that still live: process id, and when it was lost sight of
    (microseconds since the epoch), so that a later process of the same id is another one."""
    found = await connection.fetch(_sql.living, *map(list, zip(*lost, strict=True)))
    return {row["pid"] for row in found}


async def mark_undelivered(connection: Connection, ids: Sequence[UUID]) -> int:
    """Mark those of the decisions that were recorded after all; returns how many were."""
    return len(await connection.fetch(_sql.undelivered, ids))


async def totals(connection: Connection, since: UUID) -> dict[tuple[str, int], int]:
    """How many answers of each scenario and outcome were recorded from an id on."""
    rows = await connection.fetch(_sql.totals, since)
    return {(row["scenario"], row["outcome"]): row["answers"] for row in rows}
