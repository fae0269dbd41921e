"""`qianjiang staff`: accounts at a party's counter, one plain line when something fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from tests.engines import Database
from tests.gateway.cli.test_parties import PARTIES, failed_plainly, new_key

ISSUER = "https://qjf.example"


@pytest.fixture
def url(database: Database, tmp_path: Path) -> str:
    """The owner's database with one party."""
    table = ", ".join(f'{k} = "{v}"' for k, v in new_key(tmp_path, "first.jwk").items())
    path = tmp_path / "parties.toml"
    path.write_text(PARTIES % f"{{ {table} }}")
    environment = {"QIANJIANG_OWNER_URL": database.owner_url}
    added = CliRunner().invoke(main, ["parties", "add", str(path)], env=environment)
    assert added.exit_code == 0, added.output
    return database.owner_url


LOGIN = "zhang.xiao-ming.of.the.shop-by-the-long-bridge"


@pytest.mark.parametrize("width", ["40", "80"])
def test_what_is_copied_is_whole_in_a_narrow_terminal(url: str, width: str) -> None:
    assert (
        run(url, "add", "wheels-north", LOGIN, "--name", "一位名字很长很长的工作人员" * 3).exit_code
        == 0
    )
    environment = {"QIANJIANG_OWNER_URL": url, "COLUMNS": width}
    listed = CliRunner().invoke(main, ["staff", "list"], env=environment).output
    assert LOGIN in listed
    assert "wheels-north" in listed
    assert "…" not in listed


def run(url: str | None, *words: str) -> Result:
    environment = {"QIANJIANG_OWNER_URL": url, "QIANJIANG_ISSUER": ISSUER}
    return CliRunner().invoke(main, ["staff", *words], env=environment)


def test_an_account_is_opened_listed_stopped_and_ended(url: str) -> None:
    added = run(url, "add", "wheels-north", "li.na", "--name", "李娜")
    assert added.stdout.startswith(f"{ISSUER}/counter/enrol#")
    assert len(added.stdout.strip().partition("#")[2]) == 32
    listed = run(url, "list").output
    assert "li.na" in listed
    assert "李娜" in listed
    assert "li.na" not in run(url, "list", "--party", "another").output
    assert run(url, "suspend", "li.na").output == "suspended li.na\n"
    assert run(url, "resume", "li.na").output == "resumed li.na\n"
    again = run(url, "reset", "li.na")
    assert again.stdout.startswith(f"{ISSUER}/counter/enrol#")
    assert again.stdout != added.stdout
    assert run(url, "close", "li.na").output == "closed li.na\n"
    assert "closed" in run(url, "list").output


def test_what_cannot_be_done_is_one_plain_line(url: str) -> None:
    assert run(url, "add", "wheels-north", "li.na", "--name", "李娜").exit_code == 0
    assert run(url, "close", "li.na").exit_code == 0
    for words in (
        ("add", "nobody", "wang.wei", "--name", "王伟"),
        ("add", "wheels-north", "li.na", "--name", "another"),
        ("add", "wheels-north", "Li Na", "--name", "李娜"),
        ("add", "wheels-north", "li", "--name", "李娜"),
        ("add", "wheels-north", "wang.wei", "--name", " "),
        ("add", "wheels-north", "wang.wei", "--name", "x" * 41),
        ("add", "wheels-north", "wang.wei", "--name", "a\nb"),
        ("suspend", "li.na"),
        ("resume", "li.na"),
        ("reset", "li.na"),
        ("close", "li.na"),
        ("suspend", "nobody"),
        ("reset", "nobody"),
    ):
        assert failed_plainly(run(url, *words)), words
    assert failed_plainly(run(None, "list"))
