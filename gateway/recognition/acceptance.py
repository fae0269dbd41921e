"""A grant is accepted: once, from the client it names, with its key and the session that began.

First comes what reading can tell (gateway/recognition/presentation.py). The last word is
PostgreSQL's, in one transaction: the attempt is used up, the visitor found or made, the grant's id
taken, earlier visits ended, the token noted, the standing rebuilt. Whoever is refused reads the
same words whatever the cause.
"""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

import msgspec

from gateway.clock import SECOND_US
from gateway.errors import AccountClosed, StillRunning
from gateway.ids import Ids
from gateway.oauth.clients import Denied
from gateway.recognition.attempts import Attempts
from gateway.recognition.neighbours import Statuses
from gateway.recognition.presentation import Judge, Judged, Presented, Stop
from gateway.recognition.refusals import Refusals
from gateway.recognition.veil import Veil
from gateway.sessions import hash_of
from gateway.settings import Settings
from gateway.standing import StandingWriter
from gateway.store import visit as rows
from gateway.store import visit_attempt as attempt_rows
from gateway.store.database import Connection, Database
from gateway.store.visit import NewVisit
from gateway.vault import Vault

#: How long the token may be exchanged for a session, in seconds. There is no refresh token.
TOKEN_LIFE_S: Final = 300
#: So many are decided at a time by one worker: who shows a grant a thousand times at once waits for
#: himself, and leaves connections to everybody else. How many may wait, admission says.
AT_ONCE: Final = 3
#: Somebody else may make or erase the same visitor between the look and the lock.
TRIES: Final = 3


class Accepted(msgspec.Struct, frozen=True):
    """A token for the visitor's key, and what the visit is good for."""

    token: str
    scenarios: tuple[str, ...]


class _Again(Exception):
    """The visitor came to be, or ceased to be, since it was looked for."""


class Acceptance:
    """Accepts grants; one instance per worker."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        attempts: Attempts,
        judge: Judge,
        statuses: Statuses,
        refusals: Refusals,
        writer: StandingWriter,
        vault: Vault,
        veil: Veil,
        ids: Ids,
    ) -> None:
        self._settings, self._database = settings, database
        self._attempts, self._judge, self._statuses = attempts, judge, statuses
        self._refusals, self._writer = refusals, writer
        self._vault, self._veil, self._ids = vault, veil, ids
        self._room = asyncio.Semaphore(AT_ONCE)
        # Attempts of which a presentation is under way here: as many as requests are let in.
        self._shown: set[bytes] = set()

    async def accept(self, presented: Presented) -> Accepted | Denied:
        """The token for a grant; a refusal is on record with its reason.

        Raises:
            StillRunning: another presentation of the same visitor is on its way.
            AbnormalUsage: too many bad signatures came by this attempt.
            DependencyDown, Overloaded, OutcomeUnknown: PostgreSQL cannot decide.
        """
        name = hash_of(presented.secret)
        if name in self._shown:
            # An attempt presents once. Of a flood by one that holds it the first is looked at,
            # and the others hold no connection to hear that they are too many.
            return await self._denied("", Stop("attempt"))
        self._shown.add(name)
        try:
            return await self._answered(presented)
        finally:
            self._shown.discard(name)

    async def _answered(self, presented: Presented) -> Accepted | Denied:
        home = ""
        try:
            async with self._room:
                attempt = await self._attempts.open_one(presented.secret)
                if attempt is None:
                    raise Stop("attempt")
                home = attempt.home
                judged = await self._judge.judged(presented, attempt)
            # Not in the room: a city that is slow would fill it, and hold up all others' visitors.
            stood = await self._judge.stands(judged)
            async with self._room:
                self._judge.in_time(judged, stood)
                token = await self._recorded(judged)
        except Stop as stop:
            return await self._denied(home, stop)
        return Accepted(token, judged.claims.recognition.scenarios)

    async def _denied(self, home: str, stop: Stop) -> Denied:
        await self._refusals.note("visit", home, stop.reason)
        return Denied(stop.code, stop.reason)

    async def _recorded(self, judged: Judged) -> str:
        for _ in range(TRIES):
            async with self._database.connection() as connection:
                known = await rows.visitor(connection, judged.home, judged.subject)
            citizen = known or self._ids.random_uuid()
            try:
                async with self._writer.change(citizen) as connection:
                    if not await attempt_rows.claim(connection, judged.id_hash):
                        raise Stop("attempt")
                    if known is None:
                        await self._made(connection, citizen, judged)
                    # Who made it learns of it only once the block's end has made it durable.
                    return await self._opened(connection, citizen, judged)
            except (_Again, AccountClosed):
                continue
        raise StillRunning

    async def _made(self, connection: Connection, citizen: UUID, judged: Judged) -> None:
        """A citizen without identity, with a key of its own, for whoever was never here."""
        key = self._vault.new_key(citizen)
        who = judged.home, judged.subject
        if not await rows.add_visitor(
            connection, citizen, *who, key, self._settings.oidc_synthetic
        ):
            raise _Again

    async def _opened(self, connection: Connection, citizen: UUID, judged: Judged) -> str:
        claims, said = judged.claims, judged.claims.recognition
        granted_us = claims.iat * SECOND_US
        if granted_us < await rows.newest_us(connection, citizen):
            raise Stop("older")
        entry = claims.status.status_list
        visit = NewVisit(
            id=self._ids.random_uuid(),
            citizen=citizen,
            home=judged.home,
            jti=str(self._veil.id(claims.jti)),
            scheme=said.scheme,
            scheme_version=said.scheme_version,
            tier=said.tier,
            band=judged.place.band,
            scenarios=said.scenarios,
            limit_fen=judged.place.limit_fen,
            as_of=said.as_of,
            home_consent=self._veil.id(said.consent_id),
            policy=said.policy_revision,
            status_uri=entry.uri,
            status_idx=self._veil.place(entry.uri, entry.idx),
            granted_us=granted_us,
        )
        if not await rows.add(connection, visit):
            raise Stop("replayed")
        await self._statuses.bound_within(connection, judged.home, entry.uri)
        token = self._ids.token()
        name = hash_of(token)
        await rows.issue_token(connection, name, citizen, visit.id, claims.cnf.jkt, TOKEN_LIFE_S)
        return token
