"""Visits on their way, each under the hash of a secret that one browser holds."""

from __future__ import annotations

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("visit_attempt")


class NewAttempt(msgspec.Struct, frozen=True):
    """An attempt as it begins. `verifier` is sealed; secret and state are kept as hashes."""

    id_hash: bytes
    home: str
    scenarios: tuple[str, ...]
    jkt: str
    state_hash: bytes
    verifier: bytes


class Awaited(msgspec.Struct, frozen=True):
    """An attempt whose visitor has not come back from the home city."""

    home: str
    state_hash: bytes
    verifier: bytes


class OpenAttempt(msgspec.Struct, frozen=True):
    """An attempt whose visitor came back and presented nothing yet; `recognition` is the grant,
    sealed."""

    home: str
    scenarios: tuple[str, ...]
    jkt: str
    recognition: bytes | None


async def begin(connection: Connection, new: NewAttempt, life_s: int) -> None:
    """Begin an attempt that ends by itself after `life_s` seconds of the database's clock."""
    await connection.execute(_sql.begin, *msgspec.structs.astuple(new), float(life_s))


async def awaited(connection: Connection, id_hash: bytes) -> Awaited | None:
    """The attempt that waits for its visitor to come back."""
    row = await connection.fetchrow(_sql.awaited, id_hash)
    return Awaited(*row) if row is not None else None


async def returned(connection: Connection, id_hash: bytes) -> bool:
    """Note that the visitor has come back; False where that was noted before."""
    return bool(await connection.fetchval(_sql.returned, id_hash))


async def keep(connection: Connection, id_hash: bytes, recognition: bytes) -> None:
    """Keep the grant, sealed, until it is presented."""
    await connection.execute(_sql.keep, id_hash, recognition)


async def open_one(connection: Connection, id_hash: bytes) -> OpenAttempt | None:
    """The attempt by which something may yet be presented."""
    row = await connection.fetchrow(_sql.open, id_hash)
    if row is None:
        return None
    return OpenAttempt(row["home"], tuple(row["scenarios"]), row["jkt"], row["recognition"])


async def claim(connection: Connection, id_hash: bytes) -> bool:
    """Use the attempt up, inside the transaction of what it is used for."""
    return bool(await connection.fetchval(_sql.claim, id_hash))
