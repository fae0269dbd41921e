"""A visit on its way: from this city's page to the home city, and back with its word.

What must match at the end (state, verifier, the visitor's key, the home city) is kept under the
hash of a secret that the browser alone holds, so a visit can only be finished where it was begun
(login CSRF), once, within ten minutes. The city that answers must be the one that was asked
(RFC 9207). PKCE's verifier, and the home city's word until it is presented, are sealed under a key
made of that secret: whoever reads the table cannot use them.
"""

from __future__ import annotations

import enum
import hmac
from collections.abc import Mapping
from typing import Final

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.clock import Clock
from gateway.errors import HomeCityFailed, Malformed, NotFound, VisitRefused
from gateway.ids import Ids
from gateway.keys import b64url
from gateway.recognition.entry import City
from gateway.recognition.home_city import HomeCities, HomeCityRefused
from gateway.recognition.neighbours import Trust
from gateway.recognition.refusals import Refusals
from gateway.sessions import hash_of
from gateway.store import visit as visit_rows
from gateway.store import visit_attempt as rows
from gateway.store.database import Database
from gateway.store.visit_attempt import Awaited, NewAttempt, OpenAttempt
from gateway.vault import Seal, SealBroken

#: How long a visitor may take, in seconds, from the first click to the session.
ATTEMPT_LIFE_S: Final = 600
#: An authorization code is opaque; a longer one is none of ours (RFC 6749 4.1.2).
CODE_CHARS: Final = 1024

_VERIFIER, _GRANT = b"visit_attempt/verifier/", b"visit_attempt/recognition/"


class Wish(msgspec.Struct, frozen=True):
    """Where a visitor comes from, what for, and the thumbprint of the key made for it."""

    home: str
    scenarios: tuple[str, ...]
    jkt: str


class Begun(msgspec.Struct, frozen=True):
    """Where to send the visitor, and the secret for the browser."""

    location: str
    secret: str


class Arrival(enum.StrEnum):
    """How a visitor came back."""

    ARRIVED = "arrived"
    DECLINED = "declined"  # the visitor said no
    NOT_RECOGNISED = "not-recognised"  # the home city says nothing of this citizen


class Attempts:
    """The attempts of one worker; their truth is in PostgreSQL.

    Args:
        key: the city's, of which and of each secret the seals are made.
    """

    def __init__(
        self,
        key: bytes,
        database: Database,
        trust: Trust,
        homes: HomeCities,
        refusals: Refusals,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._key, self._database, self._trust = key, database, trust
        self._homes, self._refusals, self._clock, self._ids = homes, refusals, clock, ids

    async def begin(self, wish: Wish) -> Begun:
        """Begin a visit.

        Raises:
            NotFound: nothing is agreed with that city now.
            Malformed: something is asked for that is not open between the two.
            VisitRefused: the home city does not take the request.
            HomeCityFailed: it does not answer as the protocol says.
        """
        home = self._trust.city(wish.home)
        agreed = self._trust.agreed(wish.home, self._clock.now_us())
        if home is None or agreed is None:
            raise NotFound
        if not agreed.scenarios.issuperset(wish.scenarios):
            raise Malformed([("/scenarios", "not open to visitors from that city")])
        secret, state = self._ids.token(), self._ids.token()
        verifier = b64url(self._ids.random_bytes(32))
        try:
            location = await self._homes.push(
                home, scenarios=wish.scenarios, state=state, verifier=verifier, jkt=wish.jkt
            )
        except HomeCityRefused as fault:
            await self._refusals.note("par", wish.home, f"home-says-{fault.error}")
            raise VisitRefused("par") from None
        except HomeCityFailed as fault:
            await self._refusals.note("par", wish.home, f"home-{fault.reason}")
            raise
        name = hash_of(secret)
        sealed = self._seal(secret).seal(verifier.encode(), _VERIFIER + name)
        attempt = NewAttempt(name, wish.home, wish.scenarios, wish.jkt, hash_of(state), sealed)
        async with self._database.connection() as connection:
            await visit_rows.know_issuer(connection, wish.home)
            await rows.begin(connection, attempt, ATTEMPT_LIFE_S)
        return Begun(location, secret)

    async def come_back(self, secret: str | None, answer: Mapping[str, str]) -> Arrival:
        """Take the home city's answer, in the browser that was sent there, and fetch its word.

        Raises:
            VisitRefused: this is not the answer to an attempt of this browser, or not the first.
            HomeCityFailed: the home city does not answer as the protocol says.
        """
        try:
            waiting, home = await self._matched(secret or "", answer)
        except VisitRefused as fault:
            await self._refusals.note("callback", "", fault.reason)
            raise
        if "error" in answer:
            is_no = answer["error"] == "access_denied"
            return Arrival.DECLINED if is_no else Arrival.NOT_RECOGNISED
        assert secret is not None, "matched"
        seal, name = self._seal(secret), hash_of(secret)
        try:
            verifier = seal.open(waiting.verifier, _VERIFIER + name).decode()
        except SealBroken:  # begun under a key that this city has no more
            raise VisitRefused("attempt") from None
        try:
            grant = await self._homes.grant(home, answer["code"], verifier)
        except HomeCityRefused as fault:
            await self._refusals.note("grant", waiting.home, f"home-says-{fault.error}")
            return Arrival.NOT_RECOGNISED
        except HomeCityFailed as fault:
            await self._refusals.note("grant", waiting.home, f"home-{fault.reason}")
            raise
        async with self._database.connection() as connection:
            await rows.keep(connection, name, seal.seal(grant.encode(), _GRANT + name))
        return Arrival.ARRIVED

    async def open_one(self, secret: str) -> OpenAttempt | None:
        """The attempt of a secret, if something may be presented by it."""
        async with self._database.connection() as connection:
            return await rows.open_one(connection, hash_of(secret))

    def kept(self, secret: str, attempt: OpenAttempt) -> str | None:
        """The home city's word that came with the visitor."""
        if attempt.recognition is None:
            return None
        try:
            plain = self._seal(secret).open(attempt.recognition, _GRANT + hash_of(secret))
        except SealBroken:
            return None
        return plain.decode()

    async def _matched(self, secret: str, answer: Mapping[str, str]) -> tuple[Awaited, City]:
        async with self._database.connection() as connection:
            waiting = await rows.awaited(connection, hash_of(secret))
        if waiting is None:
            raise VisitRefused("attempt")
        if not hmac.compare_digest(hash_of(answer.get("state", "")), waiting.state_hash):
            # Whoever does not know the state must not be able to spoil the attempt either.
            raise VisitRefused("state")
        async with self._database.connection() as connection:
            if not await rows.returned(connection, hash_of(secret)):
                raise VisitRefused("again")
        home = self._trust.city(waiting.home)
        if home is None:
            raise VisitRefused("home")
        if answer.get("iss") != home.entry.issuer:
            raise VisitRefused("issuer")
        if "error" not in answer and not 0 < len(answer.get("code", "")) <= CODE_CHARS:
            raise VisitRefused("code")
        return waiting, home

    def _seal(self, secret: str) -> Seal:
        key = hmac.digest(self._key, b"visits/attempt/v1/" + secret.encode(), "sha256")
        return Seal(AESGCM(key), self._ids)
