"""What the commands of a city's staff work with: the database as its owner, and the same one way
to change a standing that the API has.

The serving role can add promises and answers; loading facts, publishing scores and seeding a
demonstration are the owner's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from gateway.clock import Clock
from gateway.ids import Ids
from gateway.keys import Keyring
from gateway.recognition.limits import cap_fen
from gateway.standing import StandingWriter
from gateway.store import standing as standing_rows
from gateway.store.cache import Cache
from gateway.store.database import Database
from gateway.vault import Vault
from gateway.working_days import calendar
from scenarios.compiler import Compiled
from scenarios.registry import load_registry

#: A command works in batches of hundreds, which take longer than a request may.
SESSION = {
    "statement_timeout": "30000",
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "10000",
    "transaction_timeout": "60000",
}


def owner_database(owner_url: str) -> Database:
    """The database as its owner, with a command's patience."""
    return Database(owner_url, pool_max=2, timeout_s=30, session=SESSION)


@cache
def _rent() -> Compiled:
    """Compiled when it is first wanted, by a change that other cities' recognitions hang on: most
    commands never need it."""
    return load_registry(calendar())["rent"]


def _cap(band: int, at_us: int) -> int:
    return cap_fen(_rent(), band, at_us)


class Office:
    """The parts that staff's commands share.

    Args:
        owner_url: the primary, as the role `qianjiang_owner`.
        valkey_url: the cache, which learns of every change of a standing.
        keys: the city's secret keys.
        clock, ids: where time and randomness come from.
    """

    def __init__(
        self, owner_url: str, valkey_url: str, keys: Keyring, clock: Clock, ids: Ids
    ) -> None:
        self.keys, self.clock, self.ids = keys, clock, ids
        self.database = owner_database(owner_url)
        self.cache = Cache(valkey_url, timeout_s=1.0, ttl_s=3600, clock=clock, ids=ids)
        self.vault = Vault(keys.city, ids)
        self.writer = StandingWriter(self.database, self.cache, keys.standing_digest, _cap)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Office]:
        """Connected for as long as the block."""
        await self.database.open()
        try:
            async with self.database.connection() as connection:
                self.cache.generation = await standing_rows.generation(connection)
            yield self
        finally:
            await self.cache.close()
            await self.database.close()
