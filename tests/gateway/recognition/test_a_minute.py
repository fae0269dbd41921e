"""From a withdrawal at home to the end of the visit elsewhere: two cities, their jobs, a socket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
import uvicorn

from gateway import jobs
from gateway.app import build_app
from gateway.city import City
from gateway.clock import SECOND_US, SystemClock
from gateway.local.valkey import Valkey
from gateway.server import FLAGS, bound
from gateway.store.migrate import Connection
from tests.engines import Database
from tests.gateway.city import TestCity, open_test_city
from tests.gateway.edge.listening import HOST
from tests.gateway.recognition.home import consent_of, recognised
from tests.gateway.recognition.partner import ended, fresh_for_s, open_visit
from tests.gateway.recognition.region import TERMS, TestRegion
from tests.gateway.recognition.region import City as Listing
from tests.gateway.recognition.serving import RegionServer

HOME, VISITED = "330300", "330100"


@asynccontextmanager
async def working(town: TestCity) -> AsyncIterator[None]:
    """The background worker of a city, with all of its jobs."""
    stop = asyncio.Event()
    work = asyncio.create_task(jobs.run_jobs(town.city, stop))
    try:
        yield
    finally:
        stop.set()
        await work


@pytest.fixture
async def home(fresh_database: Database, valkey: Valkey, tmp_path: Path) -> AsyncIterator[TestCity]:
    """The home city on a database of its own: a worker that listens, and its background worker."""
    listener = bound(HOST, 0)
    address = f"http://{HOST}:{listener.getsockname()[1]}"
    (folder := tmp_path / "home").mkdir()
    owner = await asyncpg.connect(fresh_database.owner_url)
    given = fresh_database.gateway_url, owner, valkey.url, folder
    async with AsyncExitStack() as stack:
        opened = open_test_city(*given, issuer=address, city=HOME)
        town = await stack.enter_async_context(opened)
        base = town.city
        served = City(base.settings, base.keys, base.registry, base.clock, base.ids)
        server = uvicorn.Server(uvicorn.Config(lambda: build_app(served), **FLAGS))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await stack.enter_async_context(working(town))
        yield town
        server.should_exit = True
        await serving
    await owner.close(timeout=5)


@pytest.fixture
async def visited(
    home: TestCity, database: Database, valkey: Valkey, owner: Connection, tmp_path: Path
) -> AsyncIterator[TestCity]:
    """The visited city with its background worker, and the region whose list names both."""
    here = Listing(VISITED, issuer="http://127.0.0.1:8700")
    there = Listing(HOME, issuer=home.city.settings.issuer)
    ((kid, key),) = home.city.keys.city_status.items()
    there.keys[2] = ("status", kid, key)
    region = TestRegion(here, there)
    at_s = SystemClock().now_us() // SECOND_US
    region.agree("a-b", here, there, at_s - 100, **TERMS)
    pinned = tmp_path / "pinned.json"
    pinned.write_bytes(region.pin())
    given = database.gateway_url, owner, valkey.url, tmp_path
    async with (
        RegionServer(region, SystemClock()) as server,
        open_test_city(
            *given, city=VISITED, trust_list_url=server.url, trust_list_keys=str(pinned)
        ) as town,
        working(town),
    ):
        yield town


async def test_a_withdrawal_at_home_ends_the_visit_within_a_minute(
    home: TestCity, visited: TestCity, capsys: pytest.CaptureFixture[str]
) -> None:
    citizen, other = await home.citizen(), await home.citizen()
    made, stays = await recognised(home, citizen), await recognised(home, other)
    visits = [await _visit(home, visited, each) for each in (made, stays)]
    async with asyncio.timeout(60):
        while await fresh_for_s(visited, HOME) < 0:  # noqa: ASYNC110  # another process's row
            await asyncio.sleep(0.05)
        await home.city.consents.withdraw(citizen, await consent_of(home, made))
        acknowledged = time.monotonic()
        while await ended(visited, visits[0]) is None:  # noqa: ASYNC110  # likewise
            await asyncio.sleep(0.05)
    took = time.monotonic() - acknowledged
    with capsys.disabled():
        print(f"\nfrom the acknowledgement at home to the end of the visit: {took:.1f} s")
    assert took <= 60
    assert [await ended(visited, each) for each in visits] == ["status", None]
    assert await fresh_for_s(visited, HOME) > 0


async def _visit(home: TestCity, visited: TestCity, recognition: UUID) -> UUID:
    row = await home.owner.fetchrow(
        "SELECT status_list, status_idx FROM recognition WHERE id = $1", recognition
    )
    assert row is not None
    uri = home.city.status_lists.uri(row["status_list"])
    return await open_visit(visited, HOME, uri, row["status_idx"])
