"""Citizens in PostgreSQL: who they are (sealed), how they sign in, what they authorised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("citizen")


class NewCitizen(msgspec.Struct, frozen=True, kw_only=True):
    """A person at the first login."""

    id: UUID
    identity_index: bytes
    identity: bytes  # sealed
    wrapped_key: bytes
    synthetic: bool


class PersonRow(msgspec.Struct, frozen=True):
    """A living citizen's record; of a visitor, `home` is the city that vouches for them."""

    identity: bytes | None
    wrapped_key: bytes
    synthetic: bool
    created_us: int
    home: str | None


class AuthorisationRow(msgspec.Struct, frozen=True):
    """The newest version of a citizen's score authorisation.

    `aloud`: staff of a counter recorded it, and the citizen has said nothing since.
    """

    version: int
    status: str
    notice: str
    text_sha256: bytes
    leave_out: tuple[str, ...]
    at_us: int
    aloud: bool = False


async def by_identity(connection: Connection, identity_index: bytes) -> UUID | None:
    """The living citizen of an identity number's blind index."""
    found: UUID | None = await connection.fetchval(_sql.by_identity, identity_index)
    return found


async def of_login(connection: Connection, issuer: str, subject_index: bytes) -> UUID | None:
    """The citizen who signed in as this subject before."""
    found: UUID | None = await connection.fetchval(_sql.of_login, issuer, subject_index)
    return found


async def add(connection: Connection, new: NewCitizen) -> bool:
    """Add a citizen, unless the identity has one: the unique index decides."""
    row = new.id, new.identity_index, new.identity, new.wrapped_key, new.synthetic
    return bool(await connection.fetchval(_sql.add, *row))


async def add_many(connection: Connection, people: Sequence[NewCitizen]) -> None:
    """Add citizens at once; those whose identity has one are left out."""
    await connection.executemany(_sql.add, [msgspec.structs.astuple(new) for new in people])


async def bind_login(
    connection: Connection, issuer: str, subject_index: bytes, citizen: UUID
) -> None:
    """Remember that this subject is this citizen; an earlier binding stays."""
    await connection.execute(_sql.bind_login, issuer, subject_index, citizen)


async def person(connection: Connection, citizen: UUID) -> PersonRow | None:
    """A citizen's record; None after erasure."""
    row = await connection.fetchrow(_sql.person, citizen)
    return PersonRow(**row) if row is not None else None


async def vouch(connection: Connection, citizen: UUID, identity: bytes) -> None:
    """Replace who a citizen is said to be, where no login has been bound yet; else nothing."""
    await connection.execute(_sql.vouch, citizen, identity)


async def own_withdrawal(connection: Connection, citizen: UUID) -> bool:
    """Whether the citizen took the authorisation back in a session of the own, for good so far."""
    return bool(await connection.fetchval(_sql.own_withdrawal, citizen))


async def authorisation(connection: Connection, citizen: UUID) -> AuthorisationRow | None:
    """What the citizen said last about the score."""
    row = await connection.fetchrow(_sql.authorisation, citizen)
    return AuthorisationRow(**{**row, "leave_out": tuple(row["leave_out"])}) if row else None


async def authorise(connection: Connection, citizen: UUID, said: AuthorisationRow) -> None:
    """Add a version of the authorisation; earlier ones stay as they are."""
    await connection.execute(
        _sql.authorise,
        *(citizen, said.version, said.status, said.notice, said.text_sha256, said.leave_out),
    )


async def authorise_many(connection: Connection, said: Mapping[UUID, AuthorisationRow]) -> None:
    """Add a version of the authorisation of each of these citizens."""
    await connection.executemany(
        _sql.authorise,
        [
            (citizen, one.version, one.status, one.notice, one.text_sha256, one.leave_out)
            for citizen, one in said.items()
        ],
    )
