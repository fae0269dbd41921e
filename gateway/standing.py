"""Reading and changing the standing, the value that every decision stands on.

Readers gather all that is wanted in one tick of the event loop into one MGET and read what is
missing from PostgreSQL in one statement. Writers follow one order, always: lock the row as a
statement of its own; change; rebuild the body from a fresh snapshot; version and digest; commit;
only then tell the cache, and acknowledge.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec

from gateway.batching import Batcher
from gateway.body import digest, encode_body
from gateway.counts import Counts
from gateway.errors import AccountClosed, Overloaded, QuotaExceeded, StillRunning
from gateway.limits import Limits
from gateway.parties import Party
from gateway.recognition import endings
from gateway.store import standing as rows
from gateway.store import stock as stocks
from gateway.store.cache import Cache, Entry
from gateway.store.database import Connection, Database

#: Advisory values are at most so old.
STOCK_TTL_S = 15


class Wanted(msgspec.Struct, frozen=True, gc=False):
    """One reader's wish: a citizen's standing, and an item's stock where the scenario reads it."""

    citizen: UUID
    stock: tuple[str, str] | None = None  # community, item
    asker: Party | None = None  # whose limit it counts against


class Standing(msgspec.Struct, frozen=True, gc=False):
    """What a decision is computed from: bytes that the commit will compare, never trusted alone."""

    citizen: UUID
    version: int  # 0 = nobody by that name
    body: bytes
    stock: int | None = None
    cached: bytes = b""  # the cache entry it came from, to be replaced if it proves wrong


class StandingReader:
    """Coalesced reads of one worker: cache first, PostgreSQL for what is missing."""

    def __init__(self, cache: Cache, database: Database, limits: Limits, counts: Counts) -> None:
        self._cache = cache
        self._database = database
        self._limits = limits
        self._counts = counts
        self._fills: Batcher[tuple[Entry, bytes], None] = Batcher(
            self._fill, batch_max=64, waiting_max=1024
        )

    async def read_many(self, batch: Sequence[Wanted]) -> list[Standing | QuotaExceeded]:
        """The standings of citizens as cached or, failing that, as stored.

        In place of one that was asked for beyond the asker's own limit stands the refusal.

        Raises:
            DependencyDown: neither the cache nor PostgreSQL has them.
        """
        keys = [self._cache.key(wish.citizen) for wish in batch]
        shelves = [wish for wish in batch if wish.stock is not None]
        keys += [self._cache.stock_key(*wish.stock) for wish in shelves if wish.stock]
        found, refusals = await self._limits.get(keys, [wish.asker for wish in batch])
        held: dict[UUID, tuple[Entry, bytes]] = {}
        missing: dict[UUID, bytes] = {}
        for wish, value, refusal in zip(batch, found, refusals, strict=False):
            if refusal is not None:
                continue
            entry = self._cache.unpack(wish.citizen, value) if value else None
            if entry is not None and value is not None:
                held[wish.citizen] = entry, value
            else:
                missing[wish.citizen] = value or b""
        unusable = sum(map(bool, missing.values()))
        self._counts.standings(cache=len(held), absent=len(missing) - unusable, unusable=unusable)
        if missing:
            held |= await self._load(missing)
        stock = await self._stock(shelves, found[len(batch) :]) if shelves else {}
        return [
            refusal or _standing(wish, held, stock)
            for wish, refusal in zip(batch, refusals, strict=True)
        ]

    async def read_stored(self, wanted: Wanted) -> Standing:
        """The standing as PostgreSQL holds it now, past the cache.

        Raises:
            DependencyDown: PostgreSQL does not answer.
        """
        async with self._database.connection() as connection:
            loaded = await rows.load(connection, [wanted.citizen])
        held = {citizen: (entry, b"") for citizen, entry in loaded.items()}
        return _standing(wanted, held, {})

    def heal(self, wrong: bytes, fresh: Entry) -> None:
        """Replace the cache entry that was just proved stale or wrong by the true standing."""
        self._offer_later(fresh, wrong)

    async def _load(self, wrong: dict[UUID, bytes]) -> dict[UUID, tuple[Entry, bytes]]:
        """Standings from PostgreSQL; the cache gets them in place of what was no entry at all."""
        async with self._database.connection() as connection:
            loaded = await rows.load(connection, list(wrong))
        for entry in loaded.values():
            self._offer_later(entry, wrong[entry.citizen])
        return {citizen: (entry, b"") for citizen, entry in loaded.items()}

    async def _stock(
        self, shelves: list[Wanted], found: Sequence[bytes | None]
    ) -> dict[tuple[str, str], int]:
        """Pieces of items, from the cache or else from PostgreSQL; an unknown item is left out."""
        pieces: dict[tuple[str, str], int] = {}
        for wish, value in zip(shelves, found, strict=True):
            if wish.stock is not None and value and value.isdigit() and len(value) <= 18:
                pieces[wish.stock] = int(value)
        missing = {wish.stock for wish in shelves if wish.stock is not None} - pieces.keys()
        if missing:
            async with self._database.connection() as connection:
                loaded = await stocks.load(connection, sorted(missing))
            for shelf, count in loaded.items():
                await self._cache.put(self._cache.stock_key(*shelf), b"%d" % count, STOCK_TTL_S)
            pieces |= loaded
        return pieces

    def _offer_later(self, entry: Entry, wrong: bytes) -> None:
        # Nobody waits for a fill, and a full queue only means that a later reader fills instead.
        if not self._fills.full:
            self._fills.submit((entry, wrong))

    async def _fill(self, batch: Sequence[tuple[Entry, bytes]]) -> list[None]:
        await self._cache.offer(batch)
        return [None] * len(batch)

    async def settled(self) -> None:
        """Return once no fill is under way."""
        while self._fills.busy:  # noqa: ASYNC110  once, at a worker's end
            await asyncio.sleep(0.001)


class StandingWriter:
    """The one way to change anything that decisions read."""

    def __init__(
        self, database: Database, cache: Cache, digest_key: bytes, cap: endings.Cap
    ) -> None:
        self._database = database
        self._cache = cache
        self._digest_key = digest_key
        self._cap = cap

    @asynccontextmanager
    async def change(self, *citizens: UUID, closed_too: bool = False) -> AsyncIterator[Connection]:
        """A transaction in which what these citizens' standings are made of may be changed.

        Everything the change depends on must be read inside: the rows are locked before the block
        starts, so nobody else is changing these citizens. When the block has ended normally the
        change is durable, and a lookup that starts afterwards on any worker sees it.
        `closed_too` is for changes that by themselves leave closed accounts as they are.

        Raises:
            AccountClosed: one of these accounts was closed; nothing was changed.
            StillRunning: another change of these citizens takes too long; nothing was changed.
            OutcomeUnknown: the connection was lost while committing; nothing was told to the
                cache, and the relay brings it up to date if the commit did happen.
        """
        async with self._database.transaction() as connection:
            if not await rows.lock(connection, citizens) and not closed_too:
                raise AccountClosed
            yield connection
            entries = await self._rebuild(connection, citizens)
        # A version may be cached only now that its commit is certain.
        await self._cache.offer([(entry, b"") for entry in entries])

    async def rebuild(self, citizen: UUID) -> None:
        """Build a standing anew from what it is made of.

        Raises:
            Overloaded: somebody is changing it, and it will be built by that change.
            DependencyDown, OutcomeUnknown: PostgreSQL was lost.
        """
        try:
            async with self.change(citizen, closed_too=True):
                pass
        except StillRunning:
            raise Overloaded(retry_after_s=1) from None

    async def _rebuild(self, connection: Connection, citizens: Sequence[UUID]) -> list[Entry]:
        bodies = await rows.rebuild(connection, citizens)
        # What was said to other cities ends with what it rests on, and may free what it held.
        if ended := await endings.end_within(connection, bodies, self._cap):
            bodies |= await rows.rebuild(connection, ended)
        versions = await rows.next_versions(connection, len(bodies))
        # By random ids, so that versions do not tell in which order rows lay before.
        bodies = dict(sorted(bodies.items()))
        entries = [
            Entry(citizen, version, encode_body(body))
            for (citizen, body), version in zip(bodies.items(), versions, strict=True)
        ]
        digests = [
            digest(self._digest_key, entry.citizen, entry.version, entry.body) for entry in entries
        ]
        issuers = [body.issuer for body in bodies.values()]
        await rows.put(connection, entries, digests, issuers)
        return entries


class CacheRelay:
    """Brings changes to the cache whose writer could not: killed, cut off, or not sure.

    It reads the outbox that every change of a standing fills in its own transaction.
    """

    BATCH = 200

    def __init__(self, database: Database, cache: Cache) -> None:
        self._database = database
        self._cache = cache

    async def step(self) -> int:
        """Relay what has gathered; returns how many changes there were."""
        async with self._database.connection() as connection:
            waiting = await rows.changes(connection, self.BATCH)
            if not waiting:
                return 0
            citizens = list({citizen for _, citizen in waiting})
            loaded = await rows.load(connection, citizens)
            await self._cache.offer([(entry, b"") for entry in loaded.values()])
            await rows.changes_done(connection, [number for number, _ in waiting])
        return len(waiting)


def _standing(
    wish: Wanted,
    held: dict[UUID, tuple[Entry, bytes]],
    stock: dict[tuple[str, str], int],
) -> Standing:
    entry, cached = held.get(wish.citizen, (Entry(wish.citizen, 0, b""), b""))
    pieces = stock.get(wish.stock) if wish.stock is not None else None
    return Standing(wish.citizen, entry.version, entry.body, pieces, cached)
