"""Commitments in PostgreSQL: append-only versions, and the nonces of texts shown."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("commitment")


class NonceRow(msgspec.Struct, frozen=True, kw_only=True):
    """What was shown under a nonce, and until when it may be signed (microseconds)."""

    scenario: str
    party: str | None
    template: str
    template_version: str
    text_sha256: bytes
    expires_us: int


class CommitmentRow(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a commitment; times in microseconds."""

    id: UUID
    version: int
    citizen: UUID
    scenario: str
    entity: str | None
    entity_name: str | None
    template: str
    template_version: str
    text_sha256: bytes
    device: UUID | None
    jws: str | None
    status: str
    signed_us: int
    at_us: int
    assisted: UUID | None = None  # the act of staff that recorded it, where no device signed
    staff: str | None = None
    place: str | None = None
    receipt_no: str | None = None


class NewCommitment(msgspec.Struct, frozen=True, kw_only=True):
    """A version about to be signed by a device, or recorded by an act of staff."""

    id: UUID
    version: int
    citizen: UUID
    scenario: str
    entity: str | None
    template: str
    template_version: str
    text_sha256: bytes
    device: UUID | None = None
    jws: str | None = None
    assisted: UUID | None = None


async def draft(connection: Connection, nonce_hash: bytes, citizen: UUID, shown: NonceRow) -> None:
    """Remember what is shown to a citizen under a nonce."""
    await connection.execute(
        _sql.draft,
        *(nonce_hash, citizen, shown.scenario, shown.party, shown.template),
        *(shown.template_version, shown.text_sha256, shown.expires_us),
    )


async def use_nonce(connection: Connection, nonce_hash: bytes, citizen: UUID) -> NonceRow | None:
    """What was shown under a nonce of this citizen's, once and before it expires."""
    row = await connection.fetchrow(_sql.use_nonce, nonce_hash, citizen)
    return None if row is None else NonceRow(**row)


async def newest(connection: Connection, citizen: UUID) -> list[CommitmentRow]:
    """The newest version of each commitment of a citizen."""
    return [CommitmentRow(**row) for row in await connection.fetch(_sql.newest, citizen)]


async def version(
    connection: Connection, citizen: UUID, commitment: UUID, number: int | None
) -> CommitmentRow | None:
    """One version of a citizen's commitment, the newest where no number is given."""
    row = await connection.fetchrow(_sql.version, citizen, commitment, number)
    return None if row is None else CommitmentRow(**row)


async def signed_by(connection: Connection, citizen: UUID) -> dict[UUID, list[CommitmentRow]]:
    """The newest versions of a citizen's commitments by the device that signed them."""
    devices: defaultdict[UUID, list[CommitmentRow]] = defaultdict(list)
    for row in await newest(connection, citizen):
        if row.device is not None:
            devices[row.device].append(row)
    return devices


async def add(connection: Connection, new: NewCommitment) -> None:
    """Add a signed version."""
    await connection.execute(_sql.add, *msgspec.structs.astuple(new))


async def withdraw(connection: Connection, citizen: UUID, commitment: UUID, version: int) -> None:
    """Add the version that takes a commitment back."""
    await connection.execute(_sql.withdraw, citizen, commitment, version)


async def void(connection: Connection, citizen: UUID, device: UUID, since_us: int) -> None:
    """Void what stands of what a device signed since an instant."""
    await connection.execute(_sql.void, citizen, device, since_us)
