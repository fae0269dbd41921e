"""A home city with a partner, an identity provider in process, and citizens with browsers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.clock import SystemClock
from gateway.ids import SystemIds
from gateway.local import identity
from gateway.local.identity import IdentityFile, Provider
from gateway.local.valkey import Valkey
from gateway.store.migrate import Connection
from tests.engines import Database
from tests.gateway.apps import transport_of
from tests.gateway.city import TestCity, open_test_city
from tests.gateway.recognised.home import IDP, Citizen, client_of
from tests.gateway.recognised.others import Neighbours
from tests.gateway.recognised.partner import Partner
from tests.gateway.recognition.region import URL

SETTINGS: dict[str, Any] = {
    "trust_list_url": URL,
    "token_attempts_burst": 2000,
    "oidc_issuer": IDP,
}
Arrive = Callable[..., Awaitable[Citizen]]


@pytest.fixture
def neighbours(tmp_path: Path) -> Neighbours:
    """Whom the city knows."""
    return Neighbours(tmp_path)


@pytest.fixture
async def town(
    neighbours: Neighbours, database: Database, valkey: Valkey, owner: Connection, tmp_path: Path
) -> AsyncIterator[TestCity]:
    urls = database.gateway_url, owner, valkey.url
    given = SETTINGS | {"trust_list_keys": str(neighbours.pinned)}
    async with open_test_city(*urls, tmp_path, **given) as opened:
        await owner.execute(
            "INSERT INTO publish_run (model, as_of, scored, changed, band_moves, started_at)"
            " VALUES ('m', '2026-11-01', 1, 1, 1, clock_timestamp())"
        )
        await neighbours.settle(opened)
        await opened.city.refresh()
        yield opened


@pytest.fixture
async def other_worker(
    town: TestCity,
    neighbours: Neighbours,
    database: Database,
    valkey: Valkey,
    tmp_path: Path,
) -> AsyncIterator[TestCity]:
    """A second worker of the same city."""
    urls = database.gateway_url, town.owner, valkey.url
    given = SETTINGS | {"trust_list_keys": str(neighbours.pinned)}
    async with open_test_city(*urls, tmp_path, **given) as opened:
        neighbours.workers.append(opened)
        yield opened


@pytest.fixture
async def idp(town: TestCity) -> AsyncIterator[httpx.AsyncClient]:
    """The identity provider; the city talks to it, and so does the client that this gives."""
    provider = Provider(IDP, IdentityFile((client_of(town),)), SystemClock(), SystemIds())
    app: Any = identity.build_app(provider)  # httpx and Litestar type ASGI each in their own way
    transport = httpx.ASGITransport(app)
    async with (
        httpx.AsyncClient(transport=transport) as wire,
        httpx.AsyncClient(transport=transport) as away,
    ):
        town.city.oidc._opened = wire
        yield away


@pytest.fixture
def site(town: TestCity) -> httpx.ASGITransport:
    """The application in front of the city."""
    return transport_of(town.city)


@pytest.fixture
async def http(town: TestCity, site: httpx.ASGITransport) -> AsyncIterator[httpx.AsyncClient]:
    base = town.city.settings.issuer
    async with httpx.AsyncClient(transport=site, base_url=base) as client:
        yield client


@pytest.fixture
async def partner(town: TestCity, neighbours: Neighbours, http: httpx.AsyncClient) -> Partner:
    made = Partner(town, http)
    await made.join(neighbours)
    return made


@pytest.fixture
async def stranger(town: TestCity, neighbours: Neighbours, http: httpx.AsyncClient) -> Partner:
    """Another city of the list, with an agreement of its own."""
    made = Partner(town, http, "320500")
    await made.join(neighbours)
    return made


@pytest.fixture
async def arrive(
    town: TestCity, idp: httpx.AsyncClient, site: httpx.ASGITransport
) -> AsyncIterator[Arrive]:
    """Lets a person, by number, arrive with a browser; with a band where they have a score."""
    opened: list[httpx.AsyncClient] = []

    async def come(number: int = 1, band: int = 5) -> Citizen:
        page = httpx.AsyncClient(transport=site, base_url=town.city.settings.issuer)
        opened.append(page)
        citizen = Citizen(town, page, idp, f"person-{number}")
        if band:
            await citizen.settle(band)
        return citizen

    yield come
    for page in opened:
        await page.aclose()


@pytest.fixture
async def citizen(arrive: Arrive) -> Citizen:
    """A citizen of the highest band."""
    return await arrive()
