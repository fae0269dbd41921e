"""Messages to parties in PostgreSQL: written with the change they tell of, sent later."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("webhook")


class Message(msgspec.Struct, frozen=True):
    """A message to be written: its id, the party's number, its type and the exact payload."""

    id: str
    party: int
    type: str
    payload: str


class Due(msgspec.Struct, frozen=True):
    """A message that this sender has taken, at its `attempts`-th attempt.

    `url` is None where there is nowhere to send it: no address, a closed party, one that is gone.
    """

    id: str
    party: int
    payload: str
    attempts: int
    url: str | None


async def listeners(connection: Connection, recipient: str, scenario: str) -> list[tuple[int, int]]:
    """The parties that act for a recipient in a scenario and want to be told: their numbers,
    each with the recipient's sector."""
    rows = await connection.fetch(_sql.listeners, recipient, scenario)
    return [(row["num"], row["sector"]) for row in rows]


async def listens(connection: Connection, party: int) -> bool:
    """Whether a party wants to be told."""
    return bool(await connection.fetchval(_sql.listens, party))


async def add(connection: Connection, messages: Sequence[Message]) -> None:
    """Write messages into the outbox."""
    rows = [(message.id, message.party, message.type, message.payload) for message in messages]
    await connection.executemany(_sql.add, rows)


async def claim(connection: Connection, limit: int, party_limit: int, lease_s: float) -> list[Due]:
    """Take due messages, at most so many of one party; they are due again after the lease unless
    something is said of them."""
    rows = await connection.fetch(_sql.claim, limit, party_limit, lease_s)
    return [Due(*row) for row in rows]


async def delivered(connection: Connection, message: str) -> None:
    """The party has taken the message."""
    await connection.execute(_sql.delivered, message)


async def again(connection: Connection, message: str, wait_s: float, error: str) -> None:
    """Try once more after so many seconds."""
    await connection.execute(_sql.again, message, wait_s, error)


async def give_up(connection: Connection, message: str, error: str) -> None:
    """No further attempt."""
    await connection.execute(_sql.give_up, message, error)


async def gone(connection: Connection, party: int, url: str) -> None:
    """An address that wants no message any more."""
    await connection.execute(_sql.gone, party, url)
