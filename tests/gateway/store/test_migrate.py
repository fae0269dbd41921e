"""Migrations run once, whole or not at all, one runner at a time, and never change afterwards."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import asyncpg
import pytest

from gateway.store.migrate import (
    Connection,
    Migration,
    MigrationRefused,
    available,
    current,
    make_months,
    migrate,
    pending,
)
from tests.engines import Database, Engines

MARK = Migration(1, "mark", "CREATE TABLE mark (n int); INSERT INTO mark VALUES (1);", "1" * 64)
SECOND = Migration(2, "second", "ALTER TABLE mark ADD COLUMN m int;", "2" * 64)
BROKEN = Migration(2, "broken", "INSERT INTO mark VALUES (2); SELECT 1 / 0;", "2" * 64)


def ledger() -> Migration:
    """The first real migration, which makes the table of migrations."""
    return available()[0]


@pytest.fixture
def empty_url(engines: Engines) -> Iterator[str]:
    database = engines.clone("template0")
    yield database.owner_url
    engines.drop(database)


@pytest.fixture
async def empty(empty_url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(empty_url)
    yield connection
    await connection.close()


async def test_an_empty_database_has_no_version_and_everything_pending(empty: Connection) -> None:
    assert await current(empty) is None
    assert await pending(empty) == available()


async def test_what_is_pending_is_applied_once_and_in_order(empty: Connection) -> None:
    seen: list[str] = []
    await migrate(empty, [ledger(), MARK], on_applied=lambda m: seen.append(m.file))
    assert await migrate(empty, [ledger(), MARK, SECOND]) == [SECOND]
    assert await migrate(empty, [ledger(), MARK, SECOND]) == []
    assert seen == ["0000_ledger.sql", "0001_mark.sql"]
    assert await current(empty) == 2
    assert await empty.fetchval("SELECT count(*) FROM mark") == 1


async def test_a_failing_file_is_named_and_leaves_nothing(empty: Connection) -> None:
    with pytest.raises(MigrationRefused, match=r"0002_broken\.sql: division by zero"):
        await migrate(empty, [ledger(), MARK, BROKEN])
    assert await current(empty) == 1
    assert await empty.fetchval("SELECT count(*) FROM mark") == 1


async def test_a_file_changed_after_it_was_applied_is_refused_by_name(empty: Connection) -> None:
    await migrate(empty, [ledger(), MARK])
    changed = replace(MARK, sha256="f" * 64)
    with pytest.raises(MigrationRefused, match=r"0001_mark\.sql was changed"):
        await migrate(empty, [ledger(), changed, SECOND])
    assert await current(empty) == 1


async def test_an_older_version_finds_nothing_pending_on_a_newer_schema(empty: Connection) -> None:
    await migrate(empty, [ledger(), MARK, SECOND])
    assert await pending(empty, [ledger(), MARK]) == []


async def test_two_runners_at_once_apply_each_file_once(empty_url: str) -> None:
    runners = [await asyncpg.connect(empty_url) for _ in range(3)]
    done = await asyncio.gather(*(migrate(runner, [ledger(), MARK]) for runner in runners))
    for runner in runners:
        await runner.close()
    assert sorted(len(applied) for applied in done) == [0, 0, 2]


async def test_every_table_is_readable_by_the_gateway_and_written_only_by_grant(
    connection: Connection,
) -> None:
    # The role that answers requests can read the ledger at start and never touch it.
    assert await connection.fetchval("SELECT max(version) FROM schema_migration") is not None
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("DELETE FROM schema_migration")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("CREATE TABLE own (n int)")


def test_the_files_are_numbered_without_a_gap() -> None:
    files = available()
    assert [migration.version for migration in files] == list(range(len(files)))
    assert all(len(migration.sha256) == 64 for migration in files)


@pytest.fixture
async def filled(fresh_database: Database) -> AsyncIterator[Connection]:
    """The owner of a migrated database whose schema a test may change."""
    connection = await asyncpg.connect(fresh_database.owner_url)
    await connection.execute("SET timezone TO 'America/New_York'")
    yield connection
    await connection.close()


async def month(connection: Connection, ahead: int) -> list[str]:
    """The tables of a month."""
    query = """
      SELECT base || to_char(
        date_add(date_trunc('month', now(), 'UTC'), make_interval(months => $1), 'UTC')
        AT TIME ZONE 'UTC', 'YYYYMM')
        FROM unnest(ARRAY['decision_', 'decision_facts_']) AS base
    """
    return [row[0] for row in await connection.fetch(query, ahead)]


async def present(connection: Connection, tables: list[str]) -> list[str]:
    """Those of the tables that exist."""
    query = "SELECT t FROM unnest($1::text[]) AS t WHERE to_regclass(t) IS NOT NULL"
    return [row["t"] for row in await connection.fetch(query, tables)]


async def test_months_ahead_are_made_where_they_are_missing(filled: Connection) -> None:
    tables = [*await month(filled, 0), *await month(filled, 13)]
    await filled.execute("DROP TABLE " + ", ".join(tables))
    assert await make_months(filled) == (4, [])
    assert await present(filled, tables) == tables
    assert await make_months(filled) == (0, [])
    assert await present(filled, await month(filled, 14)) == []


async def test_the_months_of_searches_are_made_with_those_of_decisions(filled: Connection) -> None:
    tables = [
        table.replace("decision", "search")
        for ahead in (0, 13)
        for table in await month(filled, ahead)
    ]
    assert await present(filled, tables) == tables
    await filled.execute("DROP TABLE " + ", ".join(tables))
    assert await make_months(filled) == (4, [])
    assert await present(filled, tables) == tables


async def test_a_month_whose_answers_lie_in_the_default_partition_holds_no_other_up(
    filled: Connection,
) -> None:
    now, later = await month(filled, 0), await month(filled, 1)
    await filled.execute("DROP TABLE " + ", ".join(now + later))
    await filled.execute("INSERT INTO decision_facts VALUES (uuid7_floor(now()), 'sealed')")
    assert await make_months(filled) == (2, [0])
    assert await present(filled, now + later) == later
    assert await filled.fetchval("SELECT count(*) FROM decision_facts") == 1


async def test_an_answer_that_is_being_written_is_not_waited_for_without_end(
    filled: Connection, fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.migrate._LOCK_TIMEOUT", "20ms")
    await filled.execute("DROP TABLE " + ", ".join(await month(filled, 13)))
    writer = await asyncpg.connect(fresh_database.gateway_url)
    async with writer.transaction():
        await writer.execute("INSERT INTO decision_facts VALUES (uuid7_floor(now()), 'sealed')")
        with pytest.raises(MigrationRefused, match="busy"):
            await make_months(filled)
    await writer.close()
    assert await make_months(filled) == (2, [])
