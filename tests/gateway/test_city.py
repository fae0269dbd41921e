"""A worker stops in order: what is under way at the cache is finished first, in bounded time."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from redis import Redis

from gateway.city import SETTLE_S
from gateway.local.valkey import Valkey
from gateway.standing import Wanted
from gateway.store.migrate import Connection
from tests.engines import Database
from tests.gateway.city import open_test_city


async def test_a_worker_that_stops_finishes_its_fills(
    database: Database, valkey: Valkey, owner: Connection, tmp_path: Path
) -> None:
    with Redis.from_url(valkey.admin_url) as admin:
        async with open_test_city(database.gateway_url, owner, valkey.url, tmp_path) as town:
            citizen = await town.citizen()
            key = town.city.cache.key(citizen)
            admin.flushall()
            await town.city.standings.read_many([Wanted(citizen)])
            assert not admin.exists(key)  # the answer did not wait for the fill
        async with asyncio.timeout(0):  # at once: nothing is under way that closing cut off
            await town.city.standings.settled()
        assert admin.exists(key)


async def test_a_cache_that_hangs_does_not_keep_a_worker_from_stopping(
    database: Database, valkey: Valkey, owner: Connection, tmp_path: Path
) -> None:
    with Redis.from_url(valkey.admin_url) as admin:
        async with open_test_city(
            database.gateway_url, owner, valkey.url, tmp_path, cache_timeout_s=5
        ) as town:
            citizen = await town.citizen()
            admin.flushall()
            admin.execute_command("CLIENT", "PAUSE", "5000", "WRITE")
            await town.city.standings.read_many([Wanted(citizen)])
            began = time.monotonic()
        took = time.monotonic() - began
        admin.execute_command("CLIENT", "UNPAUSE")
    assert SETTLE_S <= took < SETTLE_S + 1
