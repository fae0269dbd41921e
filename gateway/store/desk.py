"""Desks in PostgreSQL: the places where parties meet citizens."""

from __future__ import annotations

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("desk")


class DeskRow(msgspec.Struct, frozen=True):
    """A desk as operators see it; `party` is its OAuth client id."""

    number: str
    party: str
    kind: str
    scenario: str | None
    purpose: str | None
    place: str
    closed: bool


class OpenDesk(msgspec.Struct, frozen=True):
    """An open desk of an active party, as citizens see it; `party` is its internal number.

    The recipient is the one of the desk's scenario, or the party's own entity where it has none.
    """

    number: str
    party: int
    kind: str
    scenario: str | None
    purpose: str | None
    place: str
    party_name: str
    party_kind: str
    recipient_name: str
    recipient_contact: str
    recipient_promise: str


class OpenCounter(msgspec.Struct, frozen=True):
    """An open counter of a party, as its staff choose it."""

    number: str
    place: str


async def add(
    connection: Connection,
    number: str,
    party: int,
    *,
    kind: str,
    scenario: str | None,
    purpose: str | None,
    place: str,
) -> bool:
    """Add a desk; False where its number was taken before."""
    words = number, party, kind, scenario, purpose, place
    return await connection.fetchval(_sql.add, *words) is not None


async def close(connection: Connection, number: str) -> bool:
    """Close a desk; False where none of this number is open."""
    return await connection.fetchval(_sql.close, number) is not None


async def is_registered(connection: Connection, party: int, scenario: str) -> bool:
    """Whether a party may ask about a scenario."""
    return bool(await connection.fetchval(_sql.registered, party, scenario))


async def everyone(connection: Connection) -> list[DeskRow]:
    """Every desk there ever was."""
    return [DeskRow(*row) for row in await connection.fetch(_sql.everyone)]


async def open_desk(connection: Connection, number: str) -> OpenDesk | None:
    """The desk of a number, if it is open, its party active and its scenario still the party's."""
    row = await connection.fetchrow(_sql.open, number)
    return OpenDesk(*row) if row is not None else None


async def is_of_party(connection: Connection, number: str, party: int) -> bool:
    """Whether this is an open desk of this party."""
    return bool(await connection.fetchval(_sql.of_party, number, party))


async def counters(connection: Connection, party: int) -> list[OpenCounter]:
    """The open counters of a party, the first 200."""
    return [OpenCounter(*row) for row in await connection.fetch(_sql.counters, party)]
