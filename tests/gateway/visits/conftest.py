"""A city with two neighbours that agreed with it, and a second worker of it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from gateway.ids import SystemIds
from gateway.keys import load_keys, write_keys
from gateway.local.valkey import Valkey
from gateway.recognition.schemes import publish
from gateway.store.migrate import Connection
from tests.engines import Database
from tests.gateway.city import TestCity, open_test_city
from tests.gateway.recognition.region import URL, City, TestRegion
from tests.gateway.visits.border import TERMS, Border
from tests.gateway.visits.home import Home

ISSUER = "http://127.0.0.1:8700"
SCHEME_FILE = Path(__file__).parents[3] / "seeds/schemes/example-delta-1.toml"


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Any]:
    """Settings of every worker: the region is pinned, and a test may try often."""
    return {
        "trust_list_url": URL,
        "trust_list_keys": str(tmp_path / "region.json"),
        "token_attempts_burst": 500,
    }


@pytest.fixture
async def border(
    database: Database, valkey: Valkey, owner: Connection, tmp_path: Path, given: dict[str, Any]
) -> AsyncIterator[Border]:
    """The visited city 330100 between 330200 and 320500."""
    write_keys(tmp_path / "keys.json", SystemIds())
    own = City("330100", issuer=ISSUER)
    ((kid, private),) = load_keys(tmp_path / "keys.json").city_client.items()
    own.keys[0] = ("client", kid, private)
    async with AsyncExitStack() as stack:
        homes = [await stack.enter_async_context(Home(code)) for code in ("330200", "320500")]
        region = TestRegion(own, *homes)
        for home in homes:
            low, high = sorted((own, home), key=lambda city: city.code)
            region.agree(home.code, low, high, int(time.time()) - 100, **TERMS)
        (tmp_path / "region.json").write_bytes(region.pin())
        await publish(owner, SCHEME_FILE.read_bytes())
        urls = database.gateway_url, owner, valkey.url
        town = await stack.enter_async_context(open_test_city(*urls, tmp_path, **given))
        made = Border(town, region, own, homes)
        await made.publish()
        yield made


@pytest.fixture
async def other_worker(
    border: Border, database: Database, valkey: Valkey, tmp_path: Path, given: dict[str, Any]
) -> AsyncIterator[TestCity]:
    """A second worker of the same city."""
    urls = database.gateway_url, border.town.owner, valkey.url
    async with open_test_city(*urls, tmp_path, **given) as opened:
        border.join(opened)
        await opened.city.trust.refresh()
        yield opened
