"""Two or three real cities in one process, each on a database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from gateway.clock import SystemClock
from gateway.local.valkey import Valkey
from tests.adversity.recognition.league import League
from tests.adversity.recognition.town import Town
from tests.engines import Database, Engines
from tests.gateway.recognition.region import TestRegion
from tests.gateway.recognition.serving import RegionServer

CODES = ("330100", "330200", "320500")


@pytest.fixture
def cities() -> int:
    """How many cities there are; a module may have another number."""
    return 2


@pytest.fixture
def given() -> dict[str, Any]:
    """Further settings of every city."""
    return {}


@pytest.fixture
def databases(engines: Engines, cities: int) -> Iterator[list[Database]]:
    """A database for each city."""
    made = [engines.clone() for _ in range(cities)]
    yield made
    for database in made:
        engines.drop(database)


@pytest.fixture
async def league(
    databases: list[Database], valkey: Valkey, tmp_path: Path, given: dict[str, Any]
) -> AsyncIterator[League]:
    """The cities, running and agreed."""
    region = TestRegion()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(RegionServer(region, SystemClock()))
        pinned = tmp_path / "region.json"
        pinned.write_bytes(region.pin())
        told = given | {"trust_list_url": server.url, "trust_list_keys": str(pinned)}
        for place, (code, database) in enumerate(zip(CODES, databases, strict=False)):
            town = Town(code, place, database, valkey, tmp_path)
            stack.push_async_callback(town.close)
            await town.open(**told)
            region.cities.append(town)
        made = League(region, server, [each for each in region.cities if isinstance(each, Town)])
        await made.agree()
        yield made
