"""Connections have limits, and what those limits cut off is told in the gateway's own words."""

from __future__ import annotations

from gateway.store.database import SESSION
from gateway.store.database import Database as Pool
from gateway.store.migrate import GATEWAY, Connection
from tests.engines import Database

TIMEOUTS = {name for name in SESSION if name.endswith("timeout")}


async def test_the_role_and_the_session_set_the_same_limits(
    database: Database, connection: Connection
) -> None:
    config = await connection.fetchval("SELECT rolconfig FROM pg_roles WHERE rolname = $1", GATEWAY)
    names = [setting.partition("=")[0] for setting in config]
    query = "SELECT n, current_setting(n) FROM unnest($1::text[]) AS n"
    by_role = await connection.fetch(query, names)
    pool = Pool(database.gateway_url, pool_max=1, timeout_s=5)
    await pool.open()
    async with pool.connection() as opened:
        by_session = await opened.fetch(query, names)
    await pool.close()
    assert by_role == by_session
    assert set(names) >= TIMEOUTS
