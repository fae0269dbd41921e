"""Accounts of parties' staff in PostgreSQL, and the links by which they are taken up."""

from __future__ import annotations

from uuid import UUID

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("counter_staff")


class StaffRow(msgspec.Struct, frozen=True):
    """An account as operators see it."""

    login: str
    name: str
    party: str
    status: str
    enrolled: bool


class InvitedRow(msgspec.Struct, frozen=True):
    """Whom an enrolment link is for."""

    id: UUID
    login: str
    name: str
    party: str


class SecondRow(msgspec.Struct, frozen=True):
    """What a second factor is checked against; its secrets are in no representation."""

    id: UUID
    login: str
    password: str | None
    wrapped_key: bytes | None
    totp: bytes | None
    totp_step: int
    locked_s: int | None

    def __repr__(self) -> str:
        return "SecondRow(…)"  # a traceback or a log shows the representation


async def add(connection: Connection, staff: UUID, party: int, login: str, name: str) -> None:
    """Add an account that has yet to be taken up."""
    await connection.execute(_sql.add, staff, party, login, name)


async def everyone(connection: Connection, party: str | None) -> list[StaffRow]:
    """All accounts, or those of one party."""
    return [StaffRow(**row) for row in await connection.fetch(_sql.everyone, party)]


async def find(connection: Connection, login: str) -> tuple[UUID, str] | None:
    """An account's id and status, locked until the transaction ends."""
    row = await connection.fetchrow(_sql.find, login)
    return (row["id"], row["status"]) if row else None


async def set_status(connection: Connection, staff: UUID, status: str) -> None:
    """Make an account `active`, `suspended` or `closed`; its sessions end by that."""
    await connection.execute(_sql.set_status, staff, status)
    await connection.execute(_sql.end_sessions, staff)


async def forget_secrets(connection: Connection, staff: UUID) -> None:
    """Forget password and second factors, and end every session and link of the account."""
    await connection.execute(_sql.forget_secrets, staff)
    await connection.execute(_sql.end_keys, staff)
    await connection.execute(_sql.end_sessions, staff)
    await connection.execute(_sql.end_enrolments, staff)


async def invite(connection: Connection, token_hash: bytes, staff: UUID, life_s: int) -> None:
    """Put up a link by which the account can be taken up once, for so many seconds."""
    await connection.execute(_sql.invite, token_hash, staff, float(life_s))


async def invited(connection: Connection, token_hash: bytes) -> InvitedRow | None:
    """Whom a link is for, if it is still good."""
    row = await connection.fetchrow(_sql.invited, token_hash)
    return InvitedRow(**row) if row else None


async def take_up(
    connection: Connection,
    token_hash: bytes,
    staff: UUID,
    *,
    password: str,
    wrapped_key: bytes,
    totp: bytes,
    step: int,
) -> bool:
    """Use a link up and give the account its password and second factor; False: it was not good.

    Other sessions of the account end. Called in a transaction.
    """
    if await connection.fetchval(_sql.use_invitation, token_hash, staff) is None:
        return False
    taken = await connection.fetchval(_sql.enrol, staff, password, wrapped_key, totp, step)
    await connection.execute(_sql.end_sessions, staff)
    return taken is not None


async def password(connection: Connection, login: str) -> tuple[UUID, str | None] | None:
    """The id and the password's hash of an account that may sign in; None: there is none."""
    row = await connection.fetchrow(_sql.password, login)
    return (row["id"], row["password"]) if row else None


async def second(connection: Connection, staff: UUID) -> SecondRow | None:
    """What the second factor of an account is checked against, locked; None: it may not sign in."""
    row = await connection.fetchrow(_sql.second, staff)
    return SecondRow(**row) if row else None


async def use_step(connection: Connection, staff: UUID, step: int) -> None:
    """Use a step of the one-time password up."""
    await connection.execute(_sql.use_step, staff, step)


async def passed(connection: Connection, staff: UUID) -> None:
    """Forget the failures before a second factor that was right."""
    await connection.execute(_sql.passed, staff)


async def failed(
    connection: Connection, staff: UUID, *, tolerated: int, first_s: int, most_s: int
) -> None:
    """Count a failure; the one after `tolerated` - 1 locks for `first_s`, each further twice that.

    `most_s` is the longest lock.
    """
    await connection.execute(_sql.failed, staff, tolerated, float(first_s), float(most_s))
