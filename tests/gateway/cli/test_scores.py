"""`qianjiang scores`: what a department's delivery and a night's publication look like."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import asyncpg
import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.ids import SystemIds
from gateway.keys import write_keys
from gateway.local.people import person
from gateway.local.valkey import Valkey
from tests.engines import Database

HEADER = "id_number,department,code,value,effective,source\n"
GOOD = f"{person(1).id_number},utilities,months_paid_on_time,18,2026-01-01,示例-1\n"
BAD = f"{person(1).id_number},utilities,religion,18,2026-01-01,示例-2\n"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A fresh key file."""
    path = tmp_path / "keys.json"
    write_keys(path, SystemIds())
    return path


def run(database: Database, keys: Path, *words: str, **environment: str) -> Result:
    """The command line as an operator calls it."""
    given = {
        "QIANJIANG_OWNER_URL": database.owner_url,
        "QIANJIANG_KEYS_FILE": str(keys),
        **environment,
    }
    return CliRunner().invoke(main, ["scores", *words], env=given)


def query(database: Database, statement: str) -> int:
    """One number from the database, as its owner."""

    async def fetch() -> int:
        connection = await asyncpg.connect(database.owner_url)
        try:
            return int(await connection.fetchval(statement))
        finally:
            await connection.close()

    return asyncio.run(fetch())


def stored(database: Database) -> int:
    """How many facts are on file."""
    return query(database, "SELECT count(*) FROM fact")


def test_an_import_keeps_good_rows_and_names_bad_ones(
    database: Database, keys: Path, tmp_path: Path
) -> None:
    file, rejects = tmp_path / "facts.csv", tmp_path / "rejects.csv"
    file.write_text(HEADER + GOOD + BAD)
    result = run(database, keys, "import", str(file), "--rejects", str(rejects))
    assert result.exit_code == 0, result.output
    assert "read 2: 1 new, 0 changed, 0 unchanged, 0 repeated, 1 rejected" in result.output
    assert "第十四条" in result.output  # the rule by name, with or without a rejects file
    lines = rejects.read_text().splitlines()
    assert lines[0] == "line,field,reason,rule"
    assert lines[1].startswith("3,code,")
    assert person(1).id_number not in rejects.read_text()
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
    assert stored(database) == 1
    again = run(database, keys, "import", str(file))
    assert "0 new, 0 changed, 1 unchanged" in again.output


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [("facts.csv", GOOD, "id_number"), ("facts.xml", HEADER + GOOD, "jsonl")],
)
def test_a_file_that_is_none_is_refused_in_one_line(
    database: Database, keys: Path, tmp_path: Path, name: str, text: str, said: str
) -> None:
    file = tmp_path / name
    file.write_text(text)
    result = run(database, keys, "import", str(file))
    assert result.exit_code == 1
    assert said in result.output
    assert stored(database) == 0


def test_a_member_of_staff_says_why(database: Database, keys: Path, tmp_path: Path) -> None:
    file = tmp_path / "facts.csv"
    file.write_text(HEADER + GOOD)
    result = run(database, keys, "import", str(file), "--staff", "示例-王")
    assert result.exit_code == 2
    assert "--purpose" in result.output


def test_the_rejects_never_overwrite_what_is_read(
    database: Database, keys: Path, tmp_path: Path
) -> None:
    file = tmp_path / "facts.csv"
    file.write_text(HEADER + GOOD + BAD)
    (tmp_path / "link.csv").symlink_to(file)
    result = run(database, keys, "import", str(file), "--rejects", str(tmp_path / "link.csv"))
    assert result.exit_code == 2
    assert "overwritten" in result.output
    assert file.read_text() == HEADER + GOOD + BAD


def test_without_keys_nothing_is_imported(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "facts.csv"
    file.write_text(HEADER + GOOD)
    result = run(database, tmp_path / "none.json", "import", str(file))
    assert result.exit_code == 1
    assert "keys generate" in result.output
    assert stored(database) == 0


def test_publishing_says_what_changed(database: Database, keys: Path, valkey: Valkey) -> None:
    query(database, "INSERT INTO realm (city) VALUES ('330100') RETURNING 1")
    query(
        database,
        "INSERT INTO fact VALUES ('index', 'enforcement', 'penalty', '示例-1', 'law',"
        " '\"serious\"', '2020-01-01', NULL, '2020-01-01', 'public') RETURNING 1",
    )
    given = {"QIANJIANG_VALKEY_URL": valkey.url}
    result = run(database, keys, "publish", "--as-of", "2026-06-15", **given)
    assert result.exit_code == 0, result.output
    assert "forgotten: 1 negative facts whose use had ended" in result.output
    assert stored(database) == 0
    said = "as of 2026-06-15 by model 2026-01-01: 0 scored, 0 changed, 0 in another band"
    assert said in result.output


def test_before_the_first_model_there_is_nothing_to_publish(
    database: Database, keys: Path, valkey: Valkey
) -> None:
    given = {"QIANJIANG_VALKEY_URL": valkey.url}
    result = run(database, keys, "publish")
    assert (result.exit_code, "--valkey-url" in result.output) == (2, True)
    result = run(database, keys, "publish", **given)
    assert (result.exit_code, "has no city yet" in result.output) == (1, True)
    query(database, "INSERT INTO realm (city) VALUES ('330100') RETURNING 1")
    result = run(database, keys, "publish", "--as-of", "1999-01-01", **given)
    assert result.exit_code == 1
    assert "in force" in result.output


def test_an_address_that_is_wrong_is_named_by_its_setting(keys: Path, tmp_path: Path) -> None:
    file = tmp_path / "facts.csv"
    file.write_text(HEADER + GOOD)
    given = {"QIANJIANG_OWNER_URL": "nonsense", "QIANJIANG_KEYS_FILE": str(keys)}
    done = CliRunner().invoke(main, ["scores", "import", str(file)], env=given)
    assert done.exit_code == 1
    assert "check QIANJIANG_OWNER_URL" in done.output
