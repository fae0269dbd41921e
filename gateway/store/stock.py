"""Pieces left of a community's items: advisory, held by locks only when an order is made."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("stock")


async def load(
    connection: Connection, shelves: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """Pieces by (community, item); unknown items are left out."""
    communities, items = [shelf[0] for shelf in shelves], [shelf[1] for shelf in shelves]
    rows = await connection.fetch(_sql.load, communities, items)
    return {(row["community"], row["item"]): row["pieces"] for row in rows}
