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
    migrate,
    pending,
)
from tests.engines import Engines

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
