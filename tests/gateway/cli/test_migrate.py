"""The command line says one clear line and no traceback; `migrate` does what its options say."""

import asyncio
import re

import asyncpg
import click
import pytest
from click.testing import CliRunner, Result

from gateway import jobs
from gateway.cli import Commands, main
from gateway.recognition.status_bits import SIZE, raw_from, text_of
from gateway.store.migrate import available
from tests.engines import Database, Engines
from tests.gateway.city import TestCity
from tests.gateway.recognition.home import recognised


def run(*words: str, owner_url: str | None = None) -> Result:
    """The command line as a person calls it."""
    return CliRunner().invoke(main, words, env={"QIANJIANG_OWNER_URL": owner_url})


def failed_plainly(result: Result) -> bool:
    """Exit code 1, one line, no traceback."""
    output = result.output
    return result.exit_code == 1 and output.startswith("Error: ") and output.count("\n") == 1


def test_help_lists_the_commands_that_exist() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert re.search(r"migrate +bring the database up to this version's schema", result.output)


def test_every_command_says_its_purpose_and_can_be_called() -> None:
    assert isinstance(main, Commands)
    for name in main.list_commands(click.Context(main)):
        result = run(name, "--help")
        assert result.exit_code == 0, result.output
        assert re.search(rf"^  {name} +\w+", run("--help").output, re.MULTILINE)


def test_an_unknown_command_is_named() -> None:
    result = run("fly")
    assert result.exit_code == 2
    assert "No such command 'fly'" in result.output


def test_without_an_address_the_setting_is_named() -> None:
    result = run("migrate")
    assert failed_plainly(result)
    assert "QIANJIANG_OWNER_URL" in result.output


@pytest.mark.parametrize(
    "address",
    ["postgresql://qianjiang_owner:hunter2@/x?host=/nowhere", "hunter2", "postgresql://hunter2@["],
)
def test_an_address_that_leads_nowhere_is_one_line_without_its_password(address: str) -> None:
    result = run("migrate", owner_url=address)
    assert failed_plainly(result), result.output
    assert "hunter2" not in result.output


def test_a_current_database_has_nothing_to_do(database: Database) -> None:
    checked = run("migrate", "--check", owner_url=database.owner_url)
    done = run("migrate", owner_url=database.owner_url)
    assert checked.exit_code == done.exit_code == 0
    assert done.output == checked.output == f"schema is at version {available()[-1].version}\n"


def test_an_empty_database_is_behind_and_then_migrated(engines: Engines) -> None:
    empty = engines.clone("template0")
    behind = run("migrate", "--check", owner_url=empty.owner_url)
    done = run("migrate", owner_url=empty.owner_url)
    engines.drop(empty)
    assert behind.exit_code == 1
    assert "run `qianjiang migrate`" in behind.output
    assert done.exit_code == 0
    assert all(f"applied {migration.file}" in done.output for migration in available())


def test_a_current_database_gets_the_months_ahead(fresh_database: Database) -> None:
    asyncio.run(drop_newest_month(fresh_database.owner_url))
    done = run("migrate", owner_url=fresh_database.owner_url)
    assert done.exit_code == 0
    assert "tables made for the months ahead: 2\n" in done.output


async def drop_newest_month(owner_url: str) -> None:
    """As if a month had passed since the database was made."""
    owner = await asyncpg.connect(owner_url)
    for table in ("decision", "decision_facts"):
        newest = await owner.fetchval(
            "SELECT max(c.oid::regclass::text) FROM pg_class AS c JOIN pg_inherits AS i"
            " ON i.inhrelid = c.oid WHERE i.inhparent = $1::text::regclass"
            " AND c.relname ~ '[0-9]{6}$'",
            table,
        )
        await owner.execute(f"DROP TABLE {newest}")
    await owner.close()


async def test_a_restored_database_gets_a_new_generation(database: Database) -> None:
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute("INSERT INTO realm (city) VALUES ('990100')")
    before = await owner.fetchval("SELECT generation FROM realm")
    await restore(database)
    after = await owner.fetchval("SELECT generation FROM realm")
    await owner.close()
    assert before != after


async def test_after_a_restore_nothing_that_was_said_to_other_cities_stands(
    town: TestCity, database: Database
) -> None:
    kept = await recognised(town, await town.citizen())
    await restore(database)
    later = await recognised(town, await town.citizen())
    await jobs.end_recognitions(town.city)
    await jobs.copy_status(town.city)
    ended = "SELECT ended_at IS NOT NULL FROM recognition WHERE id = $1"
    assert [await town.owner.fetchval(ended, each) for each in (kept, later)] == [True, False]
    rows = await town.owner.fetch("SELECT list, lst FROM status_list_copy ORDER BY list")
    whole = [raw_from(text_of(row["lst"])) for row in rows]
    # The list of before, sixteen that may have been opened since, and the one in use.
    assert [each.count(0xFF) * 8 == SIZE for each in whole] == [True] * 17 + [False]


async def restore(database: Database) -> None:
    """Run the command beside this test's event loop, as it runs one of its own."""
    result = await asyncio.to_thread(run, "migrate", "--restored", owner_url=database.owner_url)
    assert result.exit_code == 0
