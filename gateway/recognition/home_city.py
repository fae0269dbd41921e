"""This city as a client of a visitor's home city: the pushed request, the code, the grant.

RFC 9126, RFC 6749 4.1 with PKCE, RFC 8693, authenticated by private_key_jwt (RFC 7523). Addresses
and keys are the trust list's. Whatever the other side does, a call ends: in seconds, in a bounded
answer, in a bounded number of calls at a time for each city, so that a slow one holds up nobody but
its own visitors.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import Final, TypeVar
from urllib.parse import urlencode

import httpx
import msgspec

from gateway.claims import SHOWN_CHARS, AssertionClaims, Kind
from gateway.clock import SECOND_US, Clock
from gateway.errors import GatewayError, HomeCityFailed
from gateway.ids import Ids
from gateway.jose import sign
from gateway.keys import Keyring, b64url
from gateway.oauth.clients import ASSERTION_TYPE
from gateway.oauth.code import AUTHORIZATION_CODE
from gateway.oauth.errors import OAuthCode
from gateway.oauth.exchange import ACCESS_TOKEN, JWT, TOKEN_EXCHANGE
from gateway.recognition.entry import City
from gateway.settings import Settings
from gateway.ssrf import OutboundFailed, OutboundRefused, guarded_client, post_form
from gateway.tokens import SCOPE_PREFIX

CALLBACK: Final = "/recognition/callback"

TIMEOUT_S: Final = 3.0
ANSWER_BYTES: Final = 32 * 1024
#: Calls to one city at a time from one worker; further ones fail at once instead of waiting.
CALLS_MAX: Final = 16
ASSERTION_LIFE_S: Final = 60

#: The errors that a home city can give a name to (RFC 6749 5.2 and its kin).
SAYABLE: Final = frozenset(OAuthCode)
_T = TypeVar("_T")


class HomeCityRefused(GatewayError):
    """The home city says no, in its own words of RFC 6749 5.2."""

    def __init__(self, error: str) -> None:
        super().__init__("the home city refused")
        self.error = error


class _Pushed(msgspec.Struct, frozen=True):
    """RFC 9126 2.2."""

    request_uri: str
    expires_in: int


class _Token(msgspec.Struct, frozen=True):
    """RFC 6749 5.1 and RFC 8693 2.2.1, as far as it is read."""

    access_token: str


class _Error(msgspec.Struct, frozen=True):
    error: str = ""


class HomeCities:
    """The client of one worker."""

    def __init__(self, settings: Settings, keys: Keyring, clock: Clock, ids: Ids) -> None:
        self._settings, self._keys, self._clock, self._ids = settings, keys.city_client, clock, ids
        self._opened: httpx.AsyncClient | None = None
        self._rooms: dict[str, asyncio.Semaphore] = {}

    async def close(self) -> None:
        """Let go of the connections."""
        if self._opened is not None:
            await self._opened.aclose()

    async def push(
        self, home: City, *, scenarios: tuple[str, ...], state: str, verifier: str, jkt: str
    ) -> str:
        """Push a request; the address at the home city to send the visitor to.

        Raises:
            HomeCityFailed: it did not answer, or not as the protocol says.
            HomeCityRefused: it does not take the request.
        """
        form = {
            "response_type": "code",
            "redirect_uri": self._settings.issuer + CALLBACK,
            "scope": " ".join(SCOPE_PREFIX + scenario for scenario in scenarios),
            "state": state,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
            "cnf_jkt": jkt,
        }
        raw = await self._post(home, home.entry.endpoints.par, form, 201)
        pushed = _decoded(raw, _Pushed)
        if not 0 < len(pushed.request_uri) <= 512:
            raise HomeCityFailed("answer")
        named = urlencode({"client_id": self._settings.city, "request_uri": pushed.request_uri})
        return f"{home.entry.endpoints.authorize}?{named}"

    async def grant(self, home: City, code: str, verifier: str) -> str:
        """The home city's word on its citizen, not yet judged, for an authorization code.

        Raises:
            as `push`.
        """
        token = await self._token(
            home,
            {
                "grant_type": AUTHORIZATION_CODE,
                "code": code,
                "redirect_uri": self._settings.issuer + CALLBACK,
                "code_verifier": verifier,
            },
        )
        return await self._token(
            home,
            {
                "grant_type": TOKEN_EXCHANGE,
                "subject_token": token,
                "subject_token_type": ACCESS_TOKEN,
                "requested_token_type": JWT,
                "audience": self._settings.issuer,
            },
        )

    async def _token(self, home: City, form: dict[str, str]) -> str:
        token = _decoded(await self._post(home, home.entry.endpoints.token, form, 200), _Token)
        if not 0 < len(token.access_token) <= SHOWN_CHARS:
            raise HomeCityFailed("answer")
        return token.access_token

    async def _post(self, home: City, url: str, form: dict[str, str], wanted: int) -> bytes:
        room = self._rooms.setdefault(home.entry.code, asyncio.Semaphore(CALLS_MAX))
        if room.locked():
            raise HomeCityFailed("busy")
        async with room:
            try:
                status, body = await post_form(
                    self._http,
                    url,
                    form | self._proof(home.entry.issuer),
                    limit_bytes=ANSWER_BYTES,
                    timeout_s=TIMEOUT_S,
                )
            except (OutboundRefused, OutboundFailed):
                raise HomeCityFailed("no-answer") from None
        if status == wanted:
            return body
        # RFC 6749 5.2: these two are about the request; whatever else there is, is about the city.
        if status in (400, 401):
            said = _decoded(body, _Error).error
            # Whatever else it says is its own text, and has no place in this city's records.
            raise HomeCityRefused(said if said in SAYABLE else "other")
        raise HomeCityFailed("status")

    def _proof(self, audience: str) -> dict[str, str]:
        """A fresh client assertion (RFC 7523 2.2)."""
        if not self._keys:
            raise HomeCityFailed("no-key")
        kid, key = list(self._keys.items())[-1]
        now_s, city = self._clock.now_us() // SECOND_US, self._settings.city
        claims = AssertionClaims(
            iss=city,
            sub=city,
            aud=audience,
            jti=self._ids.token(),
            iat=now_s,
            exp=now_s + ASSERTION_LIFE_S,
        )
        return {
            "client_id": city,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": sign(Kind.ASSERTION, claims, kid, key),
        }

    @property
    def _http(self) -> httpx.AsyncClient:
        # Opened by the first visit: reading the trusted certificates takes some 50 ms.
        if self._opened is None:
            self._opened = guarded_client(
                allow_loopback_http=self._settings.allow_loopback_http, timeout_s=TIMEOUT_S
            )
        return self._opened


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636 4.2)."""
    return b64url(hashlib.sha256(verifier.encode("ascii")).digest())


def _decoded(raw: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise HomeCityFailed("answer") from None
