"""A citizen opens a desk's code: who stands there, and the request for consent that follows.

The other way round than 信用码: the party is not there in person (an unattended bicycle, a locker),
so the citizen begins. The party learns of a grant as of any other, with the desk's number in it.
"""

from __future__ import annotations

from functools import partial
from typing import Final
from uuid import UUID

from gateway.clock import Clock
from gateway.consent_requests import Asked, ConsentRequests
from gateway.desks import DeskLinks
from gateway.errors import Conflict, NotFound, TooManyRequests, Unauthenticated
from gateway.idempotency import Act, citizen_key, once
from gateway.ids import Ids
from gateway.misses import OF_CITIZEN, trying
from gateway.parties import Parties, Principal
from gateway.store import consent as consent_rows
from gateway.store import desk as rows
from gateway.store import session as session_rows
from gateway.store.consent import RequestState
from gateway.store.database import Connection, Database
from gateway.store.desk import OpenDesk
from gateway.tokens import SCOPE_PREFIX

#: Requests that may be open before one citizen in person when the citizen opens another.
OPEN_MAX: Final = 10


class DeskRequests:
    """What citizens do at desks; one instance per worker."""

    def __init__(
        self,
        *,
        links: DeskLinks,
        database: Database,
        parties: Parties,
        requests: ConsentRequests,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._links, self._database, self._parties = links, database, parties
        self._requests, self._clock, self._ids = requests, clock, ids

    async def behind(self, token: str) -> OpenDesk:
        """The desk of a printed code.

        Raises:
            NotFound: it is not one of ours, or its desk is closed.
        """
        number = self._links.number(token)
        async with self._database.connection() as connection:
            found = await rows.open_desk(connection, number)
        if found is None:
            raise NotFound
        return found

    async def find(self, citizen: UUID, number: str) -> OpenDesk:
        """The desk of a number that a citizen typed; wrong ones are counted.

        Raises:
            NotFound: no such desk is open.
            TooManyRequests: too many numbers were wrong.
        """
        async with self._database.transaction() as connection:
            tries = await trying(connection, {citizen_key(citizen): OF_CITIZEN})
            found = await rows.open_desk(connection, number)
            if found is None:
                await tries.missed(connection)
        if found is None:
            raise NotFound
        return found

    async def ask(
        self, citizen: UUID, session: bytes, token: str, act: Act | None = None
    ) -> RequestState:
        """The desk's request for consent to this citizen: a new one, or the one that is open.

        `session` is the hash of the one it is done in (`Sessions.key`).

        Raises:
            NotFound: the code is not one of ours, or its desk is closed.
            Conflict: the desk asks for nothing by itself.
            TooManyRequests: too many requests are open before this citizen.
            Unauthenticated: the session has just ended.
        """
        desk = await self.behind(token)
        if desk.scenario is None or desk.purpose is None:
            raise Conflict
        asked = Asked(
            scenario=desk.scenario,
            purpose=desk.purpose,
            out_request_no=f"desk-{desk.number}-{self._ids.token()}",
        )
        principal = self._behind_desk(desk, desk.scenario)
        async with self._database.transaction() as connection:
            work = partial(self._ask, connection, principal, asked, citizen, session, desk.number)
            return await once(connection, act, RequestState, work, status=201)

    async def _ask(
        self,
        connection: Connection,
        principal: Principal,
        asked: Asked,
        citizen: UUID,
        session: bytes,
        desk: str,
    ) -> RequestState:
        # Held until the end, so that a citizen's requests are counted one after the other.
        if session not in await session_rows.hold(connection, citizen):
            raise Unauthenticated("session-over")
        words = principal.party.row.num, citizen, asked.scenario, asked.purpose, desk
        held = await consent_rows.open_in_person(connection, *words)
        if held is not None:
            return held
        if len(await consent_rows.waiting_for(connection, citizen)) >= OPEN_MAX:
            raise TooManyRequests(60)
        return await self._requests.ask_within(
            connection, principal, asked, citizen=citizen, desk=desk
        )

    def _behind_desk(self, desk: OpenDesk, scenario: str) -> Principal:
        """The party as the one that asks: the operator's opening of the desk is its word."""
        party = self._parties.by_number(desk.party)
        if party is None or not party.active or scenario not in party.registrations:
            raise NotFound
        now_us = self._clock.now_us()
        return Principal(party, "", now_us, now_us, frozenset({SCOPE_PREFIX + scenario}))
