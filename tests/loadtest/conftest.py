"""A small city, and a real gateway of one worker in front of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from gateway import server
from gateway.local.processes import Supervisor, answers, free_port
from gateway.local.valkey import Valkey
from gateway.settings import as_environment
from gateway.store.migrate import Connection
from loadtest import cpu
from loadtest.party import Shop, register
from loadtest.serving import unthrottled
from tests.engines import Database
from tests.gateway.city import TestCity, open_test_city

HOST = "127.0.0.1"


class Gateway(msgspec.Struct, frozen=True):
    """A running gateway, as the measurements see one."""

    host: str
    port: int
    root: int

    def seconds(self) -> tuple[float, float, float]:
        """The workers' CPU; the suite's engines are not this gateway's alone."""
        return cpu.seconds(cpu.tree(self.root)), 0.0, 0.0


@pytest.fixture
def port() -> int:
    """Where the gateway will listen."""
    return free_port(HOST)


@pytest.fixture
async def town(
    database: Database, valkey: Valkey, owner: Connection, tmp_path: Path, port: int
) -> AsyncIterator[TestCity]:
    """A city whose issuer is the gateway's own address."""
    async with open_test_city(
        database.gateway_url, owner, valkey.url, tmp_path, issuer=f"http://{HOST}:{port}"
    ) as town:
        yield town


@pytest.fixture
async def shop(town: TestCity) -> Shop:
    """The party that asks."""
    return await register(town.city, town.owner, ["rent"])


@pytest.fixture
async def gateway(town: TestCity, shop: Shop, tmp_path: Path, port: int) -> AsyncIterator[Gateway]:
    """The city's gateway, as production runs it; it knows the shop from its start."""
    with Supervisor(tmp_path) as processes:
        # It waits without the loop, which has nothing to do meanwhile: children are started from
        # the main thread only.
        child = processes.start(
            "gateway",
            server.command(HOST, port, 1),
            environment=as_environment(unthrottled(town.city.settings)),
            ready=answers(HOST, port, "/readyz"),
        )
        yield Gateway(HOST, port, child.pid)
