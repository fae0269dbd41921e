"""A signed-in citizen's browser: how it is known again, and how forged requests are told apart.

The cookie holds 192 random bits and means nothing anywhere else; PostgreSQL keeps its SHA-256, so
neither a reader of the database nor of a backup can be anybody. A login always begins a new
session, so an identifier planted in a browser beforehand never becomes a signed-in one.
A write needs the CSRF token as well, which a page of another site can neither read nor guess.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final, Protocol
from uuid import UUID

from gateway.errors import Forbidden, Unauthenticated
from gateway.ids import Ids
from gateway.keys import b64url
from gateway.settings import Settings
from gateway.store import session as rows
from gateway.store.database import Connection, Database
from gateway.store.session import SessionRow

CSRF_HEADER: Final = "x-csrf-token"

#: Sessions of one citizen that are told at most; signing out everywhere ends all of them.
LISTED: Final = 50

#: Methods that change nothing (RFC 9110 9.2.1).
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_ID_CHARS = 32


class Request(Protocol):
    """What of a connection is looked at."""

    @property
    def scope(self) -> Any: ...
    @property
    def cookies(self) -> Mapping[str, str]: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


class Sessions:
    """The sessions of one worker; their truth is in PostgreSQL, so every worker knows them all."""

    def __init__(self, settings: Settings, ids: Ids, database: Database) -> None:
        self._ids, self._database = ids, database
        self._origin = settings.issuer
        self._life_s = settings.session_ttl_s
        self.cookie = cookie_name(settings, "session")

    async def begin(self, citizen: UUID, *, instead_of: str | None = None) -> str:
        """A new session's identifier, for the cookie; the one before it ends."""
        async with self._database.transaction() as connection:
            return await self.begin_within(connection, citizen, instead_of=instead_of)

    async def begin_within(
        self, connection: Connection, citizen: UUID, *, instead_of: str | None
    ) -> str:
        """`begin`, inside a transaction: the session begins with what it is given for."""
        identifier = self._ids.token()
        if instead_of is not None:
            await rows.end(connection, hash_of(instead_of))
        await rows.begin(connection, hash_of(identifier), citizen, self._life_s)
        return identifier

    async def authenticate(self, connection: Request) -> UUID:
        """The citizen whose session a request carries.

        Raises:
            Unauthenticated: no session, or one that ended.
            Forbidden: a write that does not come from our own page.
        """
        identifier = connection.cookies.get(self.cookie, "")
        if len(identifier) != _ID_CHARS:
            raise Unauthenticated("no-session")
        async with self._database.connection() as database:
            citizen = await rows.citizen(database, hash_of(identifier))
        if citizen is None:
            raise Unauthenticated("session-over")
        check_write(connection, identifier, self._origin)
        return citizen

    async def end(self, connection: Request) -> None:
        """End the session of a request that was authenticated."""
        async with self._database.connection() as database:
            await rows.end(database, hash_of(connection.cookies[self.cookie]))

    def key(self, connection: Request) -> bytes:
        """The hash under which the session of an authenticated request is kept."""
        return hash_of(connection.cookies[self.cookie])

    async def of(self, citizen: UUID, connection: Request) -> list[SessionRow]:
        """The citizen's sessions that go on, the newest first; one of them carries the request."""
        mine = hash_of(connection.cookies[self.cookie])
        async with self._database.connection() as database:
            return await rows.of_citizen(database, citizen, mine, LISTED)

    async def end_all(self, citizen: UUID) -> None:
        """End every session of a citizen, on whatever device."""
        async with self._database.connection() as database:
            await rows.end_all(database, citizen)

    def csrf_token(self, connection: Request) -> str:
        """What the session's writes must carry in `X-CSRF-Token`."""
        return csrf_token(connection.cookies[self.cookie])


def check_write(connection: Request, identifier: str, origin: str) -> None:
    """Require of a write that it comes from a page of our own and of this session.

    Raises:
        Forbidden: it names another origin, or lacks the session's CSRF token.
    """
    if connection.scope["method"] in _SAFE:
        return
    check_origin(connection, origin)
    sent = connection.headers.get(CSRF_HEADER, "").encode("ascii", "replace")
    if not hmac.compare_digest(sent, csrf_token(identifier).encode()):
        raise Forbidden("csrf")


def check_origin(connection: Request, origin: str) -> None:
    """Require that a request, if it says where it comes from, comes from `origin`.

    Browsers send Origin with every write; `null` (a sandboxed frame) is another origin too.

    Raises:
        Forbidden: it names another one.
    """
    named = connection.headers.get("origin")
    if named is not None and named != origin:
        raise Forbidden("cross-origin")


def csrf_token(identifier: str) -> str:
    """A value of the session's own, from which the session's identifier cannot be found."""
    key = identifier.encode("ascii", "replace")
    return b64url(hmac.digest(key, b"qianjiang/csrf/v1", "sha256"))


def cookie_name(settings: Settings, what: str) -> str:
    """The name of a cookie.

    `__Host-` makes browsers insist on Secure, no Domain and Path=/ (RFC 6265bis 4.1.3.2), so no
    sibling host can plant one. It needs https; plain http between loopback addresses, where
    browsers disagree on Secure cookies, goes without.
    """
    prefix = "" if settings.allow_loopback_http else "__Host-"
    return f"{prefix}qianjiang-{what}"


def hash_of(identifier: str) -> bytes:
    """What is kept of a session's identifier, and of any other secret that its holder shows."""
    return hashlib.sha256(identifier.encode("utf-8")).digest()
