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
from gateway.clock import SystemClock
from gateway.local.valkey import Valkey
from gateway.server import FLAGS, bound
from tests.engines import Database
from tests.gateway.city import TestCity, open_test_city
from tests.gateway.edge.listening import HOST
from tests.gateway.recognition.home import consent_of, recognised
from tests.gateway.recognition.partner import (
    Partner,
    Trusted,
    ended,
    fresh_for_s,
    reader_of,
    visit,
)

CODE = "330100"


class HomeCity(Partner):
    """A partner that is a real gateway: its own keys, its own address."""

    def __init__(self, town: TestCity) -> None:
        super().__init__(SystemClock(), CODE)
        self.town = town
        ((self.kid, self.key),) = town.city.keys.city_status.items()

    @property
    def issuer(self) -> str:
        return self.town.city.settings.issuer


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
    """A home city on a database of its own: a worker that listens, and its background worker."""
    listener = bound(HOST, 0)
    address = f"http://{HOST}:{listener.getsockname()[1]}"
    (folder := tmp_path / "home").mkdir()
    owner = await asyncpg.connect(fresh_database.owner_url)
    given = fresh_database.gateway_url, owner, valkey.url, folder
    async with AsyncExitStack() as stack:
        town = await stack.enter_async_context(open_test_city(*given, issuer=address))
        base = town.city
        served = City(base.settings, base.keys, base.registry, base.clock, base.ids)
        server = uvicorn.Server(uvicorn.Config(lambda: build_app(served), **FLAGS))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await stack.enter_async_context(working(town))
        yield town
        server.should_exit = True
        await serving
    await owner.close(timeout=5)


async def test_a_withdrawal_at_home_ends_the_visit_within_a_minute(
    home: TestCity, town: TestCity, capsys: pytest.CaptureFixture[str]
) -> None:
    """`town` is the visited city."""
    citizen, other = await home.citizen(), await home.citizen()
    made, stays = await recognised(home, citizen), await recognised(home, other)
    partner = HomeCity(home)
    visits = [await _visit(home, town, partner, each) for each in (made, stays)]
    reader = reader_of(town, Trusted(town.city.clock, [partner]))
    stop = asyncio.Event()
    job = jobs.Job("watch-issuers", 1, lambda _: reader.step())
    reading = asyncio.create_task(jobs._repeat(job, town.city, stop))
    async with asyncio.timeout(60):
        while await fresh_for_s(town, CODE) < 0:  # noqa: ASYNC110  # another process's row
            await asyncio.sleep(0.05)
        await home.city.consents.withdraw(citizen, await consent_of(home, made))
        acknowledged = time.monotonic()
        while await ended(town, visits[0]) is None:  # noqa: ASYNC110  # likewise
            await asyncio.sleep(0.05)
    took = time.monotonic() - acknowledged
    stop.set()
    await reading
    with capsys.disabled():
        print(f"\nfrom the acknowledgement at home to the end of the visit: {took:.1f} s")
    assert took <= 60
    assert await ended(town, visits[0]) == "status"
    assert await ended(town, visits[1]) is None
    assert await fresh_for_s(town, CODE) > 0


async def _visit(home: TestCity, town: TestCity, partner: Partner, recognition: UUID) -> UUID:
    row = await home.owner.fetchrow(
        "SELECT status_list, status_idx FROM recognition WHERE id = $1", recognition
    )
    assert row is not None
    return await visit(town, partner, idx=row["status_idx"], number=row["status_list"])
