"""A city with a real identity provider, on real sockets, and browsers in front of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from litestar.types import ASGIApp

from gateway import server
from gateway.ids import SystemIds
from gateway.keys import load_keys, write_keys
from gateway.local.identity import write_identity_file
from gateway.local.people import Identity, synthetic_number
from gateway.local.processes import Supervisor, answers, free_port
from gateway.local.valkey import Valkey
from gateway.oidc import CALLBACK
from gateway.store.migrate import Connection
from tests.engines import Database
from tests.gateway.apps import app_of
from tests.gateway.citizens.browser import Browser, open_browser
from tests.gateway.city import TestCity, open_test_city

HOST = "127.0.0.2"
GATEWAY = "http://127.0.0.1:8700"
#: The example of GB 11643-1999 itself: not synthetic, and nobody's.
NOT_SYNTHETIC = "11010519491231002X"


class Provider(NamedTuple):
    """The running identity provider, and the folder of the keys that it knows."""

    issuer: str
    folder: Path


def persona(
    login: str, number: int, birthdate: date = date(1990, 5, 17), *, full_capacity: bool = True
) -> Identity:
    return Identity(
        login=login,
        name=f"示例{login}",
        id_number=synthetic_number(number, birthdate),
        birthdate=birthdate,
        full_capacity=full_capacity,
    )


def personas() -> list[Identity]:
    this_year = datetime.now(UTC).year
    lin = persona("lin", 8_000_001)
    return [
        lin,
        persona("mei", 8_000_002),
        persona("child", 8_000_003, date(this_year - 10, 1, 1)),
        persona("ward", 8_000_004, full_capacity=False),
        Identity(
            login="solid",
            name="示例solid",
            id_number=NOT_SYNTHETIC,
            birthdate=date(1949, 12, 31),
        ),
        Identity(
            login="twisted",
            name="示例twisted",
            id_number=synthetic_number(8_000_005, date(1990, 1, 1)),
            birthdate=date(1980, 1, 1),
        ),
        Identity(
            login="garbled", name="示例garbled", id_number="99-garbled", birthdate=date(1990, 1, 1)
        ),
        # The same person by another login.
        Identity(
            login="lin-again", name=lin.name, id_number=lin.id_number, birthdate=lin.birthdate
        ),
    ]


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """The local identity provider as its own process, once for a run."""
    folder = tmp_path_factory.mktemp("identity")
    write_keys(folder / "keys.json", SystemIds())
    client = load_keys(folder / "keys.json").oidc_client
    file = folder / "identity.json"
    write_identity_file(file, [("qianjiang-gateway", GATEWAY + CALLBACK, client)], personas())
    port = free_port(HOST)
    issuer = f"http://{HOST}:{port}"
    with Supervisor(folder) as processes:
        processes.start(
            "identity",
            server.command(HOST, port, 1, "gateway.local.identity:create_app"),
            environment={
                "QIANJIANG_IDENTITY_ISSUER": issuer,
                "QIANJIANG_IDENTITY_FILE": str(file),
            },
            ready=answers(HOST, port, "/.well-known/openid-configuration"),
        )
        yield Provider(issuer, folder)


@pytest.fixture
async def town(
    provider: Provider, database: Database, valkey: Valkey, owner: Connection
) -> AsyncIterator[TestCity]:
    """A city whose citizens sign in at the provider."""
    urls = database.gateway_url, owner, valkey.url
    async with open_test_city(*urls, provider.folder, oidc_issuer=provider.issuer) as town:
        yield town


@pytest.fixture
async def strict_town(
    provider: Provider, database: Database, valkey: Valkey, owner: Connection
) -> AsyncIterator[TestCity]:
    """The same, but the issuer's people are said to be real."""
    urls = database.gateway_url, owner, valkey.url
    given: dict[str, Any] = {"oidc_issuer": provider.issuer, "oidc_synthetic": False}
    async with open_test_city(*urls, provider.folder, **given) as town:
        yield town


@pytest.fixture
def site(town: TestCity) -> ASGIApp:
    """The application in front of the city."""
    return app_of(town.city)


@pytest.fixture
async def browser(town: TestCity, site: ASGIApp) -> AsyncIterator[Browser]:
    """A browser that nobody has signed in with."""
    async with open_browser(town.city, site) as opened:
        yield opened


@pytest.fixture
async def other(town: TestCity, site: ASGIApp) -> AsyncIterator[Browser]:
    """Somebody else's browser."""
    async with open_browser(town.city, site) as opened:
        yield opened
