"""The region's list is fetched, checked and kept: one background job a city, every few seconds.

Nothing else fetches it, whatever is asked. A list that is not good changes nothing: the last good
one serves until its time is over, and then nobody is recognised. A serial never falls and never
means two things, so no old list comes back by way of the network, a proxy or the region's backup.
"""

from __future__ import annotations

import asyncio
from typing import Final

import httpx
import structlog

from gateway.clock import SECOND_US, Clock
from gateway.counts import Counts
from gateway.recognition import expelled
from gateway.recognition.entries import LeftOut, Memory
from gateway.recognition.region import Region
from gateway.recognition.trust import Trust
from gateway.recognition.trust_list import MAX_BYTES, ListRefused, TrustList, read_trust_list
from gateway.settings import Settings
from gateway.ssrf import OutboundFailed, OutboundRefused, get_bytes, guarded_client
from gateway.store import recognition_refusal
from gateway.store import trust_list as rows
from gateway.store.database import Database
from gateway.store.trust_list import Head

#: Seconds from a step's end to the next, more or less by a tenth: with what the fetch itself may
#: take there are never more than 10 s from one fetch to the next.
EVERY_S: Final = 7.0
TIMEOUT_S: Final = 2.0
#: An alarm is raised while the list's time is nearly over, in seconds before its end.
ALARM_S: Final = 30
#: Of the parts that are left out of one list so many are counted with their reasons.
COUNTED_MAX: Final = 100

PLACE: Final = "trust-list"

_log = structlog.get_logger(__name__)


def hindrance(kept: Head | None, new: Head) -> str | None:
    """Why a good list may not replace the one that is kept, as a word; None where it may."""
    if kept is None:
        return None
    if new.serial < kept.serial:
        return "serial-fell"
    if new.serial == kept.serial and new.content != kept.content:
        return "serial-reused"
    return "older" if new.issued_us < kept.issued_us else None


class TrustFetcher:
    """Fetches the list of `trust`'s region; `step` is the job.

    Args:
        client: what fetches it; by default the guarded client (gateway/ssrf.py).
    """

    def __init__(
        self,
        settings: Settings,
        trust: Trust,
        database: Database,
        clock: Clock,
        counts: Counts,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self._settings, self._trust, self._database = settings, trust, database
        self._clock, self._counts = clock, counts
        self._client = client
        self._memory = Memory()
        self._flight = asyncio.Lock()
        self._told: tuple[LeftOut, ...] = ()

    async def step(self) -> int:
        """Fetch once, keep what is good, and end the freshness of whoever is out; returns how many
        cities that were."""
        if (region := self._trust.region) is None or self._flight.locked():
            return 0
        async with self._flight:
            result = await self._fetched(region)
            self._counts.trust_list(result)
            await self._trust.refresh()
            now_us = self._clock.now_us()
            self._warn(now_us)
            async with self._database.connection() as connection:
                return await expelled.close_where_not_agreed(connection, self._trust, now_us)

    async def close(self) -> None:
        """Close what was opened."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _fetched(self, region: Region) -> str:
        """Fetch and keep; says how it went: `kept`, `refused` or `unreachable`."""
        began_us = self._clock.now_us()
        try:
            token = await self._get()
            listed = await asyncio.to_thread(self._read, region, token)
            await self._keep(listed, token, listed.until_us(began_us))
        except (OutboundRefused, OutboundFailed) as fault:
            _log.warning("trust_list_unreachable", error=type(fault).__name__)
            return "unreachable"
        except ListRefused as fault:
            _log.error("trust_list_refused", reason=fault.reason)
            await self._count("", fault.reason)
            return "refused"
        return "kept"

    async def _get(self) -> str:
        settings = self._settings
        if self._client is None:
            self._client = guarded_client(
                allow_loopback_http=settings.allow_loopback_http, timeout_s=TIMEOUT_S
            )
        raw = await get_bytes(
            self._client, settings.trust_list_url, limit_bytes=MAX_BYTES, timeout_s=TIMEOUT_S
        )
        return raw.decode("ascii", "replace")

    def _read(self, region: Region, token: str) -> TrustList:
        return read_trust_list(
            token,
            region,
            iss=region.iss,
            url=self._settings.trust_list_url,
            now_us=self._clock.now_us(),
            memory=self._memory,
            allow_loopback_http=self._settings.allow_loopback_http,
        )

    async def _keep(self, listed: TrustList, token: str, until_us: int) -> None:
        new = Head(listed.serial, listed.content, listed.issued_us, until_us)
        async with self._database.transaction() as connection:
            reason = hindrance(await rows.lock(connection), new)
            if reason is not None or not await rows.put(connection, new, token):
                raise ListRefused(reason or "older")
        if listed.left_out != self._told:
            for each in listed.left_out[:COUNTED_MAX]:
                await self._count(each.name if each.part == "city" else "", each.reason)
            self._told = listed.left_out

    async def _count(self, city: str, reason: str) -> None:
        async with self._database.connection() as connection:
            await recognition_refusal.count(connection, PLACE, city, reason)

    def _warn(self, now_us: int) -> None:
        left_s = (self._trust.until_us - now_us) // SECOND_US
        if left_s <= 0:
            _log.error("trust_list_expired")  # nobody is recognised
        elif left_s <= ALARM_S:
            _log.error("trust_list_expiring", count=left_s)
