"""The end of an account in PostgreSQL: what stands in its way, and the one function that erases."""

from __future__ import annotations

from uuid import UUID

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("closure")


class OpenMatter(msgspec.Struct, frozen=True):
    """A matter that must be settled first: a `deposit`, a `medical_advance` or a `loan`.

    `with_whom` is the legal entity's name where there is one, `amount_fen` the money, `items` what
    is on loan, `at_us` when it began or, of a loan, when it is due (microseconds).
    """

    kind: str
    with_whom: str | None
    amount_fen: int | None
    items: int | None
    at_us: int


async def open_matters(connection: Connection, citizen: UUID, limit: int) -> list[OpenMatter]:
    """What of a citizen's is open, the oldest first."""
    return [OpenMatter(*row) for row in await connection.fetch(_sql.open_matters, citizen, limit)]


async def close(connection: Connection, citizen: UUID) -> None:
    """Erase what an account's end erases; the function refuses while anything still stands."""
    await connection.execute(_sql.close, citizen)
