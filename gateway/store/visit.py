"""Visitors and their visits in PostgreSQL, and the tokens that open a visitor's session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("visit")


class NewVisit(msgspec.Struct, frozen=True, kw_only=True):
    """A visit as it opens, in the order of the statement's parameters."""

    id: UUID
    citizen: UUID
    home: str
    jti: str
    scheme: str
    scheme_version: int
    tier: str
    band: int
    scenarios: tuple[str, ...]
    limit_fen: int
    as_of: date
    home_consent: UUID
    policy: str
    status_uri: str
    status_idx: int
    granted_us: int


class VisitRow(msgspec.Struct, frozen=True):
    """A visitor's last visit; days in Asia/Shanghai, times in microseconds (UTC).

    `fresh_until_us` is until when the home city's word on its citizens is fresh, `is_fresh`
    whether it is now, by the database's clock.
    """

    home: str
    scheme: str
    scheme_version: int
    tier: str
    scenarios: tuple[str, ...]
    limit_fen: int
    as_of: date
    since: date
    ended: date | None
    reason: str | None
    fresh_until_us: int
    is_fresh: bool


async def know_issuer(connection: Connection, code: str) -> None:
    """Note a city whose citizens may visit."""
    await connection.execute(_sql.know_issuer, code)


async def visitor(connection: Connection, home: str, subject: str) -> UUID | None:
    """Who a city's citizen is here."""
    found: UUID | None = await connection.fetchval(_sql.visitor, home, subject)
    return found


async def add_visitor(
    connection: Connection,
    citizen: UUID,
    home: str,
    subject: str,
    wrapped_key: bytes,
    synthetic: bool,
) -> bool:
    """Add a citizen without identity, unless the home city's subject is somebody here already.

    Then the transaction must not go on: False.
    """
    if not await connection.fetchval(_sql.add_visitor, citizen, home, subject):
        return False
    await connection.execute(_sql.add_citizen, citizen, wrapped_key, synthetic)
    return True


async def newest_us(connection: Connection, citizen: UUID) -> int:
    """When the last grant was made that this visitor came with (µs); 0 where there was none, or
    it is so long ago that no older one can be shown."""
    return int(await connection.fetchval(_sql.newest, citizen) or 0)


async def add(connection: Connection, new: NewVisit) -> bool:
    """Open a visit and end those before it; False, and nothing, where the grant was used."""
    if not await connection.fetchval(_sql.add, *msgspec.structs.astuple(new)):
        return False
    await connection.execute(_sql.end_others, new.citizen, new.id)
    return True


async def end_all(connection: Connection, citizen: UUID, reason: str) -> None:
    """End a visitor's living visits."""
    await connection.execute(_sql.end_all, citizen, reason)


async def home(connection: Connection, citizen: UUID) -> str | None:
    """The home city's code (GB/T 2260) of a visitor; None for the city's own citizens."""
    found: str | None = await connection.fetchval(_sql.home, citizen)
    return found


async def latest(connection: Connection, citizen: UUID) -> VisitRow | None:
    """A visitor's last visit."""
    row = await connection.fetchrow(_sql.latest, citizen)
    return VisitRow(**{**row, "scenarios": tuple(row["scenarios"])}) if row is not None else None


async def issue_token(
    connection: Connection, token_hash: bytes, citizen: UUID, visit: UUID, jkt: str, life_s: int
) -> None:
    """Note a token that ends by itself after `life_s` seconds of the database's clock."""
    await connection.execute(_sql.issue_token, token_hash, citizen, visit, jkt, float(life_s))


async def token_key(connection: Connection, token_hash: bytes) -> str | None:
    """The thumbprint of the key that a token is bound to, while it may be used."""
    found: str | None = await connection.fetchval(_sql.token_key, token_hash)
    return found


async def use_token(connection: Connection, token_hash: bytes) -> UUID | None:
    """Use a token up; whose it was, if it was good and the visit goes on."""
    found: UUID | None = await connection.fetchval(_sql.use_token, token_hash)
    return found


async def forget_iat(connection: Connection, limit: int) -> int:
    """Forget when grants were made that cannot be shown any more; returns of how many."""
    status = await connection.execute(_sql.forget_iat, limit)
    return int(status.rsplit(" ", 1)[1])  # "UPDATE 7"


async def unsettled(connection: Connection, limit: int) -> list[UUID]:
    """Visitors of former days whose rows still lie in the order in which they came and went."""
    return [row["citizen"] for row in await connection.fetch(_sql.unsettled, limit)]


async def settle(connection: Connection, citizens: Sequence[UUID]) -> None:
    """Write the rows of visitors anew in a random order, inside a change of their standings."""
    await connection.execute(_sql.settle, citizens)


async def absent(connection: Connection, days: int, limit: int) -> list[UUID]:
    """Visitors whose last visit ended more than so many days ago, and who owe nothing here."""
    return [row["citizen"] for row in await connection.fetch(_sql.absent, days, limit)]
