"""`qianjiang corrections`: the office's desk, as an operator calls it."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path

import asyncpg
import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.local.people import person
from gateway.local.valkey import Valkey
from gateway.office import Office
from tests.engines import Database
from tests.gateway.city import open_test_city
from tests.gateway.my_data.life import WORDS, life


@pytest.fixture
def request_id(database: Database, valkey: Valkey, tmp_path: Path) -> str:
    """A citizen's request that waits."""

    async def made() -> str:
        owner = await asyncpg.connect(database.owner_url)
        try:
            async with open_test_city(database.gateway_url, owner, valkey.url, tmp_path) as town:
                await town.party(scenarios=("rent", "library"))
                parts = town.city.keys, town.city.clock, town.city.ids
                async with Office(database.owner_url, valkey.url, *parts).open() as office:
                    await life(town, office)
            return str(await owner.fetchval("SELECT id FROM correction_request"))
        finally:
            await owner.close()

    return asyncio.run(made())


def run(database: Database, folder: Path, *words: str) -> Result:
    given = {
        "QIANJIANG_OWNER_URL": database.owner_url,
        "QIANJIANG_KEYS_FILE": str(folder / "keys.json"),
    }
    return CliRunner().invoke(main, ["corrections", *words], env=given)


def act(database: Database, statement: str, *values: object) -> None:
    async def executed() -> None:
        owner = await asyncpg.connect(database.owner_url)
        try:
            await owner.execute(statement, *values)
        finally:
            await owner.close()

    asyncio.run(executed())


STAFF = ("--staff", "示例-王", "--purpose", "更正")


def test_a_list_names_nobody(database: Database, tmp_path: Path, request_id: str) -> None:
    listed = run(database, tmp_path, "list")
    assert listed.exit_code == 0, listed.output
    assert request_id in listed.output
    assert "overdue" not in listed.output
    # Six in the evening, UTC, is the next day in Hangzhou.
    evening = datetime(2026, 3, 1, 18, tzinfo=UTC)
    act(database, "UPDATE correction_request SET received_at = $1", evening)
    assert "2026-03-02" in run(database, tmp_path, "list").output
    for personal in (person(1).name, person(1).id_number, WORDS):
        assert personal not in listed.output
    act(database, "UPDATE correction_request SET due_on = $1", date(2026, 1, 1))
    assert "overdue" in run(database, tmp_path, "list").output


def test_who_reads_or_decides_says_who_and_why(
    database: Database, tmp_path: Path, request_id: str
) -> None:
    for words in (["show", request_id], ["decide", request_id, "refused", "--words", "x"]):
        refused = run(database, tmp_path, *words)
        assert refused.exit_code == 2
        assert "--staff" in refused.output
        assert WORDS not in refused.output


def test_a_request_is_read_in_full_and_decided_once(
    database: Database, tmp_path: Path, request_id: str
) -> None:
    shown = run(database, tmp_path, "show", request_id, *STAFF)
    assert shown.exit_code == 0, shown.output
    for said in (person(1).name, person(1).id_number, WORDS, "about kind: other"):
        assert said in shown.output
    decide = ("decide", request_id, "accepted", "--words", "已更正", *STAFF)
    assert run(database, tmp_path, *decide).exit_code == 0
    again = run(database, tmp_path, *decide)
    assert again.exit_code == 1
    assert "accepted" in again.output
    assert request_id not in run(database, tmp_path, "list").output


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("show", "00000000-0000-0000-0000-000000000001", *STAFF), 1),
        (("show", "not-an-id", *STAFF), 2),
        (("decide", "00000000-0000-0000-0000-000000000001", "perhaps", *STAFF), 2),
    ],
)
def test_what_is_not_there_is_told_in_one_line(
    database: Database, tmp_path: Path, request_id: str, words: tuple[str, ...], code: int
) -> None:
    result = run(database, tmp_path, *words)
    assert result.exit_code == code
    assert "Traceback" not in result.output


def test_a_decision_without_words_is_none(
    database: Database, tmp_path: Path, request_id: str
) -> None:
    result = run(database, tmp_path, "decide", request_id, "refused", "--words", " ", *STAFF)
    assert result.exit_code == 2
    assert request_id in run(database, tmp_path, "list").output
