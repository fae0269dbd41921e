"""What other cities' status lists say of their citizens here, and how long that is relied on.

A city is read as a whole: every list that its visitors' grants name is fetched and verified, visits
whose bit is set are ended, and only when all of them were is the city's word fresh for longer. So a
city that is down, slow or lying costs its own visitors the fast way within the minute, and nobody
else anything. Each process reads for itself: the background worker every few seconds, a server
when a grant is presented. What it remembers of a list only spares fetches. A list that is older
than one seen before is refused; one that another process saw is no danger, for bits only end
visits, and an old list is fresh for no longer than its own instant says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Final

import structlog
from msgspec import structs

from gateway.clock import Clock
from gateway.errors import GatewayError
from gateway.ids import Ids
from gateway.recognition import expelled
from gateway.recognition.entry import City
from gateway.recognition.status_bits import is_set
from gateway.recognition.status_fetch import ListRefused, Seen, StatusFetch
from gateway.recognition.trust import Trust
from gateway.recognition.veil import Veil
from gateway.settings import Settings
from gateway.standing import StandingWriter
from gateway.store import issuer as rows
from gateway.store import recognition_refusal
from gateway.store.database import Connection, Database

#: Lists of one city at a time, of which each has half a million grants; and cities at a time.
LISTS_MAX: Final = 8
CITIES_AT_ONCE: Final = 32

#: Between two reads of a city by the background worker, in seconds.
EVERY_S: Final = (5.0, 10.0)

#: A list that was read serves grants for so long; one that could not be is not tried again.
SERVES_S: Final = 3.0

#: How long a city is read at most, and how long somebody who shows a grant waits for that. What
#: was ended by then stays ended, and the rest comes at the next read.
READ_S: Final = 8.0
PATIENCE_S: Final = 4.0

#: Visits ended in one change.
BATCH: Final = 250

#: Lists remembered by one process, each up to 128 KiB, and as much again under our own names.
REMEMBERED: Final = 64

_log = structlog.get_logger(__name__)


class StatusReader:
    """Reads other cities' lists for one process.

    Args:
        settings: say whether other cities may be on this machine.
        trust: whose lists count, and by which keys.
        database: keeps visits, and until when issuers are fresh.
        writer: ends visits.
        veil: names the places of their bits.
        clock: says what has expired.
        ids: spreads reads over time.
    """

    def __init__(
        self,
        settings: Settings,
        trust: Trust,
        database: Database,
        writer: StandingWriter,
        veil: Veil,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._trust, self._database, self._writer = trust, database, writer
        self._veil, self._clock, self._ids = veil, clock, ids
        self._fetch = StatusFetch(settings, trust, clock)
        self._seen: dict[str, Seen] = {}
        self._tried: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._reading: dict[str, asyncio.Lock] = {}
        self._room = asyncio.Semaphore(CITIES_AT_ONCE)

    async def step(self) -> int:
        """Read every city whose time has come; returns how many were."""
        async with self._database.connection() as connection:
            await expelled.close_where_not_agreed(connection, self._trust, self._clock.now_us())
            due = [code for code in await rows.known(connection) if self._is_due(code)]
        ended = await asyncio.gather(*map(self._in_turn, due), return_exceptions=True)
        for fault in ended:
            if isinstance(fault, BaseException):  # a fault of ours: it stops no other city's turn
                _log.error("status_reading_failed", error=type(fault).__qualname__)
        return len(due)

    async def valid(self, code: str, uri: str, idx: int) -> bool | None:
        """Whether a grant of a city still stands by a list that is fresh; None where none is.

        Within a few seconds a list is fetched once, however many grants name it.
        """
        if not self._is_agreed(code):
            return None
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S), self._lock(code):
                # Whoever waited here finds that it was read, or tried, a moment ago.
                if self._clock.monotonic() - self._tried.get(uri, float("-inf")) >= SERVES_S:
                    await self._quietly(code, self._read(code, uri))
        seen = self._seen.get(uri)
        if seen is None or seen.until_us <= self._clock.now_us():
            return None
        return is_set(seen.bits, idx) is False

    async def close(self) -> None:
        """Close what was opened."""
        await self._fetch.close()

    async def bound_within(self, connection: Connection, code: str, uri: str) -> None:
        """Rely on a city for no longer than on the list that a visit names, in the transaction
        that opens the visit: a read that did not know of it may have said longer meanwhile."""
        seen = self._seen.get(uri)
        await rows.bound(connection, code, seen.until_us if seen else 0)

    async def _in_turn(self, code: str) -> None:
        least, most = EVERY_S
        spread = self._ids.random_bytes(1)[0] / 255 * (most - least)
        async with self._room:
            self._due[code] = self._clock.monotonic() + least + spread
            with suppress(TimeoutError):
                async with asyncio.timeout(READ_S), self._lock(code):
                    await self._quietly(code, self._read(code, None))

    async def _quietly(self, code: str, reading: Awaitable[None]) -> None:
        """A city that cannot be read is nobody else's trouble, and is read again."""
        try:
            await reading
        except GatewayError as fault:
            _log.warning("status_not_read", city=code, error=type(fault).__name__)

    async def _read(self, code: str, extra: str | None) -> None:
        """Read all lists of a city, and one more that a grant names."""
        async with self._database.connection() as connection:
            view = await rows.view(connection, code)
            if view is None:
                return
            named = set(await rows.lists(connection, view.num, LISTS_MAX + 1))
        uris = sorted(named | {extra} if extra else named)
        city = self._trust.city(code)
        if city is None or not uris:
            return
        now = self._clock.monotonic()
        self._tried = {uri: at for uri, at in self._tried.items() if now - at < SERVES_S}
        own = f"{city.entry.issuer}/"
        lately = {uri for uri in self._tried if uri.startswith(own)} if extra else set[str]()
        # Who names another list in each grant would have as many unfolded, and others' forgotten.
        if len(lately.union(uris)) > LISTS_MAX:
            await self._refused(code, "too-many")
            return
        self._tried |= dict.fromkeys(uris, now)
        read = await asyncio.gather(*(self._list(city, uri, view.now_us) for uri in uris))
        for uri, seen in zip(uris, read, strict=True):
            if seen is not None:
                await self._apply(view.num, uri, seen.veiled)
        whole = [seen for seen in read if seen is not None]
        if len(whole) == len(uris):
            await self._extend(code, view.num, set(uris), min(seen.until_us for seen in whole))

    async def _list(self, city: City, uri: str, began_us: int) -> Seen | None:
        """One list, remembered; None where it cannot be relied on, which is recorded."""
        try:
            seen = await self._fetch.get(city, uri, began_us)
            before = self._seen.get(uri)
            if before is not None and seen.issued_us < before.issued_us:
                raise ListRefused("older")
        except ListRefused as fault:
            await self._refused(city.entry.code, str(fault))
            return None
        if before is not None and before.bits == seen.bits:
            veiled = before.veiled
        else:
            veiled = await asyncio.to_thread(self._veil.bits, uri, seen.bits)
        seen = structs.replace(seen, veiled=veiled)
        self._seen.pop(uri, None)
        self._seen[uri] = seen
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return seen

    async def _apply(self, num: int, uri: str, veiled: bytes) -> None:
        """End the visits whose bit is set, a bounded number in each change."""
        while True:
            async with self._database.connection() as connection:
                ended = await rows.ended(connection, num, uri, veiled, BATCH)
            if not ended:
                return
            citizens = {citizen for _, citizen in ended}
            async with self._writer.change(*citizens, closed_too=True) as connection:
                await rows.end(connection, [visit for visit, _ in ended], "status")

    async def _extend(self, code: str, num: int, read: set[str], until_us: int) -> None:
        """Rely on a city for longer, if what was read is all that its visitors name."""
        now_us = self._clock.now_us()
        async with self._database.transaction() as connection:
            await rows.lock(connection, code)
            named = await rows.lists(connection, num, LISTS_MAX + 1)
            # The agreement may have ended while its lists were fetched.
            if read.issuperset(named) and await expelled.still_agreed(
                connection, self._trust, code, now_us
            ):
                await rows.extend(connection, code, until_us)

    async def _refused(self, code: str, reason: str) -> None:
        async with self._database.connection() as connection:
            await recognition_refusal.count(connection, "status-list", code, reason)

    def _is_agreed(self, code: str) -> bool:
        return self._trust.agreed(code, self._clock.now_us()) is not None

    def _is_due(self, code: str) -> bool:
        return self._is_agreed(code) and self._clock.monotonic() >= self._due.get(code, 0.0)

    def _lock(self, code: str) -> asyncio.Lock:
        # As many as there are cities in the trust list, for only those are agreed with.
        return self._reading.setdefault(code, asyncio.Lock())
