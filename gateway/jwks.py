"""The published keys of somebody else: the city's identity provider, later other cities.

Fetched when they are needed and at most every 30 s, so a flood of invented key names costs one
fetch. A key that its owner removed is dead here after 60 s; while the owner does not answer, the
last good set serves for an hour. A failed fetch never empties what is known.
"""

from __future__ import annotations

import asyncio
from typing import Final

import httpx

from gateway.claims import Kind
from gateway.clock import Clock
from gateway.errors import GatewayError
from gateway.jwk import MAX_SET_BYTES, Key, parse_jwks
from gateway.ssrf import get_bytes

FETCH_TIMEOUT_S: Final = 2.0
#: The least time between two fetches, successful or not.
FETCH_PAUSE_S: Final = 30.0
#: A set older than this is fetched anew before it is used.
FRESH_S: Final = 60.0
#: For so long a set serves while fetching it anew fails.
STALE_S: Final = 3600.0


class RemoteKeys:
    """The keys of one issuer for one kind of token; `find` is the guard's `Keys`.

    `await prepare(kid)` before asking the guard: it alone does I/O. The client must be guarded
    (`gateway.ssrf.guarded_client`).
    """

    def __init__(
        self, *, kind: Kind, issuer: str, url: str, client: httpx.AsyncClient, clock: Clock
    ) -> None:
        self._kind = kind
        self._issuer = issuer
        self._url = url
        self._client = client
        self._clock = clock
        self._keys: dict[str, Key] = {}
        self._loaded_s = float("-inf")
        self._tried_s = float("-inf")
        self._fetching = asyncio.Lock()
        self.last_fault: GatewayError | None = None

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        """The key of this name, unless the set is too old to trust."""
        if (kind, issuer) != (self._kind, self._issuer) or self._age_s() > STALE_S:
            return None
        return self._keys.get(kid)

    async def prepare(self, kid: str) -> None:
        """Fetch the set if it is not fresh or does not know `kid`, and if it is time to."""
        if self._serves(kid):
            return
        async with self._fetching:
            # Whoever waited here finds the work done a moment ago, and so not due again.
            if self._is_due():
                await self._fetch()

    def _age_s(self) -> float:
        return self._clock.monotonic() - self._loaded_s

    def _serves(self, kid: str) -> bool:
        return kid in self._keys and self._age_s() <= FRESH_S

    def _is_due(self) -> bool:
        return self._clock.monotonic() - self._tried_s >= FETCH_PAUSE_S

    async def _fetch(self) -> None:
        before_s, self._tried_s = self._tried_s, self._clock.monotonic()
        try:
            raw = await get_bytes(
                self._client, self._url, limit_bytes=MAX_SET_BYTES, timeout_s=FETCH_TIMEOUT_S
            )
            self._keys = parse_jwks(raw)
            self._loaded_s, self.last_fault = self._clock.monotonic(), None
        except GatewayError as fault:
            self.last_fault = fault
        except asyncio.CancelledError:
            # The one who left must not make those who still wait believe that it was tried.
            self._tried_s = before_s
            raise
