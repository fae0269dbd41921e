"""Two cities' offices, and the region's, for commands about other cities."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.store.migrate import Connection
from tests.engines import Database
from tests.gateway.cli.office import A, B, Listed, Office
from tests.gateway.recognition.region import TestRegion


@pytest.fixture
def region(tmp_path: Path) -> TestRegion:
    return TestRegion()


@pytest.fixture
def offices(database: Database, region: TestRegion, tmp_path: Path) -> tuple[Office, Office]:
    pinned = tmp_path / "region.json"
    pinned.write_bytes(region.pin())
    return Office(tmp_path, A, pinned, database.owner_url), Office(tmp_path, B, pinned)


@pytest.fixture
def listed(region: TestRegion, owner: Connection) -> Listed:
    return Listed(region, owner)
