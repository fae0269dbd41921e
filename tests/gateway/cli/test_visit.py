"""`qianjiang visit`: what pages do between two cities, as one command."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.local import upfile
from gateway.local.between import LAPSE_S
from tests.engines import Database
from tests.pair import Pair


@pytest.fixture
def up(pair: Pair, tmp_path: Path) -> Path:
    """The up.json of the city that is visited."""
    file = tmp_path / upfile.NAME
    upfile.write(file, pair.a.up)
    return file


def visit(up: Path, *words: str) -> Result:
    done = CliRunner().invoke(main, ["visit", *words, "--home", "330200", "--up", str(up)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


@pytest.mark.timeout(180)
def test_a_citizen_visits_is_answered_and_ends_it_at_home(pair: Pair, up: Path) -> None:
    done = visit(up, pair.b.person(band=4), "--take-back")
    assert done.exit_code == 0, done.output
    told = done.stdout.splitlines()
    assert [line.rpartition(": ")[2].partition(",")[0] for line in told] == [
        *("arrived", "granted", "signed", "eligible", "withdrawn", "standard_path"),
    ]
    (seconds,) = re.findall(r", ([0-9.]+) s after the withdrawal$", told[-1])
    assert float(seconds) < LAPSE_S


def test_another_party_and_scenario_may_be_named(pair: Pair, up: Path) -> None:
    login = pair.b.person(band=4)
    done = visit(up, login, "--scenario", "rent", "--party", "example-cameras")
    assert done.exit_code == 0, done.output
    assert "example-cameras asks about rent: eligible" in done.stdout


def test_whom_the_home_city_says_nothing_of_is_told_where_to_look(pair: Pair, up: Path) -> None:
    done = visit(up, pair.b.person(band=2))
    assert done.exit_code == 1
    assert done.stdout.endswith("nothing_open\n")
    assert "/app/recognition/" in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--scenario", "parking"), "they ask about "),
        (("--scenario", "hospital"), "open are library, rent"),
        (("--party", "example-nobody"), "there are: "),
        (
            ("--party", "example-cameras"),
            "example-cameras does not ask about 'library'; there ask: example-library-main",
        ),
    ],
)
def test_who_asks_must_be_there(up: Path, words: tuple[str, ...], told: str) -> None:
    done = visit(up, "somebody", *words)
    assert done.exit_code == 1
    assert told in done.stderr


@pytest.mark.parametrize(
    ("home", "told"),
    [
        ("330300", "not in the region's list; besides 330100 it has 330200 宁波（示例）"),
        ("330100", "is the visited city itself"),
        ("3303", "is no city: six digits"),
    ],
)
def test_a_home_city_from_which_nobody_can_come_is_refused_with_those_there_are(
    up: Path, home: str, told: str
) -> None:
    done = CliRunner().invoke(main, ["visit", "somebody", "--home", home, "--up", str(up)])
    assert done.exit_code == 1
    assert told in done.stderr


def test_a_person_who_is_not_there_is_named_with_those_who_are(
    up: Path, pair: Pair, tmp_path: Path
) -> None:
    assert "nobody signs in as 'nobody-here'" in visit(up, "nobody-here").stderr
    home = tmp_path / "up-ningbo" / upfile.NAME
    home.parent.mkdir()
    upfile.write(home, pair.b.up)
    words = ["visit", "nobody-here", "--home", "330200", "--up", str(up)]
    done = CliRunner().invoke(main, words, env={"QIANJIANG_DATA": str(tmp_path)})
    assert "nobody at 330200 signs in as 'nobody-here'; there are: yu, bao" in done.stderr


def test_a_home_city_that_has_not_admitted_the_visited_one_is_named_with_the_command(
    up: Path, pair: Pair, tmp_path: Path, database: Database
) -> None:
    home = tmp_path / "up-ningbo" / upfile.NAME
    home.parent.mkdir()
    assert pair.b.up.operator is not None
    words = ["visit", "nobody-here", "--home", "330200", "--up", str(up)]
    nobody = upfile.UpPersona("nobody-here", {}, {})
    for owner_url, told in (
        (database.owner_url, "330200 has not admitted 330100"),
        # Whose books cannot be read is not spoken of; the player asks the city itself.
        ("postgresql://nobody@/none?host=/nowhere", "nobody signs in as 'nobody-here'"),
        (pair.b.owner_url, "nobody signs in as 'nobody-here'"),
    ):
        operator = msgspec.structs.replace(pair.b.up.operator, owner_url=owner_url)
        made = msgspec.structs.replace(pair.b.up, operator=operator, personas=[nobody])
        upfile.write(home, made)
        done = CliRunner().invoke(main, words, env={"QIANJIANG_DATA": str(tmp_path)})
        assert done.exit_code == 1
        assert told in done.stderr
        assert ("`qianjiang cities admit 330100`" in done.stderr) is ("admitted" in told)


def test_a_city_without_a_region_is_visited_by_nobody(up: Path, pair: Pair, tmp_path: Path) -> None:
    assert pair.a.up.operator is not None
    operator = msgspec.structs.replace(pair.a.up.operator, trust_list_url="")
    upfile.write(up, msgspec.structs.replace(pair.a.up, operator=operator))
    assert "`make cities` brings up two" in visit(up, "somebody").stderr
