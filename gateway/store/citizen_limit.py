"""What a citizen may ask for so often, in PostgreSQL: true for all workers, lost with no cache."""

from __future__ import annotations

from uuid import UUID

from gateway.gcra import Grant, Rate, charge
from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("citizen_limit")


async def take(connection: Connection, citizen: UUID, what: str, rate: Rate) -> Grant:
    """Take one of what the rate grants; inside a transaction, whose others wait for it."""
    await connection.execute(_sql.hold, citizen, what)
    held = await connection.fetchrow(_sql.held, citizen, what)
    assert held is not None, "just held, in this transaction"
    full_at_us, grant = charge(held["full_at_us"], held["now_us"], rate, 1)
    await connection.execute(_sql.put, citizen, what, full_at_us)
    return grant
