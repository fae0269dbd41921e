"""Signing in with the city's identity provider: OpenID Connect, code flow, PKCE.

Authlib makes the requests of the flow; the ID token passes the gateway's own guard. Between start
and callback everything that must match (state, nonce, verifier, where to return) travels in one
sealed cookie, so a login can only be finished in the browser that began it (login CSRF), for ten
minutes, and no table waits for logins that never end. The issuer that answers must be the one
that was asked (mix-up, RFC 9207).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import httpx
import msgspec
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.claims import AssertionClaims, Kind
from gateway.clock import SECOND_US, Clock
from gateway.errors import DependencyDown, LoginRefused
from gateway.identity_number import Described
from gateway.ids import Ids
from gateway.jose import Passed, sign, verify
from gateway.jwk import thumbprint, unb64url
from gateway.jwks import RemoteKeys
from gateway.keys import Keyring, b64url
from gateway.oauth.throttle import Throttle
from gateway.settings import Settings, is_loopback
from gateway.ssrf import OutboundFailed, OutboundRefused, get_bytes, guarded_client
from gateway.vault import Seal, SealBroken

CALLBACK: Final = "/v1/login/callback"

#: How long a citizen may take at the identity provider, in seconds.
ATTEMPT_LIFE_S: Final = 600
#: Answers to one attempt that are taken to the identity provider, at each worker. One is a login;
#: a page that is loaded again must not find the gateway mute, nor make it ask without end.
ANSWERS_MAX: Final = 3
#: Discovery is read again after so long, in seconds.
DISCOVERY_FRESH_S: Final = 3600
TIMEOUT_S: Final = 3.0

#: How far behind ours the provider's clock may be, in seconds.
CLOCKS_DIFFER_S: Final = 10

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_PLACE = b"cookie/login/v1"
_MAX_DISCOVERY_BYTES = 64 * 1024


class Discovery(msgspec.Struct, frozen=True):
    """What is used of a provider's metadata (OIDC Discovery 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    authorization_response_iss_parameter_supported: bool = False


class Attempt(msgspec.Struct, frozen=True):
    """A login on its way: what the cookie seals."""

    state: str
    nonce: str
    verifier: str
    return_to: str
    expires_us: int
    #: The request of another city for which the citizen signs in afresh, and for nothing else.
    request: UUID | None = None

    @property
    def begun_us(self) -> int:
        """When the citizen was sent to the identity provider."""
        return self.expires_us - ATTEMPT_LIFE_S * SECOND_US


class Told(Described, frozen=True, kw_only=True):
    """What the identity provider says of a person, not yet judged."""

    issuer: str
    subject: str


class Oidc:
    """The gateway as a client of one identity provider.

    Args:
        settings: which issuer, and what its claims are called.
        keys: the client's own key and the key of the login cookie.
        clock, ids: time and randomness.
    """

    def __init__(self, settings: Settings, keys: Keyring, clock: Clock, ids: Ids) -> None:
        self._settings, self._clock, self._ids = settings, clock, ids
        self._key = keys.oidc_client
        self._cookie = Seal(AESGCM(keys.cookie), ids)
        self._opened: httpx.AsyncClient | None = None
        self._answers = Throttle(clock, per_s=1 / ATTEMPT_LIFE_S, burst=ANSWERS_MAX)
        self._found: tuple[Discovery, RemoteKeys, float] | None = None

    async def close(self) -> None:
        """Let go of the connections."""
        if self._opened is not None:
            await self._opened.aclose()

    @property
    def _http(self) -> httpx.AsyncClient:
        # Opened by the first login: reading the trusted certificates takes some 50 ms.
        if self._opened is None:
            self._opened = guarded_client(
                allow_loopback_http=self._settings.allow_loopback_http, timeout_s=TIMEOUT_S
            )
        return self._opened

    async def start(self, return_to: str, *, request: UUID | None = None) -> tuple[str, str]:
        """The address to send the citizen to, and the cookie that the callback will need.

        With a `request` the citizen must sign in afresh, whatever session there is at the
        provider (OIDC Core 3.1.2.1); the callback then says for which request it was.

        Raises:
            DependencyDown: the identity provider does not answer.
        """
        provider, _ = await self._provider()
        attempt = Attempt(
            state=self._ids.token(),
            nonce=self._ids.token(),
            verifier=b64url(self._ids.random_bytes(32)),
            return_to=return_to,
            expires_us=self._clock.now_us() + ATTEMPT_LIFE_S * SECOND_US,
            request=request,
        )
        afresh = {} if request is None else {"prompt": "login", "max_age": "0"}
        address, _ = self._flow(provider).create_authorization_url(
            provider.authorization_endpoint,
            state=attempt.state,
            code_verifier=attempt.verifier,
            nonce=attempt.nonce,
            **afresh,
        )
        sealed = self._cookie.seal(msgspec.json.encode(attempt), _PLACE)
        return address, b64url(sealed)

    async def finish(self, answer: Mapping[str, str], cookie: str) -> tuple[Told, Attempt]:
        """Who signed in, and in which attempt, from the callback's parameters and the cookie.

        Raises:
            LoginRefused: this is not the answer to a login that this browser began.
            DependencyDown: the identity provider does not answer.
        """
        attempt = self._attempt(cookie)
        if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise LoginRefused("state")
        if self._answers.wait_s(attempt.state):
            raise LoginRefused("too-often")
        provider, keys = await self._provider()
        sender = answer.get("iss")
        # An honest provider says who it is; where it can, an answer without it is a mix-up.
        if sender != provider.issuer and (
            sender is not None or provider.authorization_response_iss_parameter_supported
        ):
            raise LoginRefused("issuer")
        if "code" not in answer:
            raise LoginRefused("denied")
        token = await self._exchange(provider, answer["code"], attempt.verifier)
        passed = await self._guarded(token, keys)
        claims = passed.members()
        if not hmac.compare_digest(str(claims["nonce"]).encode(), attempt.nonce.encode()):
            raise LoginRefused("nonce")
        if attempt.request is not None:
            _check_fresh(claims, attempt)
        return self._told(claims), attempt

    def _attempt(self, cookie: str) -> Attempt:
        try:
            raw = self._cookie.open(unb64url(cookie), _PLACE)
        except (ValueError, SealBroken):
            raise LoginRefused("cookie") from None
        attempt = msgspec.json.decode(raw, type=Attempt)
        if attempt.expires_us <= self._clock.now_us():
            raise LoginRefused("too-late")
        return attempt

    async def _exchange(self, provider: Discovery, code: str, verifier: str) -> str:
        try:
            tokens = await self._flow(provider).fetch_token(
                provider.token_endpoint, code=code, code_verifier=verifier
            )
        except OAuth2Error:
            raise LoginRefused("code") from None
        except (httpx.HTTPError, OutboundFailed, OutboundRefused, ValueError):
            raise DependencyDown("identity-provider") from None
        token = tokens.get("id_token")
        if not isinstance(token, str):
            raise LoginRefused("no-id-token")
        return token

    async def _guarded(self, token: str, keys: RemoteKeys) -> Passed:
        await keys.prepare(_claimed_kid(token))
        passed = verify(
            token,
            Kind.ID,
            keys,
            issuer=self._settings.oidc_issuer,
            audience=self._settings.oidc_client_id,
            now_us=self._clock.now_us(),
        )
        if not isinstance(passed, Passed):
            raise LoginRefused(f"id-token-{passed.reason}")
        return passed

    def _told(self, claims: dict[str, Any]) -> Told:
        city = self._settings
        named = city.oidc_claim_name, city.oidc_claim_identity, city.oidc_claim_birthdate
        texts = [claims.get(name) for name in named]
        if not all(isinstance(text, str) and len(text) <= 200 for text in texts):
            raise LoginRefused("claims")
        name, id_number, birthdate = map(str, texts)
        return Told(
            issuer=claims["iss"],
            subject=claims["sub"],
            name=name,
            id_number=id_number,
            birthdate=birthdate,
            # Anything but a plain true is no: a provider that does not say so did not check.
            full_capacity=claims.get(city.oidc_claim_capacity) is True,
        )

    async def _provider(self) -> tuple[Discovery, RemoteKeys]:
        now_s = self._clock.monotonic()
        if self._found is not None and now_s - self._found[2] < DISCOVERY_FRESH_S:
            return self._found[:2]
        try:
            raw = await get_bytes(
                self._http,
                f"{self._settings.oidc_issuer}/.well-known/openid-configuration",
                limit_bytes=_MAX_DISCOVERY_BYTES,
                timeout_s=TIMEOUT_S,
            )
            found = msgspec.json.decode(raw, type=Discovery)
            self._check(found)
        except (OutboundFailed, OutboundRefused, msgspec.DecodeError):
            raise DependencyDown("identity-provider") from None
        keys = RemoteKeys(
            kind=Kind.ID,
            issuer=found.issuer,
            url=found.jwks_uri,
            client=self._http,
            clock=self._clock,
        )
        self._found = found, keys, now_s
        return found, keys

    def _check(self, found: Discovery) -> None:
        # Metadata of another issuer would bring its keys and addresses along (OIDC Discovery 4.3).
        if found.issuer != self._settings.oidc_issuer:
            raise OutboundRefused("metadata of another issuer")
        for address in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
            local = self._settings.allow_loopback_http and is_loopback(address)
            if not address.startswith("https://") and not local:
                raise OutboundRefused("an endpoint without TLS")

    def _flow(self, provider: Discovery) -> _CodeFlow:
        flow = _CodeFlow(
            session=self._http,
            client_id=self._settings.oidc_client_id,
            scope="openid",
            redirect_uri=self._settings.issuer + CALLBACK,
            code_challenge_method="S256",
            token_endpoint_auth_method="private_key_jwt",  # noqa: S106  # a method, no password
        )
        flow.register_client_auth_method(
            ("private_key_jwt", lambda *request: self._authenticated(provider, *request[2:]))
        )
        return flow

    def _authenticated(
        self, provider: Discovery, address: str, headers: dict[str, str], body: str
    ) -> tuple[str, dict[str, str], str]:
        """The token request with a fresh client assertion (RFC 7523 2.2, audience the issuer)."""
        now = self._clock.now_us() // SECOND_US
        name = self._settings.oidc_client_id
        claims = AssertionClaims(
            iss=name,
            sub=name,
            aud=provider.issuer,
            jti=self._ids.token(),
            iat=now,
            exp=now + 60,
        )
        signed = sign(Kind.ASSERTION, claims, thumbprint(self._key.public_key()), self._key)
        proof = {"client_assertion_type": _ASSERTION_TYPE, "client_assertion": signed}
        return address, headers, f"{body}&{httpx.QueryParams(proof)}"


class _CodeFlow(OAuth2Client):  # type: ignore[misc]  # Authlib has no types
    """Authlib's client over our guarded connections, for its own adapter names another library."""

    async def _fetch_token(
        self, url: str, *, body: str, auth: Any, method: str, headers: dict[str, str]
    ) -> dict[str, Any]:
        url, headers, body = auth.prepare(method, url, dict(headers), body)
        response = await self.session.post(url, content=body, headers=headers)
        tokens: dict[str, Any] = self.parse_response_token(response)
        return tokens


def _check_fresh(claims: Mapping[str, Any], attempt: Attempt) -> None:
    """Require that the citizen proved who they are in this very attempt (OIDC Core 3.1.3.7)."""
    at_s = claims.get("auth_time")
    begun_s = attempt.begun_us // SECOND_US
    if type(at_s) is not int or at_s < begun_s - CLOCKS_DIFFER_S:
        raise LoginRefused("not-afresh")


def _claimed_kid(token: str) -> str:
    """The key that a token names: only good for knowing which to fetch."""
    try:
        header = msgspec.json.decode(unb64url(token.partition(".")[0]))
        return str(header["kid"])
    except (ValueError, msgspec.DecodeError, KeyError, TypeError):
        raise LoginRefused("id-token-header") from None
