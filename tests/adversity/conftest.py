"""Three workers of one city, a notary, and what can befall the cache."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.maint_notifications import MaintNotificationsConfig

from gateway.local.valkey import Valkey
from gateway.store.migrate import Connection
from tests.adversity.notary import Notary, notary_at
from tests.adversity.race import Stage
from tests.engines import Database
from tests.gateway.city import TestCity, open_test_city

WORKERS = 3
#: Orders are played with a cache that answers, on a busy machine too.
CACHE_S = 0.5


@pytest.fixture
async def workers(
    database: Database, valkey: Valkey, owner: Connection, tmp_path: Path
) -> AsyncIterator[list[TestCity]]:
    """Workers with their own pools and memory on the same engines, and one registered party."""
    async with AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(
                open_test_city(
                    database.gateway_url, owner, valkey.url, tmp_path, cache_timeout_s=CACHE_S
                )
            )
            for _ in range(WORKERS)
        ]
        await opened[0].party()
        for worker in opened:
            await worker.city.parties.refresh(force=True)
        yield opened
        # What nobody waits for may still be under way, and would open the cache's connections anew.
        for worker in opened:
            fills = worker.city.standings._fills._runner
            if fills is not None:
                await asyncio.wait([fills], timeout=5)


@pytest.fixture
async def notary(database: Database, workers: list[TestCity]) -> AsyncIterator[Notary]:
    """Somebody who reads the records, past every worker."""
    async with notary_at(database.owner_url, workers[0].city.keys.standing_digest) as opened:
        yield opened


@pytest.fixture
async def cache_admin(valkey: Valkey) -> AsyncIterator[Redis]:
    """An administrator of the cache, of whom the workers know nothing."""
    quiet = MaintNotificationsConfig(enabled=False)
    client = Redis.from_url(valkey.admin_url, protocol=3, maint_notifications_config=quiet)
    yield client
    await client.aclose()


@pytest.fixture
def stage(workers: list[TestCity], valkey: Valkey, cache_admin: Redis, notary: Notary) -> Stage:
    """Where races are run."""
    return Stage(workers, valkey, cache_admin, notary)
