"""A running city on clean engines, and a second worker of it where a test needs one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.local.valkey import Valkey
from gateway.store.migrate import Connection
from tests.engines import Database
from tests.gateway.city import TestCity, open_test_city


@pytest.fixture
async def town(
    database: Database, valkey: Valkey, owner: Connection, tmp_path: Path
) -> AsyncIterator[TestCity]:
    """One worker of a city."""
    async with open_test_city(database.gateway_url, owner, valkey.url, tmp_path) as opened:
        yield opened


@pytest.fixture
async def other_worker(
    town: TestCity, database: Database, valkey: Valkey, tmp_path: Path
) -> AsyncIterator[TestCity]:
    """A second worker of the same city: its own connections and memory, the same keys."""
    async with open_test_city(database.gateway_url, town.owner, valkey.url, tmp_path) as opened:
        yield opened
