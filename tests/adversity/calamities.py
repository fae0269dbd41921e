"""What can befall the cache while people ask: five states of Valkey, four of them hostile.

Each works with an administrator's connection of its own, behind the workers' backs, all the time
and once more in the worst moment: right after a withdrawal was acknowledged.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from redis.asyncio import Redis

from gateway.local.valkey import Valkey
from gateway.store.cache import Cache
from gateway.store.migrate import Connection
from tests.gateway.city import TestCity


class Calamity:
    """The healthy cache: nothing befalls it. The others build on this."""

    PAUSE_S = 0.05

    def __init__(self, valkey: Valkey, admin: Redis, worker: TestCity, *, seed: int = 7) -> None:
        self.valkey, self.admin = valkey, admin
        self.cache: Cache = worker.city.cache
        self.connection: Connection = worker.owner
        self.random = random.Random(seed)
        self.turn = asyncio.Lock()
        self.open: dict[UUID, list[bytes]] = {}

    async def observe(self, citizen: UUID) -> None:
        """Keep a copy of what is cached while the consent is open."""
        found = await self.admin.get(self.cache.key(citizen))
        if isinstance(found, bytes):
            self.open.setdefault(citizen, []).append(found)

    async def strike(self, citizen: UUID) -> None:
        """Do the worst to one citizen's entry."""

    async def befall(self) -> None:
        """What goes on all the time, once."""

    @asynccontextmanager
    async def raging(self) -> AsyncIterator[None]:
        """The state, from the beginning of the block to its end."""
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._go_on(over))
            try:
                yield
            finally:
                over.set()

    async def _go_on(self, over: asyncio.Event) -> None:
        while not over.is_set():
            await self.befall()
            await asyncio.sleep(self.PAUSE_S)


class Flushed(Calamity):
    """Everything is forgotten, over and over."""

    PAUSE_S = 0.002

    async def befall(self) -> None:
        await self.admin.flushall()

    async def strike(self, citizen: UUID) -> None:
        await self.admin.flushall()


class Killed(Calamity):
    """SIGKILL; a new and empty server after a while, which has forgotten the scripts too; again."""

    PAUSE_S = 0.0

    async def observe(self, citizen: UUID) -> None:
        """Nothing is kept of a dead server."""

    async def befall(self) -> None:
        self.valkey.kill()
        await asyncio.sleep(0.3)
        self.valkey.start()  # only the main thread may, so the loop stands still for a moment
        await asyncio.sleep(1.3)  # longer than workers leave a failed cache alone


class Rewound(Calamity):
    """An old dump comes back: entries from when the consent was open replace the newer ones."""

    PAUSE_S = 0.002

    async def befall(self) -> None:
        if self.open:
            await self.strike(self.random.choice(list(self.open)))

    async def strike(self, citizen: UUID) -> None:
        if citizen in self.open:
            old = self.random.choice(self.open[citizen])
            await self.admin.set(self.cache.key(citizen), old)


class Poisoned(Calamity):
    """Somebody who can write to Valkey, and knows the layout, writes what serves him best."""

    PAUSE_S = 0.002

    async def befall(self) -> None:
        if self.open:
            citizen = self.random.choice(list(self.open))
            await self.admin.set(self.cache.key(citizen), self._poison(citizen, 0))

    async def strike(self, citizen: UUID) -> None:
        if citizen in self.open:
            number = self.random.getrandbits(63)
            await self.admin.set(self.cache.key(citizen), self._poison(citizen, number))

    def _poison(self, citizen: UUID, version: int) -> bytes:
        old = self.random.choice(self.open[citizen])
        other = self.random.choice(self.open[self.random.choice(list(self.open))])
        torn = self.random.randrange(len(old) + 1)  # what was captured may itself have been torn
        return self.random.choice(
            [
                self.random.randbytes(self.random.randrange(1, 300)),
                other,  # another citizen's entry under this key
                old[:34] + other[34:],  # another citizen's body under this name
                old[:26] + b"\xff" * 8 + old[34:],  # a version from the far future
                old[:26] + version.to_bytes(8, "big") + old[34:],
                old[:torn] + other[torn:],
                old[:torn],
            ]
        )


class Forged(Poisoned):
    """The worst poison: an old open body under the number of the true, closed standing."""

    async def befall(self) -> None:
        """Only strikes: each needs the true version of the moment."""

    async def strike(self, citizen: UUID) -> None:
        version = await self.version_of(citizen)
        old = self.random.choice(self.open[citizen])
        forged = old[:26] + version.to_bytes(8, "big") + old[34:]
        await self.admin.set(self.cache.key(citizen), forged)

    async def version_of(self, citizen: UUID) -> int:
        """The true version, from PostgreSQL."""
        query = "SELECT version FROM standing WHERE citizen = $1"
        async with self.turn:
            return int(await self.connection.fetchval(query, citizen))


#: By name, in the order of the reports.
CALAMITIES: dict[str, type[Calamity]] = {
    "healthy": Calamity,
    "flushed": Flushed,
    "killed": Killed,
    "rewound": Rewound,
    "poisoned": Poisoned,
    "forged": Forged,
}


def names() -> Sequence[str]:
    """The states of the cache."""
    return list(CALAMITIES)
