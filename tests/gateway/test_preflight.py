"""The server does not start on what its promises cannot rest on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.clock import SECOND_US, FixedClock, SystemClock
from gateway.ids import SystemIds
from gateway.keys import write_keys
from gateway.local import postgres as engine
from gateway.local.postgres import Postgres
from gateway.preflight import Unready, check
from gateway.settings import Settings, as_environment
from gateway.store.migrate import Connection
from tests.engines import Database, Engines

CLOCK = SystemClock()


@pytest.fixture
def careless(
    engines: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Postgres]:
    """A server that would lose what it acknowledged."""
    loose = {"fsync": "off", "full_page_writes": "off"}
    monkeypatch.setattr(engine, "SETTINGS", {**engine.SETTINGS, **loose})
    server = Postgres(tmp_path / "careless", engines.system)
    server.start()
    yield server
    server.stop()
    server.places.remove()


async def refused(connection: Connection, now_us: int | None = None) -> str:
    with pytest.raises(Unready) as why:
        await check(connection, CLOCK if now_us is None else FixedClock(now_us))
    return str(why.value)


def test_serving_refuses_what_only_the_demo_may(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    write_keys(keys, SystemIds())
    settings = Settings(
        issuer="http://127.0.0.1:8700",
        city="330100",
        database_url="postgresql://nowhere/",
        valkey_url="unix:///nowhere",
        keys_file=keys,
        oidc_issuer="http://127.0.0.2:8701",
        allow_loopback_http=True,
    )
    done = CliRunner().invoke(main, ["serve"], env=as_environment(settings))
    assert done.exit_code == 1
    assert "QIANJIANG_ALLOW_LOOPBACK_HTTP" in done.output


async def test_a_sound_database_of_a_city_is_accepted(
    owner: Connection, connection: Connection
) -> None:
    await owner.execute("INSERT INTO realm (city) VALUES ('330100')")
    await check(connection, CLOCK)


async def test_a_database_of_no_city_is_refused_with_the_remedy(connection: Connection) -> None:
    assert "qianjiang scenarios publish" in await refused(connection)


async def test_commits_that_do_not_wait_for_the_disk_are_refused(database: Database) -> None:
    careless = await asyncpg.connect(
        database.gateway_url, server_settings={"synchronous_commit": "off"}
    )
    try:
        assert "synchronous_commit is off" in await refused(careless)
    finally:
        await careless.close(timeout=5)


async def test_a_server_without_fsync_or_full_pages_is_refused(careless: Postgres) -> None:
    connection = await asyncpg.connect(careless.superuser_url)
    try:
        words = await refused(connection)
    finally:
        await connection.close(timeout=5)
    assert "fsync is off" in words
    assert "full_page_writes is off" in words
    assert "qianjiang migrate" in words  # it has no schema either: every reason is told at once


@pytest.mark.parametrize("seconds", [-300, -3, 3, 300])
async def test_clocks_that_differ_are_refused(
    owner: Connection, connection: Connection, seconds: int
) -> None:
    await owner.execute("INSERT INTO realm (city) VALUES ('330100')")
    assert "clocks differ" in await refused(connection, CLOCK.now_us() + seconds * SECOND_US)


async def test_a_second_of_difference_is_accepted(
    owner: Connection, connection: Connection
) -> None:
    await owner.execute("INSERT INTO realm (city) VALUES ('330100')")
    await check(connection, FixedClock(CLOCK.now_us() + SECOND_US))
