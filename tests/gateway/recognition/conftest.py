"""A city that lets visitors in, and one that believes a region whose list is served here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.clock import FixedClock, SystemClock
from gateway.local.valkey import Valkey
from gateway.recognition.status_reader import StatusReader
from gateway.store.migrate import Connection
from tests.engines import Database
from tests.gateway.city import TestCity, open_test_city
from tests.gateway.forge import NOW_S
from tests.gateway.recognition.partner import CODE, Listed, Partner
from tests.gateway.recognition.region import TERMS, City, TestRegion
from tests.gateway.recognition.serving import RegionServer
from tests.gateway.recognition.visitors import Visitors

ISSUER = "http://127.0.0.1:8700"


class Pair:
    """Two cities that agreed, their region, its server, and a clock for all."""

    def __init__(self, folder: Path) -> None:
        self.clock = FixedClock(NOW_S * 1_000_000)
        self.a, self.b = City("330100", issuer=ISSUER), City("330200")
        self.region = TestRegion(self.a, self.b)
        self.region.agree("a-b", self.a, self.b, NOW_S - 100, **TERMS)
        self.server = RegionServer(self.region, self.clock)
        self.pinned = folder / "region.json"
        self.pinned.write_bytes(self.region.pin())

    @property
    def settings(self) -> dict[str, Any]:
        """Those of a city that believes the region."""
        return {"trust_list_url": self.region.url, "trust_list_keys": str(self.pinned)}

    @property
    def now_s(self) -> int:
        return self.clock.now_us() // 1_000_000


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    """The region, before anybody fetched its list."""
    made = Pair(tmp_path)
    async with made.server:
        yield made


@pytest.fixture
async def worker(
    pair: Pair, database: Database, valkey: Valkey, owner: Connection, tmp_path: Path
) -> AsyncIterator[TestCity]:
    """A worker of 330100."""
    urls = database.gateway_url, owner, valkey.url
    async with open_test_city(*urls, tmp_path, clock=pair.clock, **pair.settings) as opened:
        yield opened


@pytest.fixture
async def second(
    worker: TestCity, pair: Pair, database: Database, valkey: Valkey, tmp_path: Path
) -> AsyncIterator[TestCity]:
    """Another one of the same city."""
    urls = database.gateway_url, worker.owner, valkey.url
    async with open_test_city(*urls, tmp_path, clock=pair.clock, **pair.settings) as opened:
        yield opened


@pytest.fixture
async def visitors(town: TestCity) -> Visitors:
    """At a city with one merchant that rents and lends."""
    await town.party(scenarios=("library", "rent"))
    return await Visitors.at(town)


@pytest.fixture
async def partner() -> AsyncIterator[Partner]:
    async with Partner(SystemClock(), CODE) as opened:
        yield opened


@pytest.fixture
async def listed(town: TestCity, partner: Partner, tmp_path: Path) -> Listed:
    made = Listed(town, [partner], tmp_path)
    await made.publish()
    return made


@pytest.fixture
async def reader(town: TestCity, listed: Listed) -> AsyncIterator[StatusReader]:
    made = listed.reader(town)
    yield made
    await made.close()
