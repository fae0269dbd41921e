"""A city with one registered merchant, and the merchant's program that asks for tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from gateway.city import City
from gateway.local.valkey import Valkey
from gateway.store.migrate import Connection
from tests.engines import Database
from tests.gateway.apps import transport_of
from tests.gateway.city import TestCity, open_test_city
from tests.gateway.oauth.client import PartyClient


@asynccontextmanager
async def over_http(city: City) -> AsyncIterator[httpx.AsyncClient]:
    """HTTP to one worker, without a socket between."""
    transport = transport_of(city)
    async with httpx.AsyncClient(transport=transport, base_url=city.settings.issuer) as client:
        yield client


@pytest.fixture
async def town(
    database: Database, valkey: Valkey, owner: Connection, tmp_path: Path
) -> AsyncIterator[TestCity]:
    urls = database.gateway_url, owner, valkey.url
    async with open_test_city(*urls, tmp_path, token_attempts_burst=500) as opened:
        await opened.party()
        yield opened


@pytest.fixture
async def other_worker(
    town: TestCity, database: Database, valkey: Valkey, tmp_path: Path
) -> AsyncIterator[TestCity]:
    """Another worker of the same city, with its own connections and its own copy of the parties."""
    urls = database.gateway_url, town.owner, valkey.url
    async with open_test_city(*urls, tmp_path, token_attempts_burst=500) as opened:
        yield opened


@pytest.fixture
async def http(town: TestCity) -> AsyncIterator[httpx.AsyncClient]:
    async with over_http(town.city) as client:
        yield client


@pytest.fixture
async def merchant(town: TestCity, http: httpx.AsyncClient) -> PartyClient:
    client = PartyClient(town, http)
    await client.enrol()
    return client
