"""Parties in PostgreSQL: who may ask, with which keys, about which scenarios, for whom."""

from __future__ import annotations

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("party")


class Recipient(msgspec.Struct, frozen=True):
    """The legal entity that receives the answers of one party and scenario (PIPL 23)."""

    entity: str
    sector: int
    name: str
    contact: str


class PartyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A party as registered, at one revision."""

    num: int
    id: str
    entity: str
    own_sector: int
    kind: str
    name: str
    status: str
    revision: int
    tokens_not_before_us: int
    city: str | None
    community: str | None
    webhook_url: str | None
    scenarios: dict[str, Recipient]
    keys: dict[str, str]  # kid -> public JWK as JSON


async def revisions(connection: Connection) -> int:
    """A number that grows with every committed change of any party."""
    return int(await connection.fetchval(_sql.revisions))


async def everyone(connection: Connection) -> list[PartyRow]:
    """All parties, whatever their status."""
    return [
        PartyRow(
            **{
                **row,
                "scenarios": {name: Recipient(*rest) for name, *rest in row["scenarios"]},
                "keys": dict(row["keys"]),
            }
        )
        for row in await connection.fetch(_sql.everyone)
    ]


async def use_assertion(connection: Connection, issuer: str, jti: str, expires_us: int) -> bool:
    """Whether this is the first use of a client assertion; PostgreSQL decides, once."""
    return bool(await connection.fetchval(_sql.use_assertion, issuer, jti, expires_us))
