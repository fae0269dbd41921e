"""Searches in PostgreSQL: the commit statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from gateway.search_evidence import SearchRecord, head
from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("search")


class SearchProposal(msgspec.Struct, frozen=True, kw_only=True):
    """A search as computed, asking to be recorded.

    `good_until_us` is the end of what it found; of the rest the record's own interval speaks.
    """

    record: SearchRecord
    digest: int
    sealed: bytes
    good_until_us: int
    fresh: bool | None = None  # what it assumes of the word of a visitor's home city


class SearchOutcome(msgspec.Struct, frozen=True):
    """What the commit statement says of one proposal, at the database's time.

    `receipt` is set where it was recorded. Otherwise one of the `*_hold(s)` is false, or the time
    was outside of the interval. Where the standing does not hold, the true one comes along.
    """

    at_us: int
    valid_until_us: int | None
    receipt: bytes | None
    standing_holds: bool
    party_holds: bool
    policies_hold: bool
    issuer_holds: bool
    true_version: int | None
    true_body: bytes | None


async def record(
    connection: Connection,
    proposals: Sequence[SearchProposal],
    *,
    answer_ttl_us: int,
    statement: str = _sql.record,
) -> list[SearchOutcome]:
    """Check and record proposals in one autocommit statement, one outcome each, in order."""
    columns = list(zip(*map(_row, proposals), strict=True))
    rows = await connection.fetch(statement, *columns, answer_ttl_us)
    return [SearchOutcome(*row) for row in rows]


async def mark_undelivered(connection: Connection, ids: Sequence[UUID]) -> int:
    """Mark those of the searches that were recorded after all; returns how many were."""
    return len(await connection.fetch(_sql.undelivered, ids))


def _row(proposal: SearchProposal) -> tuple[Any, ...]:
    record = proposal.record
    return (
        record.id,
        head(record),
        record.received_us,
        record.party,
        record.party_revision,
        record.sector,
        record.citizen,
        record.standing_version,
        proposal.digest,
        _numbers(record.evaluated),
        _numbers(record.found),
        _array(",".join(map(bytes.hex, record.consents))),
        _numbers(record.consent_versions),
        record.since_us,
        record.until_us,
        proposal.good_until_us,
        record.facts_hash,
        proposal.sealed,
        record.staff,
        record.reference,
        record.score_as_of,
        proposal.fresh,
    )


def _numbers(values: tuple[int, ...]) -> str:
    return _array(str(list(values))[1:-1])


def _array(items: str) -> str:
    """An array literal; numbers, and ids as bare digits, need no quotation marks."""
    return "{" + items + "}"
