"""The citizen decides another city's request: read, allowed for some or all of it, or declined.

To allow is to consent, separately and by name, to the city's legal entity (PIPL 23), by the same
service and the same words as every consent. The city hears of it by a code that is good for a
minute. Where nothing of what is asked is open to the citizen there is nothing to allow, and the
city cannot tell that from a citizen who does not want to.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final
from uuid import UUID

import msgspec

from gateway.consents import Consents, Wanted
from gateway.errors import Conflict, Malformed, NotFound, NothingOpen
from gateway.idempotency import Act, once
from gateway.keys import b64url
from gateway.oauth.errors import OAuthCode
from gateway.recognition.authorization import answer_to
from gateway.recognition.lacking import Lack, lack_of
from gateway.recognition.openings import Asking, opening
from gateway.recognition.partners import DEPOSITS, RECOGNITION, Partner, Partners
from gateway.sessions import hash_of
from gateway.settings import Settings
from gateway.standing import StandingWriter
from gateway.store import consent as consent_rows
from gateway.store import recognition as recognition_rows
from gateway.store import recognition_request as rows
from gateway.store import standing as standing_rows
from gateway.store.database import Connection, Database
from gateway.store.recognition_request import HeldRequest
from scenarios.registry import Registry

#: How long a code may wait to be redeemed, in seconds (RFC 6749 4.1.2 allows ten minutes).
CODE_LIFE_S: Final = 60

_CODE = b"recognition-code/"


class Mine(msgspec.Struct, frozen=True):
    """Whose browser it is: the citizen, and the hash of the session."""

    citizen: UUID
    session: bytes


class Shown(msgspec.Struct, frozen=True):
    """A request with the city that asks, and what of it is open to the citizen.

    There is no partner where the city may not ask any more. `lacks` says what is missing for those
    scenarios that are not open, for the citizen's own eyes.
    """

    held: HeldRequest
    partner: Partner | None
    open: Sequence[str]
    reserved_fen: int
    lacks: Mapping[str, Lack] = {}


class Decided(msgspec.Struct, frozen=True):
    """What became of a request."""

    id: UUID
    status: str


class RecognitionRequests:
    """The citizens' decisions on requests; one instance per worker."""

    def __init__(
        self,
        *,
        settings: Settings,
        link_key: bytes,
        partners: Partners,
        database: Database,
        writer: StandingWriter,
        consents: Consents,
        registry: Registry,
    ) -> None:
        self._issuer, self._own, self._key = settings.issuer, settings.city, link_key
        self._partners, self._database, self._writer = partners, database, writer
        self._consents, self._registry = consents, registry

    async def shown(self, mine: Mine, request: UUID) -> Shown:
        """The request as its citizen reads it.

        Raises:
            NotFound: it is not this session's: who signed in for it decides it, and nobody else.
        """
        async with self._database.connection() as connection:
            held = await _held(connection, mine, request)
            partner = self._partners.of(held.city)
            if isinstance(partner, str):
                return Shown(held, None, (), 0)
            wanted = tuple(held.scenarios)
            asking = await self._asking(connection, mine.citizen, partner)
        found = opening(asking, wanted)
        opened = found.scenarios if found is not None else ()
        lacks = {each: lack_of(asking, each) for each in wanted if each not in opened}
        return Shown(held, partner, opened, found.reserved_fen if found is not None else 0, lacks)

    async def allow(
        self,
        mine: Mine,
        request: UUID,
        text_sha256: str,
        scenarios: tuple[str, ...] | None,
        act: Act | None,
    ) -> str:
        """Allow a request for these of its scenarios, or all; where to take the code.

        Raises:
            NotFound: it is not this session's.
            Malformed: a scenario was not asked for.
            Conflict: it is decided otherwise or over, or the city may not ask any more.
            NothingOpen: none of the scenarios is open to the citizen now.
            TextChanged: the text is not the one that was shown.
        """
        async with self._writer.change(mine.citizen) as connection:
            work = partial(self._allow, connection, mine, request, text_sha256, scenarios)
            await once(connection, act, Decided, work)
        return await self._location(mine, request)

    async def decline(self, mine: Mine, request: UUID, act: Act | None) -> str:
        """Decline a request; where to say so. Nothing is remembered against the citizen.

        Raises:
            NotFound: it is not this session's.
            Conflict: it was allowed, or its time has run out.
        """
        async with self._database.transaction() as connection:
            await once(connection, act, Decided, partial(self._decline, connection, mine, request))
        return await self._location(mine, request)

    async def _allow(
        self,
        connection: Connection,
        mine: Mine,
        request: UUID,
        text_sha256: str,
        scenarios: tuple[str, ...] | None,
    ) -> Decided:
        await rows.lock(connection, request)
        held = await _held(connection, mine, request)
        chosen = tuple(held.scenarios) if scenarios is None else tuple(dict.fromkeys(scenarios))
        if held.status == "allowed" and scenarios in (None, tuple(held.scenarios)):
            return Decided(request, held.status)
        partner = self._partners.of(held.city)
        if held.status != "opened" or held.over or isinstance(partner, str):
            raise Conflict
        if not set(chosen) <= set(held.scenarios):
            raise Malformed([("/scenarios", "not what was asked for")])
        found = opening(await self._asking(connection, mine.citizen, partner), chosen)
        if found is None:
            raise NothingOpen
        wanted = Wanted(
            recipient=partner.registration.recipient.entity,
            scenario=RECOGNITION,
            purpose=self._registry[RECOGNITION].manifest.purposes[0],
        )
        consent = await self._consents.give_within(connection, mine.citizen, wanted, text_sha256)
        code = hash_of(self._code(request))
        await rows.allow(connection, request, found.scenarios, consent, code, CODE_LIFE_S)
        return Decided(request, "allowed")

    async def _decline(self, connection: Connection, mine: Mine, request: UUID) -> Decided:
        await rows.lock(connection, request)
        held = await _held(connection, mine, request)
        if held.status != "declined":
            if held.status != "opened" or held.over:
                raise Conflict
            await rows.decline(connection, request)
        return Decided(request, "declined")

    async def _location(self, mine: Mine, request: UUID) -> str:
        """Where the browser takes the answer; the same for a repeat of the same decision."""
        async with self._database.connection() as connection:
            held = await _held(connection, mine, request)
        if held.status == "declined":
            error = OAuthCode.ACCESS_DENIED.value
            return answer_to(held.redirect_uri, self._issuer, held.state, error=error)
        code = self._code(request)
        return answer_to(held.redirect_uri, self._issuer, held.state, code=code)

    def _code(self, request: UUID) -> str:
        """The request's code: of its 128 random bits and a secret key, so that answers which are
        kept for repeats hold none."""
        return b64url(hmac.digest(self._key, _CODE + request.bytes, "sha256"))

    async def _asking(self, connection: Connection, citizen: UUID, partner: Partner) -> Asking:
        bodies = await standing_rows.rebuild(connection, [citizen])
        return Asking(
            own=self._own,
            partner=partner,
            rule=self._registry[RECOGNITION],
            rent=self._registry[DEPOSITS],
            body=bodies[citizen],
            reserved_fen=await recognition_rows.reserved(connection, citizen),
            at_us=await consent_rows.now_us(connection),
            foreseen=True,
        )


async def _held(connection: Connection, mine: Mine, request: UUID) -> HeldRequest:
    held = await rows.held(connection, request, mine.citizen, mine.session)
    if held is None:
        raise NotFound
    return held
