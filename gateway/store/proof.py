"""The single use of DPoP proofs, decided by PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("proof")


async def use(connection: Connection, proofs: Sequence[bytes], keep_s: int) -> set[bytes]:
    """Use proofs up, named by their hashes; returns those that nobody used before.

    They are remembered for `keep_s` seconds.
    """
    rows = await connection.fetch(_sql.use, proofs, float(keep_s))
    return {row["proof"] for row in rows}
