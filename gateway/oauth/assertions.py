"""Client assertions, whoever's they are: private_key_jwt and nothing else (RFC 7523).

The order is that of cost: shape, rate, signature. What is told is the same for an unknown client
and a wrong key, and takes the same work: an unknown client's assertion is checked against a decoy
key that nobody holds. Single use is the caller's, in the statement that also sees who that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.claims import AssertionClaims, Kind
from gateway.clock import Clock
from gateway.counts import Counts
from gateway.errors import TooManyRequests
from gateway.forgeries import Forgeries
from gateway.jose import MAX_TOKEN_CHARS, Passed, Reason, Refused, verify
from gateway.jwk import Alg, Key, unb64url
from gateway.oauth.errors import OAuthCode
from gateway.oauth.throttle import Throttle
from gateway.settings import Settings

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

#: An address may make so many times the attempts of one client: a proxy stands for many.
CLIENTS_PER_ADDRESS: Final = 10

_KEY_REASONS = (Reason.ALGORITHM, Reason.SIGNATURE)


class Denied(msgspec.Struct, frozen=True):
    """A refusal: the code is for the client, the reason for the audit record alone.

    `city` is the code of a city that had proved itself by then.
    """

    code: OAuthCode
    reason: str
    city: str = ""


class Registry(Protocol):
    """The keys that one kind of client may sign with now."""

    def key(self, name: str, kid: str) -> Key | None: ...
    async def refresh(self) -> None: ...


class Proven(msgspec.Struct, frozen=True):
    """An assertion that passed, and the key by which it did."""

    claims: AssertionClaims
    kid: str
    key: Key | None


class Assertions:
    """Judges assertions; one instance per worker, so that all kinds of client share its bounds."""

    def __init__(
        self, settings: Settings, clock: Clock, forgeries: Forgeries, counts: Counts
    ) -> None:
        self._issuer = settings.issuer
        self._clock, self._forgeries, self._counts = clock, forgeries, counts
        per_s, burst = settings.token_attempts_per_s, settings.token_attempts_burst
        many = per_s * CLIENTS_PER_ADDRESS, burst * CLIENTS_PER_ADDRESS
        self._by_client = Throttle(clock, per_s=per_s, burst=burst)
        # A city speaks for all its visitors, three times for each.
        self._by_city = Throttle(clock, per_s=many[0], burst=many[1])
        self._by_address = Throttle(clock, per_s=many[0], burst=many[1])
        # Its private half is forgotten on this very line.
        self._decoy = ec.generate_private_key(ec.SECP256R1()).public_key()

    async def prove(
        self, form: Mapping[str, str], address: str, registry: Registry, *, of_city: bool = False
    ) -> Proven | Denied:
        """The client that a form's assertion proves, or why it does not.

        `of_city` says that it may be one that speaks for many people.

        Raises:
            TooManyRequests: this client, or this address, tries too often.
            AbnormalUsage: too many bad signatures came in its name from there, or from there
                altogether; this one was not looked at.
        """
        assertion = form.get("client_assertion", "")
        if form.get("client_assertion_type") != ASSERTION_TYPE or not assertion:
            return Denied(OAuthCode.INVALID_CLIENT, "no-assertion")
        if "client_secret" in form:
            return Denied(OAuthCode.INVALID_REQUEST, "two-methods")  # RFC 6749 2.3
        if len(assertion) > MAX_TOKEN_CHARS:
            return Denied(OAuthCode.INVALID_CLIENT, "shape")
        name, kid = claimed(assertion)
        self._throttle(self._by_city if of_city else self._by_client, name, address)
        claimant = f"{name} {address}", address
        known, answer = registry.key(name, kid), self._verify(assertion, claimant, registry)
        if isinstance(answer, Refused) and answer.reason in _KEY_REASONS:
            # The key may have been registered a moment ago. Everybody who fails here costs this
            # look, or its time would tell an unknown client from a wrong key.
            await registry.refresh()
            if registry.key(name, kid) != known:
                answer = self._verify(assertion, claimant, registry)
        if isinstance(answer, Refused):
            return self._refused(answer, claimant)
        claims = answer.claims
        assert isinstance(claims, AssertionClaims), "the guard decodes each kind to its own claims"
        if form.get("client_id", claims.iss) != claims.iss:
            return Denied(OAuthCode.INVALID_CLIENT, "client-id")
        return Proven(claims, answer.kid, registry.key(claims.iss, answer.kid))

    def _refused(self, answer: Refused, claimant: tuple[str, str]) -> Denied:
        if answer.reason is Reason.SHED:
            raise self._forgeries.refusal()
        if answer.reason is Reason.SIGNATURE:
            self._forgeries.failed(*claimant)
        return Denied(OAuthCode.INVALID_CLIENT, answer.reason.value)

    def _throttle(self, by_client: Throttle, name: str, address: str) -> None:
        """Count an attempt, before it costs anything, for the address and for the client there.

        The client's count is one for each address, or anybody could use up a stranger's.
        """
        wait_s = self._by_address.wait_s(address) or by_client.wait_s(f"{name} {address}")
        if wait_s:
            self._counts.limited("token_attempts")
            raise TooManyRequests(wait_s)

    def _verify(
        self, assertion: str, claimant: tuple[str, str], registry: Registry
    ) -> Passed | Refused:
        return verify(
            assertion,
            Kind.ASSERTION,
            _OrDecoy(registry, self._decoy),
            issuer=None,
            # The issuer's exact string and no other spelling of this server: an assertion for
            # "the token endpoint" could have been lured out for somebody else's (FAPI 2.0 5.3.2).
            audience=self._issuer,
            now_us=self._clock.now_us(),
            tolerates=lambda _: self._forgeries.tolerates(*claimant),
        )


class _OrDecoy(msgspec.Struct, frozen=True):
    """The guard's registry: of an unknown client's key there is one too."""

    registry: Registry
    decoy: ec.EllipticCurvePublicKey

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        key = self.registry.key(issuer, kid) if kind is Kind.ASSERTION else None
        return key or Key(kid, Alg.ES256, self.decoy)


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
