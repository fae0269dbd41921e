"""Rows whose period is over, forgotten a bounded number at a time."""

from __future__ import annotations

from gateway.store.database import Connection
from gateway.store.sql import queries, read_queries

_sql = queries("housekeeping")

#: What is forgotten: the names of the deleting statements.
FORGETTING = tuple(
    name for name, statement in read_queries("housekeeping").items() if "DELETE" in statement
)


async def forget(connection: Connection, what: str, limit: int) -> int:
    """Forget at most `limit` rows; returns how many there were."""
    status = await connection.execute(getattr(_sql, what), limit)
    return int(status.rsplit(" ", 1)[1])  # "DELETE 7", "SELECT 7"


async def month_ahead(connection: Connection) -> bool:
    """Whether the table of answers has its partition for four weeks from now."""
    return bool(await connection.fetchval(_sql.month_ahead))
