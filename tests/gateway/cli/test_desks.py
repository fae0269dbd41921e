"""`qianjiang desks`: opened, listed, printed and closed; one plain line when it fails."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.desks import DeskLinks
from gateway.keys import load_keys
from tests.engines import Database
from tests.gateway.cli.test_parties import failed_plainly, parties_file, run

__all__ = ["parties_file"]  # a fixture that is borrowed

ISSUER = "https://credit.example"


@pytest.fixture
def url(database: Database, parties_file: Path) -> str:  # the fixture of that name
    assert run("parties", "add", str(parties_file), owner_url=database.owner_url).exit_code == 0
    return database.owner_url


@pytest.fixture
def place(tmp_path: Path) -> list[str]:
    """What says where the codes lead."""
    keys = tmp_path / "city.json"
    assert run("keys", "generate", str(keys)).exit_code == 0
    return ["--issuer", ISSUER, "--keys", str(keys)]


def test_a_counter_has_a_number_and_no_printed_code(url: str) -> None:
    done = run("desks", "add", "wheels-north", "北山店柜台（示例）", owner_url=url)
    number = re.fullmatch(r"desk ([1-9][0-9]{5})\n", done.output)
    assert number, done.output
    listed = run("desks", "list", owner_url=url).output
    assert (number[1] in listed, "wheels-north" in listed, "open" in listed) == (True,) * 3
    assert run("desks", "close", number[1], owner_url=url).output == f"closed {number[1]}\n"
    assert "closed" in run("desks", "list", owner_url=url).output
    assert failed_plainly(run("desks", "close", number[1], owner_url=url))
    again = "desks", "add", "wheels-north", "x", "--number", number[1]
    assert failed_plainly(run(*again, owner_url=url)), "a number is never used again"


def test_a_device_has_a_code_to_print(url: str, place: list[str], tmp_path: Path) -> None:
    picture = tmp_path / "bike.svg"
    words = ["--kind", "device", "--scenario", "rent", "--number", "000042", "--qr", str(picture)]
    done = run("desks", "add", "wheels-north", "车 42（示例）", *words, *place, owner_url=url)
    links = DeskLinks(ISSUER, load_keys(Path(place[3])).link)
    assert done.output == f"desk 000042\n{links.link('000042')}\n"
    assert picture.read_text("utf-8").startswith("<svg ")
    listed = run("desks", "list", owner_url=url).output
    assert ("000042" in listed, "rent" in listed) == (True, True)


def test_what_cannot_be_done_is_one_plain_line(url: str, place: list[str]) -> None:
    assert failed_plainly(run("desks", "list"))
    for words in (
        ["nobody", "x"],
        ["wheels-north", "x" * 101],
        ["wheels-north", ""],
        ["wheels-north", "x", "--number", "42"],
        ["wheels-north", "x", "--kind", "device"],
        ["wheels-north", "x", "--purpose", "deposit_free_rental"],
        ["wheels-north", "x", "--qr", "x.svg"],
        ["wheels-north", "x", "--scenario", "rent"],
        ["wheels-north", "x", "--scenario", "library", *place],
        ["wheels-north", "x", "--scenario", "nothing", *place],
        ["wheels-north", "x", "--scenario", "rent", "--purpose", "marketing", *place],
        ["wheels-north", "x", "--scenario", "rent", "--issuer", ISSUER, "--keys", "/nowhere"],
    ):
        assert failed_plainly(run("desks", "add", *words, owner_url=url)), words
    assert "x" not in run("desks", "list", owner_url=url).output.splitlines()[1:]
