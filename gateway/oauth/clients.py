"""Client authentication at the token endpoint: private_key_jwt and nothing else (RFC 7523).

The order is that of cost: shape, rate, signature, single use. What is told is the same for an
unknown client, a wrong key and a replay, and takes the same work: an unknown client's assertion
is checked against a decoy key that nobody holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.claims import AssertionClaims, Kind
from gateway.clock import SECOND_US, Clock
from gateway.counts import Counts
from gateway.errors import TooManyRequests
from gateway.forgeries import Forgeries
from gateway.jose import MAX_TOKEN_CHARS, Passed, Reason, Refused, verify
from gateway.jwk import Alg, JwkRefused, Key, parse_jwk, unb64url
from gateway.oauth.errors import OAuthCode
from gateway.oauth.throttle import Throttle
from gateway.parties import Parties, Party
from gateway.settings import Settings
from gateway.store import party as rows
from gateway.store.database import Database

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

#: How long past its expiry a used assertion is remembered. Workers' and the database's clocks
#: differ by less, so what one may still accept the other has not yet forgotten.
MARGIN_S: Final = 60

#: An address may make so many times the attempts of one client: a proxy stands for many.
CLIENTS_PER_ADDRESS: Final = 10

_KEY_REASONS = (Reason.ALGORITHM, Reason.SIGNATURE)


class Client(msgspec.Struct, frozen=True):
    """A party that authenticated, with the name of its key."""

    party: Party
    kid: str


class Denied(msgspec.Struct, frozen=True):
    """A refusal: the code is for the client, the reason for the audit record alone."""

    code: OAuthCode
    reason: str


class ClientAuthentication:
    """Decides who is asking for a token; one instance per worker."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        database: Database,
        parties: Parties,
        forgeries: Forgeries,
        counts: Counts,
    ) -> None:
        self._issuer = settings.issuer
        self._forgeries = forgeries
        self._clock, self._database, self._parties = clock, database, parties
        self._counts = counts
        per_s, burst = settings.token_attempts_per_s, settings.token_attempts_burst
        self._by_client = Throttle(clock, per_s=per_s, burst=burst)
        self._by_address = Throttle(
            clock, per_s=per_s * CLIENTS_PER_ADDRESS, burst=burst * CLIENTS_PER_ADDRESS
        )
        # Its private half is forgotten on this very line.
        self._decoy = ec.generate_private_key(ec.SECP256R1()).public_key()

    async def authenticate(self, form: Mapping[str, str], address: str) -> Client | Denied:
        """The client that a form's assertion proves, or why it does not.

        Raises:
            TooManyRequests: this client, or this address, tries too often.
            AbnormalUsage: too many bad signatures came in its name from there, or from there
                altogether; this one was not looked at.
            DependencyDown, Overloaded: PostgreSQL cannot decide on the assertion's single use.
        """
        assertion = form.get("client_assertion", "")
        if form.get("client_assertion_type") != ASSERTION_TYPE or not assertion:
            return Denied(OAuthCode.INVALID_CLIENT, "no-assertion")
        if "client_secret" in form:
            return Denied(OAuthCode.INVALID_REQUEST, "two-methods")  # RFC 6749 2.3
        if len(assertion) > MAX_TOKEN_CHARS:
            return Denied(OAuthCode.INVALID_CLIENT, "shape")
        name, kid = claimed(assertion)
        self._throttle(name, address)
        claimant = f"{name} {address}", address
        known, answer = self._registered(name, kid), self._verify(assertion, claimant)
        if isinstance(answer, Refused) and answer.reason in _KEY_REASONS:
            # The key may have been registered a moment ago. Everybody who fails here costs this
            # look, or its time would tell an unknown client from a wrong key.
            await self._parties.refresh()
            if self._registered(name, kid) != known:
                answer = self._verify(assertion, claimant)
        if isinstance(answer, Refused):
            if answer.reason is Reason.SHED:
                raise self._forgeries.refusal()
            if answer.reason is Reason.SIGNATURE:
                self._forgeries.failed(*claimant)
            return Denied(OAuthCode.INVALID_CLIENT, answer.reason.value)
        claims = answer.claims
        assert isinstance(claims, AssertionClaims), "the guard decodes each kind to its own claims"
        if form.get("client_id", claims.iss) != claims.iss:
            return Denied(OAuthCode.INVALID_CLIENT, "client-id")
        return await self._spend(claims, answer.kid)

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        """The key of a client's assertion: the guard's registry."""
        jwk = self._registered(issuer, kid) if kind is Kind.ASSERTION else None
        key = _key(jwk) if jwk is not None else None
        return key or Key(kid, Alg.ES256, self._decoy)

    def _throttle(self, name: str, address: str) -> None:
        """Count an attempt, before it costs anything, for the address and for the client there.

        The client's count is one for each address, or anybody could use up a stranger's.
        """
        wait_s = self._by_address.wait_s(address) or self._by_client.wait_s(f"{name} {address}")
        if wait_s:
            self._counts.limited("token_attempts")
            raise TooManyRequests(wait_s)

    def _registered(self, name: str, kid: str) -> str | None:
        """The public JWK, as JSON, that a client may sign with now."""
        party = self._parties.get(name)
        key = party.row.keys.get(kid) if party else None
        if key is None or (key.until_us is not None and key.until_us <= self._clock.now_us()):
            return None
        return key.jwk

    def _verify(self, assertion: str, claimant: tuple[str, str]) -> Passed | Refused:
        return verify(
            assertion,
            Kind.ASSERTION,
            self,
            issuer=None,
            # The issuer's exact string and no other spelling of this server: an assertion for
            # "the token endpoint" could have been lured out for somebody else's (FAPI 2.0 5.3.2).
            audience=self._issuer,
            now_us=self._clock.now_us(),
            tolerates=lambda _: self._forgeries.tolerates(*claimant),
        )

    async def _spend(self, claims: AssertionClaims, kid: str) -> Client | Denied:
        """Use the assertion up, and see in the same moment that client and key still stand."""
        proven = self._registered(claims.iss, kid)
        forget_us = (claims.exp + MARGIN_S) * SECOND_US
        async with self._database.connection() as connection:
            revision = await rows.use_assertion(connection, claims.iss, claims.jti, forget_us)
        if revision is None:
            return Denied(OAuthCode.INVALID_CLIENT, "replayed")
        party = self._parties.get(claims.iss)
        if party is None or party.row.revision != revision:
            # This worker's copy is old: a suspension or a rotation was acknowledged elsewhere.
            await self._parties.refresh(force=True)
            party = self._parties.get(claims.iss)
        if party is None or proven is None or self._registered(claims.iss, kid) != proven:
            return Denied(OAuthCode.INVALID_CLIENT, "client-key-revoked")
        if not party.active:
            # Only one who proved to be the party learns that it is suspended.
            return Denied(OAuthCode.UNAUTHORIZED_CLIENT, "party-suspended")
        return Client(party, kid)


class _Header(msgspec.Struct):
    kid: str = ""


class _Payload(msgspec.Struct):
    iss: str = ""


_decode_header = msgspec.json.Decoder(_Header).decode
_decode_payload = msgspec.json.Decoder(_Payload).decode


def claimed(assertion: str) -> tuple[str, str]:
    """Who an assertion says it is from, and by which key: not proven, for counting attempts."""
    try:
        header, payload, _ = assertion.split(".")
        issuer = _decode_payload(unb64url(payload)).iss
        return issuer[:64], _decode_header(unb64url(header)).kid
    except (ValueError, msgspec.DecodeError, RecursionError):
        return "", ""


@lru_cache(maxsize=4096)
def _key(jwk: str) -> Key | None:
    try:
        return parse_jwk(jwk.encode())
    except JwkRefused:
        return None
