"""Connections have limits, and what those limits cut off is told in the gateway's own words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from gateway.edge.problems import problem_bytes
from gateway.errors import DependencyDown, GatewayError, Overloaded, StillRunning
from gateway.store.database import SESSION
from gateway.store.database import Database as Pool
from gateway.store.migrate import GATEWAY, Connection
from tests.engines import Database

TIMEOUTS = {name for name in SESSION if name.endswith("timeout")}


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[Pool]:
    """The request role's pool, impatient: nothing here waits for its usual second."""
    pool = Pool(
        database.gateway_url,
        pool_max=2,
        timeout_s=5,
        session={"statement_timeout": "50", "lock_timeout": "20"},
    )
    await pool.open()
    yield pool
    await pool.close()


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


@pytest.mark.parametrize("inside", ["connection", "transaction"])
async def test_a_statement_that_takes_too_long_is_a_503(pool: Pool, inside: str) -> None:
    opened = pool.connection() if inside == "connection" else pool.transaction()
    with pytest.raises(DependencyDown) as caught:
        async with opened as connection:
            await connection.execute("SELECT pg_sleep(1)")
    assert problem_bytes(caught.value)[0] == 503
    async with pool.connection() as connection:  # the connection has served on
        assert await connection.fetchval("SELECT 1") == 1


@pytest.mark.parametrize(
    ("inside", "said", "status"),
    [("connection", Overloaded, 503), ("transaction", StillRunning, 409)],
)
async def test_a_statement_that_waits_too_long_for_a_row_says_when_to_return(
    pool: Pool, owner: Connection, inside: str, said: type[GatewayError], status: int
) -> None:
    await owner.execute("INSERT INTO probe_mark VALUES (gen_random_uuid(), 1, now())")
    async with owner.transaction():
        await owner.execute("UPDATE probe_mark SET until_at = now()")
        opened = pool.connection() if inside == "connection" else pool.transaction()
        with pytest.raises(said) as caught:
            async with opened as connection:
                await connection.execute("DELETE FROM probe_mark")
    answered, headers, _ = problem_bytes(caught.value)
    assert answered == status
    assert int(dict(headers)[b"retry-after"]) >= 1


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("SELECT 1 / 0", asyncpg.DivisionByZeroError),  # class 22
        ("INSERT INTO probe_mark VALUES (NULL, 1, now())", asyncpg.NotNullViolationError),  # 23
        ("DO $$BEGIN RAISE SQLSTATE '40001'; END$$", asyncpg.SerializationError),
        ("DO $$BEGIN RAISE SQLSTATE '40P01'; END$$", asyncpg.DeadlockDetectedError),
    ],
)
async def test_what_one_row_did_wrong_reaches_the_committer_as_it_is(
    pool: Pool, statement: str, fault: type[Exception]
) -> None:
    """A batch is halved on these classes; hidden, one party's row would fail all the others'."""
    with pytest.raises(fault):
        async with pool.connection() as connection:
            await connection.execute(statement)


async def test_a_transaction_that_lasts_too_long_is_a_503(database: Database) -> None:
    pool = Pool(
        database.gateway_url, pool_max=1, timeout_s=5, session={"transaction_timeout": "50"}
    )
    await pool.open()
    with pytest.raises(DependencyDown):
        async with pool.transaction() as connection:
            await connection.execute("SELECT pg_sleep(1)")
    async with pool.connection() as connection:
        assert await connection.fetchval("SELECT 1") == 1
    await pool.close()


async def test_a_transaction_in_which_nothing_happens_is_a_503(database: Database) -> None:
    idle = "idle_in_transaction_session_timeout"
    pool = Pool(database.gateway_url, pool_max=1, timeout_s=5, session={idle: "50"})
    await pool.open()
    with pytest.raises(DependencyDown):
        await dawdle(pool)
    await pool.close()


async def dawdle(pool: Pool) -> None:
    """A transaction that says nothing for longer than it may."""
    async with pool.transaction() as connection:
        await asyncio.sleep(0.15)
        await connection.execute("SELECT 1")
