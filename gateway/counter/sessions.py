"""A signed-in member of a party's staff: known again by a cookie, like a citizen's browser.

A session begins after the second factor and never before, always with a new identifier. It ends
when nothing happens for a while, after a working day, and at once with its account or its party.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from gateway.errors import NotFound, Unauthenticated
from gateway.ids import Ids
from gateway.parties import Parties, Party, Principal
from gateway.sessions import Request, check_write, cookie_name, csrf_token, hash_of
from gateway.settings import Settings
from gateway.store import counter_session as rows
from gateway.store import desk as desk_rows
from gateway.store.counter_session import ClerkRow
from gateway.store.database import Connection, Database
from gateway.store.desk import OpenCounter
from gateway.tokens import SCOPE_PREFIX

IDLE_S: Final = 20 * 60
LIFE_S: Final = 8 * 3600

#: A session is prolonged once it has idled so long, not by every request.
TOUCH_AFTER_S: Final = 60

_ID_CHARS: Final = 32


class Clerk(msgspec.Struct, frozen=True):
    """A member of a party's staff at a counter, as the guard proved."""

    id: UUID
    login: str
    name: str
    """What citizens read beside the question."""
    party: Party
    desk: str | None
    """The number of the desk where the person works, where one was chosen."""
    place: str | None
    """Where that is, in words that citizens read."""
    session: bytes
    """The hash of the session's identifier: names the session, and opens nothing."""
    since_us: int
    expires_us: int

    @property
    def principal(self) -> Principal:
        """The party as asked for by this person: for all that it is registered for."""
        scopes = frozenset(SCOPE_PREFIX + scenario for scenario in self.party.registrations)
        return Principal(self.party, None, self.since_us, self.expires_us, scopes)


class CounterSessions:
    """The sessions of staff, as one worker reads them from PostgreSQL."""

    def __init__(self, settings: Settings, ids: Ids, database: Database, parties: Parties) -> None:
        self._ids, self._database, self._parties = ids, database, parties
        self._origin = settings.issuer
        self.cookie = cookie_name(settings, "counter")

    async def begin(
        self, connection: Connection, staff: UUID, *, instead_of: str | None, desk: str | None
    ) -> str:
        """A new session's identifier, for the cookie; the browser's one before it ends.

        Called in the transaction in which the second factor passed.
        """
        identifier = self._ids.token()
        if instead_of is not None:
            await rows.end(connection, hash_of(instead_of))
        await rows.begin(
            connection, hash_of(identifier), staff, desk=desk, life_s=LIFE_S, idle_s=IDLE_S
        )
        return identifier

    async def authenticate(self, connection: Request) -> Clerk:
        """Whose session a request carries.

        Raises:
            Unauthenticated: no session, or one that ended.
            Forbidden: a write that does not come from our own page.
        """
        identifier = connection.cookies.get(self.cookie, "")
        if len(identifier) != _ID_CHARS:
            raise Unauthenticated("no-session")
        session = hash_of(identifier)
        async with self._database.connection() as database:
            row = await rows.clerk(database, session)
            if row is None:
                raise Unauthenticated("session-over")
            if row.idle_s < IDLE_S - TOUCH_AFTER_S:
                await rows.touch(database, session, IDLE_S)
        check_write(connection, identifier, self._origin)
        return await self._clerk(row, session)

    async def sit_at(self, clerk: Clerk, desk: str | None) -> None:
        """Say at which of the party's desks the person works from now on.

        Raises:
            NotFound: the party has no such desk.
        """
        async with self._database.connection() as database:
            if desk is not None and not await desk_rows.is_of_party(
                database, desk, clerk.party.row.num
            ):
                raise NotFound
            await rows.sit_at(database, clerk.session, desk)

    async def desks(self, clerk: Clerk) -> list[OpenCounter]:
        """The party's counters."""
        async with self._database.connection() as database:
            return await desk_rows.counters(database, clerk.party.row.num)

    async def end(self, clerk: Clerk) -> None:
        """End a session."""
        async with self._database.connection() as database:
            await rows.end(database, clerk.session)

    def csrf_token(self, connection: Request) -> str:
        """What the session's writes must carry in `X-CSRF-Token`."""
        return csrf_token(connection.cookies[self.cookie])

    async def _clerk(self, row: ClerkRow, session: bytes) -> Clerk:
        party = self._parties.by_number(row.party)
        if party is None:  # registered a moment ago
            await self._parties.refresh(force=True)
            party = self._parties.by_number(row.party)
        if party is None:
            raise Unauthenticated("no-party")
        return Clerk(
            *(row.staff, row.login, row.name, party, row.desk, row.place, session),
            since_us=row.since_us,
            expires_us=row.expires_us,
        )
