"""Accounts of parties' staff: the operator's acts, as the database's owner.

An operator names the person and hands over a link; password and second factor are chosen by whoever
opens it, and known to nobody else.
"""

from __future__ import annotations

import re
from typing import Final

import asyncpg

from gateway.errors import GatewayError
from gateway.ids import Ids
from gateway.sessions import hash_of
from gateway.store import counter_staff as rows
from gateway.store import party as party_rows
from gateway.store.migrate import Connection

#: How long an enrolment link may lie about: a day.
LINK_LIFE_S: Final = 86_400

LOGIN: Final = r"\A[a-z0-9][a-z0-9.-]{2,63}\Z"
NAME_MAX: Final = 40

_LOGIN = re.compile(LOGIN)


class StaffRefused(GatewayError):
    """An act on an account cannot be done; the message names the login and the cause."""


async def add(connection: Connection, ids: Ids, party: str, login: str, name: str) -> str:
    """Open an account at a party; returns the token of its enrolment link.

    Raises:
        StaffRefused: no such party, a login that is taken or none, or no name.
    """
    if not _LOGIN.match(login):
        raise StaffRefused(f"{login}: a login is 3 to 64 of a-z, 0-9, dot and hyphen")
    name = name.strip()
    if not 1 <= len(name) <= NAME_MAX or not name.isprintable():
        raise StaffRefused(f"{login}: citizens read the name; it has 1 to {NAME_MAX} characters")
    staff = ids.random_uuid()
    async with connection.transaction():
        found = await party_rows.find(connection, party)
        if found is None:
            raise StaffRefused(f"{party}: no such party")
        try:
            await rows.add(connection, staff, found[0], login, name)
        except asyncpg.UniqueViolationError:
            raise StaffRefused(f"{login}: the login is taken") from None
        return await _invite(connection, ids, login)


async def suspend(connection: Connection, login: str) -> None:
    """Stop an account, and end its sessions.

    Raises:
        StaffRefused: there is no such account, or it is not active.
    """
    await _turn(connection, login, {"active"}, "suspended")


async def resume(connection: Connection, login: str) -> None:
    """Let a suspended account sign in again.

    Raises:
        StaffRefused: there is no such account, or it is not suspended.
    """
    await _turn(connection, login, {"suspended"}, "active")


async def close(connection: Connection, login: str) -> None:
    """End an account for good: its secrets are forgotten, its login is never used again.

    Raises:
        StaffRefused: there is no such account, or it is closed.
    """
    async with connection.transaction():
        await _turn(connection, login, {"active", "suspended"}, "closed")
        found = await rows.find(connection, login)
        assert found is not None, "just turned"
        await rows.forget_secrets(connection, found[0])


async def reset(connection: Connection, ids: Ids, login: str) -> str:
    """Forget an account's password and second factor, end its sessions; returns a new token.

    Raises:
        StaffRefused: there is no such account, or it is not active.
    """
    async with connection.transaction():
        return await _invite(connection, ids, login)


def link(issuer: str, token: str) -> str:
    """The address to hand over. What follows the hash never leaves the browser by itself, so no
    log between here and there holds it."""
    return f"{issuer}/counter/enrol#{token}"


async def _invite(connection: Connection, ids: Ids, login: str) -> str:
    found = await rows.find(connection, login)
    if found is None:
        raise StaffRefused(f"{login}: no such account")
    staff, status = found
    if status != "active":
        raise StaffRefused(f"{login}: it is {status}")
    token = ids.token()
    await rows.forget_secrets(connection, staff)
    await rows.invite(connection, hash_of(token), staff, LINK_LIFE_S)
    return token


async def _turn(connection: Connection, login: str, present: set[str], status: str) -> None:
    async with connection.transaction():
        found = await rows.find(connection, login)
        if found is None:
            raise StaffRefused(f"{login}: no such account")
        if found[1] not in present:
            raise StaffRefused(f"{login}: it is {found[1]}")
        await rows.set_status(connection, found[0], status)
