"""Which of this city's grants still stand: a bit each, in lists for everybody (Token Status List).

A grant gets a random place that is never used again, so a list says nothing of when or to whom. A
list is closed when half of it is taken, so that drawing stays cheap. The background worker copies
the bits every other second; whoever serves signs the newest copy, and none that is old: `iat` is
the instant whose bits they are, and the whole promise of a minute is counted from it.
"""

from __future__ import annotations

import struct
from typing import Final

import msgspec

from gateway.claims import Kind, StatusBits, StatusListClaims
from gateway.clock import SECOND_US, Clock
from gateway.errors import DependencyDown, NotFound, Overloaded
from gateway.ids import Ids
from gateway.jose import sign
from gateway.keys import Keyring
from gateway.recognition.status_bits import SIZE, compressed, raw_of, text_of
from gateway.settings import Settings
from gateway.store import status_list as rows
from gateway.store.database import Connection, Database

PATH: Final = "/status-lists"

#: Random places that are looked at in one statement, and how often: in a list that is half taken
#: one in 65,536 statements finds none of its sixteen free.
DRAWS, TRIES = 16, 4

#: A copy that is older is not signed: the job that makes them is gone.
OLD_US: Final = 20 * SECOND_US

#: How long a list is good for, and after how long to fetch it again, in seconds.
LIFE_S: Final = 60
TTL_S: Final = 15

#: For so long a worker serves what it read without asking whether there is a newer copy.
HOLD_S: Final = 0.5

#: Signed lists kept in memory by one worker, each at most 225 KB.
HELD_MAX: Final = 64

#: How often a list is counted, to be closed in time, and how often it is seen which are worn out.
COUNT_EVERY_S: Final = 60.0
WEAR_EVERY_S: Final = 3600.0

#: Lists of one step: each has half a million grants.
LISTS_MAX: Final = 64


class Slot(msgspec.Struct, frozen=True):
    """A grant's place: `idx` in the list published at `uri`."""

    list: int
    idx: int
    uri: str


class _Held(msgspec.Struct, frozen=True):
    as_of_us: int
    token: str
    read_at: float


class _Copied(msgspec.Struct, frozen=True):
    """The copy that this process made last of a list: its bits by number, and its instant."""

    count: int
    as_of_us: int


class StatusLists:
    """The lists of this city; one instance per worker."""

    def __init__(
        self, settings: Settings, keys: Keyring, database: Database, clock: Clock, ids: Ids
    ) -> None:
        self._issuer, self._keys = settings.issuer, keys.city_status
        self._database, self._clock, self._ids = database, clock, ids
        self._held: dict[int, _Held] = {}
        self._copied: dict[int, _Copied] = {}
        self._counted_at = self._worn_at = float("-inf")

    def uri(self, number: int) -> str:
        """Where a list is published."""
        return f"{self._issuer}{PATH}/{number}"

    async def allocate_within(self, connection: Connection) -> Slot:
        """A place that no grant ever had, for one that is recorded in this very transaction.

        Raises:
            Overloaded: none was found in a bounded number of tries; nothing was taken.
        """
        for _ in range(TRIES):
            newest = await rows.newest(connection)
            place = await rows.draw(connection, self._numbers())
            if place is None:
                await self._open(connection, newest)
            elif place.mine:
                return Slot(place.list, place.idx, self.uri(place.list))
        raise Overloaded(retry_after_s=1)

    async def step(self) -> int:
        """Copy the bits of every list as of now, but for worn-out ones; returns of how many."""
        async with self._database.connection() as connection:
            lists = await rows.lists(connection, LISTS_MAX)
            for number, size, void in lists:
                await (self._void if void else self._copy)(connection, number, size)
            if self._clock.monotonic() - self._counted_at >= COUNT_EVERY_S:
                self._counted_at = self._clock.monotonic()
                await rows.close(connection, await rows.half_full(connection))
        if self._clock.monotonic() - self._worn_at >= WEAR_EVERY_S:
            self._worn_at = self._clock.monotonic()
            await self._wear()
        return len(lists)

    async def token(self, number: int) -> str:
        """A list as a signed token.

        Raises:
            NotFound: there is no such list.
            DependencyDown: its copy is too old to be signed, or PostgreSQL is gone.
        """
        held, now = self._held.get(number), self._clock.monotonic()
        if held is not None and 0 <= now - held.read_at < HOLD_S:
            return held.token
        if not self._keys or not 0 < number < 1 << 31:
            raise NotFound
        async with self._database.connection() as connection:
            copy = await rows.copy(connection, number, held.as_of_us if held else 0)
        if copy is None:
            raise NotFound
        if copy.age_us > OLD_US:
            raise DependencyDown("status-list")
        token = held.token if held and copy.lst is None else self._signed(number, copy)
        self._hold(number, _Held(copy.as_of_us, token, now))
        return token

    async def _wear(self) -> None:
        """Copy lists a last time of which nothing stands: with every bit set, they are good for
        ever, whatever becomes of the rows of their grants."""
        async with self._database.transaction() as connection:
            for number, size in await rows.worn_out(connection, LISTS_MAX):
                await self._void(connection, number, size)
                await rows.wear_out(connection, number)

    async def _open(self, connection: Connection, newest: int) -> None:
        await rows.lock_opening(connection)
        # Whoever waited here finds that somebody else has just opened one.
        if await rows.newest(connection) == newest:
            await rows.open_list(connection, SIZE, compressed(raw_of((), SIZE)))

    async def _copy(self, connection: Connection, number: int, size: int) -> None:
        # The clock first, the bits afterwards, in a snapshot of their own: whatever was
        # acknowledged before this instant is in them.
        as_of_us = await rows.now_us(connection)
        # A bit never turns back, so as many bits as before are the same bits.
        count = await rows.ended_count(connection, number)
        if not await self._still(connection, number, count, as_of_us):
            ended = await rows.ended(connection, number)
            await self._put(connection, number, raw_of(ended, size), len(ended), as_of_us)

    async def _void(self, connection: Connection, number: int, size: int) -> None:
        """Copy a list of before a restore, or of which nothing stands: every bit is set."""
        as_of_us = await rows.now_us(connection)
        if not await self._still(connection, number, size, as_of_us):
            await self._put(connection, number, b"\xff" * (size // 8), size, as_of_us)

    async def _still(self, connection: Connection, number: int, count: int, as_of_us: int) -> bool:
        """Whether the copy that is there is ours and has so many bits; it is good until now."""
        ours = self._copied.get(number)
        if ours is None or ours.count != count:
            return False
        if not await rows.touch(connection, number, ours.as_of_us, as_of_us):
            return False
        self._copied[number] = _Copied(count, as_of_us)
        return True

    async def _put(
        self, connection: Connection, number: int, raw: bytes, count: int, as_of_us: int
    ) -> None:
        self._copied.pop(number, None)
        if await rows.put(connection, number, compressed(raw), as_of_us):
            self._copied[number] = _Copied(count, as_of_us)

    def _signed(self, number: int, copy: rows.Copy) -> str:
        issued_s = copy.as_of_us // SECOND_US
        claims = StatusListClaims(
            iss=self._issuer,
            sub=self.uri(number),
            iat=issued_s,
            exp=issued_s + LIFE_S,
            ttl=TTL_S,
            status_list=StatusBits(bits=1, lst=text_of(copy.lst or b"")),
        )
        kid = list(self._keys)[-1]
        return sign(Kind.STATUS_LIST, claims, kid, self._keys[kid])

    def _hold(self, number: int, held: _Held) -> None:
        self._held.pop(number, None)
        self._held[number] = held
        if len(self._held) > HELD_MAX:
            del self._held[next(iter(self._held))]

    def _numbers(self) -> list[int]:
        """Random numbers of 63 bits."""
        drawn = struct.unpack(f">{DRAWS}Q", self._ids.random_bytes(8 * DRAWS))
        return [number >> 1 for number in drawn]
