"""One status list of another city, fetched, verified and unfolded, or refused with a reason."""

from __future__ import annotations

from typing import Final

import httpx
import msgspec

from gateway.claims import Kind, StatusListClaims
from gateway.clock import SECOND_US, Clock
from gateway.errors import GatewayError
from gateway.jose import Refused, verify
from gateway.recognition.entry import City
from gateway.recognition.status_bits import BitsRefused, raw_from
from gateway.recognition.trust import Trust
from gateway.settings import Settings
from gateway.ssrf import OutboundFailed, OutboundRefused, get_bytes, guarded_client

MEDIA_TYPE: Final = "application/statuslist+jwt"

#: For so long a list serves: a minute, less the rebuild of a list (5 s), two clocks (10 s) and a
#: moment to spare (docs/protocol/recognition.md 8).
FRESH_US: Final = 40 * SECOND_US

#: A list half taken whose grants have all ended does not compress: 223 KB as a token.
LIST_BYTES: Final = 256 * 1024
FETCH_S: Final = 3.0


class Seen(msgspec.Struct, frozen=True):
    """A list as read: its bits, its instant and its end, and when its fetch began (µs).

    `veiled` are the bits under this city's own names of their places (gateway/recognition/veil.py).
    """

    bits: bytes
    issued_us: int
    expires_us: int
    began_us: int
    veiled: bytes = b""

    @property
    def until_us(self) -> int:
        """Until when it serves: the earlier instant counts, for the other's clock may be ahead."""
        return min(self.expires_us, min(self.issued_us, self.began_us) + FRESH_US)


class ListRefused(GatewayError):
    """A list cannot be relied on; the message is the reason, for the city's own record."""


class StatusFetch:
    """Fetches lists; one for each reader.

    Args:
        settings: say whether other cities may be on this machine.
        trust: by whose keys lists are verified.
        clock: says what has expired.
    """

    def __init__(self, settings: Settings, trust: Trust, clock: Clock) -> None:
        self._allow_loopback_http = settings.allow_loopback_http
        self._trust, self._clock = trust, clock
        self._client: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """Close what was opened."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def get(self, city: City, uri: str, began_us: int) -> Seen:
        """A list of a city; `began_us` is the database's clock before it is asked for.

        Raises:
            ListRefused: with the reason, as a word.
        """
        issuer = city.entry.issuer
        # Whoever could name an address elsewhere would choose who vouches.
        if not uri.startswith(issuer + "/"):
            raise ListRefused("address")
        claims = self._claims(await self._body(uri), issuer, uri)
        try:
            bits = raw_from(claims.status_list.lst)
        except BitsRefused:
            raise ListRefused("bits") from None
        return Seen(bits, claims.iat * SECOND_US, claims.exp * SECOND_US, began_us)

    async def _body(self, uri: str) -> str:
        if self._client is None:
            self._client = guarded_client(
                allow_loopback_http=self._allow_loopback_http, timeout_s=FETCH_S
            )
        try:
            body = await get_bytes(
                self._client, uri, limit_bytes=LIST_BYTES, timeout_s=FETCH_S, accept=MEDIA_TYPE
            )
        except OutboundRefused:
            raise ListRefused("address") from None
        except OutboundFailed:
            raise ListRefused("down") from None
        return body.decode("ascii", "replace")

    def _claims(self, token: str, issuer: str, uri: str) -> StatusListClaims:
        now_us = self._clock.now_us()
        answer = verify(
            token, Kind.STATUS_LIST, self._trust, issuer=issuer, audience=uri, now_us=now_us
        )
        if isinstance(answer, Refused):
            raise ListRefused(answer.reason.value)
        assert isinstance(answer.claims, StatusListClaims), "the kind decides it"
        return answer.claims
