"""Security keys of counter staff (WebAuthn Level 2): a second factor that no page can phish.

They work where the gateway's address has a name, for browsers refuse an IP address. A challenge is
sealed into a ticket, good for minutes and answered once. What an authenticator says of its maker is
neither asked for nor kept.
"""

from __future__ import annotations

import json
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
import structlog
import webauthn
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from gateway.clock import Clock
from gateway.counter.sessions import Clerk
from gateway.counter.sign_in import Passed, SignedIn, SignIn
from gateway.counter.tickets import Tickets
from gateway.counter.totp import ISSUER
from gateway.errors import Malformed, NotFound, SignInRefused
from gateway.ids import Ids
from gateway.jwk import unb64url
from gateway.settings import Settings
from gateway.store import counter_key as rows
from gateway.store.counter_key import KeyRow
from gateway.store.counter_staff import SecondRow
from gateway.store.database import Connection, Database

#: Keys of one person at a time.
MOST: Final = 5
CHALLENGE_BYTES: Final = 32
CHALLENGE_LIFE_S: Final = 300

Json = dict[str, Any]

_log = structlog.get_logger(__name__)


class Challenge(msgspec.Struct, frozen=True):
    """A ticket: what an authenticator is to sign, for whom and since when (µs).

    `session` is that of a registration, empty for a sign-in.
    """

    staff: UUID
    challenge: bytes
    since_us: int
    session: bytes = b""


class SecurityKeys:
    """Registering keys, and signing in with them, at one worker."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        sign_in: SignIn,
        tickets: Tickets,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._origin, self._host = settings.issuer, host_name(settings.issuer)
        self._database, self._sign_in, self._tickets = database, sign_in, tickets
        self._clock, self._ids = clock, ids

    @property
    def are_possible(self) -> bool:
        """Whether the gateway's address has a name."""
        return self._host is not None

    async def of(self, clerk: Clerk) -> list[KeyRow]:
        """A person's keys."""
        async with self._database.connection() as connection:
            return await rows.of_staff(connection, clerk.id)

    async def offered(self, ticket: str | None) -> bool:
        """Whether whoever passed the first step may take a key for the second."""
        passed = self._tickets.open(Passed, ticket)
        if passed is None or self._host is None:
            return False
        async with self._database.connection() as connection:
            return bool(await rows.of_staff(connection, passed.staff))

    async def to_register(self, clerk: Clerk) -> tuple[Json, str]:
        """What the browser is to ask an authenticator for, and the ticket to bring back.

        Raises:
            NotFound: the gateway's address has no name.
        """
        challenge = self._challenge(clerk.id, clerk.session)
        known = [PublicKeyCredentialDescriptor(each.credential) for each in await self.of(clerk)]
        options = webauthn.generate_registration_options(
            rp_id=self._named(),
            rp_name=ISSUER,
            user_id=clerk.id.bytes,
            user_name=clerk.login,
            challenge=challenge.challenge,
            exclude_credentials=known,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.DISCOURAGED,
                user_verification=UserVerificationRequirement.DISCOURAGED,
            ),
        )
        return _plain(options), self._tickets.seal(challenge, CHALLENGE_LIFE_S)

    async def register(self, clerk: Clerk, ticket: str | None, credential: Json, name: str) -> None:
        """Keep a key that an authenticator made.

        Raises:
            NotFound: the gateway's address has no name.
            Malformed: it is not the answer to a challenge of this session, was registered before,
                or the person has as many as there may be.
        """
        host, challenge = self._named(), self._tickets.open(Challenge, ticket)
        if challenge is None or (challenge.staff, challenge.session) != (clerk.id, clerk.session):
            raise Malformed([("/credential", "not-asked")])
        try:
            made = webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=challenge.challenge,
                expected_rp_id=host,
                expected_origin=self._origin,
            )
        except (WebAuthnException, ValueError, TypeError, KeyError):
            raise Malformed([("/credential", "not-verified")]) from None
        async with self._database.connection() as connection:
            added = await rows.add(
                connection,
                self._ids.random_uuid(),
                clerk.id,
                credential=made.credential_id,
                public_key=made.credential_public_key,
                sign_count=made.sign_count,
                name=name,
                most=MOST,
            )
        if not added:
            raise Malformed([("/credential", "known-or-too-many")])

    async def remove(self, clerk: Clerk, key: UUID) -> None:
        """Take one's own key away.

        Raises:
            NotFound: there is no such key.
        """
        async with self._database.connection() as connection:
            if not await rows.remove(connection, key, clerk.id):
                raise NotFound

    async def to_sign_in(self, ticket: str | None) -> tuple[Json, str]:
        """What the browser is to ask an authenticator for at the second step, and the ticket.

        Raises:
            NotFound: the gateway's address has no name.
            SignInRefused: the first step was not passed, or there are no keys.
            TooManyRequests: too many second steps of this account.
        """
        host, passed = self._named(), self._sign_in.passed(ticket)
        async with self._database.connection() as connection:
            keys = await rows.of_staff(connection, passed.staff)
        if not keys:
            raise SignInRefused("no-keys")
        challenge = self._challenge(passed.staff)
        options = webauthn.generate_authentication_options(
            rp_id=host,
            challenge=challenge.challenge,
            allow_credentials=[PublicKeyCredentialDescriptor(each.credential) for each in keys],
            user_verification=UserVerificationRequirement.DISCOURAGED,
        )
        return _plain(options), self._tickets.seal(challenge, CHALLENGE_LIFE_S)

    async def second(
        self,
        ticket: str | None,
        challenge_ticket: str | None,
        credential: Json,
        *,
        instead_of: str | None,
    ) -> SignedIn:
        """A session, where a key of the person answered the challenge, once.

        Raises:
            NotFound: the gateway's address has no name.
            SignInRefused, TooManyRequests: as for a code.
        """
        self._named()
        challenge = self._tickets.open(Challenge, challenge_ticket)
        if challenge is None or challenge.session:
            raise SignInRefused("no-challenge")

        async def is_right(connection: Connection, account: SecondRow) -> bool:
            if challenge.staff != account.id:
                return False
            return await self._answers(connection, account.id, challenge, credential)

        return await self._sign_in.finish(ticket, is_right, instead_of=instead_of)

    async def _answers(
        self, connection: Connection, staff: UUID, challenge: Challenge, credential: Json
    ) -> bool:
        keys = await rows.of_staff(connection, staff)
        key = next((each for each in keys if each.credential == _id_of(credential)), None)
        if key is None:
            return False
        try:
            verified = webauthn.verify_authentication_response(
                credential=credential,
                expected_challenge=challenge.challenge,
                expected_rp_id=self._named(),
                expected_origin=self._origin,
                credential_public_key=key.public_key,
                credential_current_sign_count=key.sign_count,
            )
        except (WebAuthnException, ValueError, TypeError, KeyError):
            return False
        return await rows.used(connection, key.id, verified.new_sign_count, challenge.since_us)

    def _challenge(self, staff: UUID, session: bytes = b"") -> Challenge:
        challenge = self._ids.random_bytes(CHALLENGE_BYTES)
        return Challenge(staff, challenge, self._clock.now_us(), session)

    def _named(self) -> str:
        if self._host is None:
            raise NotFound
        return self._host


def host_name(issuer: str) -> str | None:
    """The host of an address if it is a name, which an IP address is not (WebAuthn 5.1.2)."""
    host = urlsplit(issuer).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return host or None
    return None


def _plain(options: Any) -> Json:
    plain: Json = json.loads(webauthn.options_to_json(options))
    return plain


def _id_of(credential: Json) -> bytes:
    named = credential.get("rawId")
    try:
        return unb64url(named) if isinstance(named, str) else b""
    except ValueError:
        return b""
