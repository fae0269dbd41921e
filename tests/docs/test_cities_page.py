"""A third city joins by what its page says, word for word, and by nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.local.atlas import SUZHOU
from gateway.local.places import Places
from gateway.recognition.status_fetch import FRESH_US
from tests.docs.commands import follow, up
from tests.docs.pages import ROOT, text

PAGE = ROOT / "docs" / "cities.md"


@pytest.fixture(scope="module")
def two_cities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment in which `make cities` runs."""
    data = tmp_path_factory.mktemp("cities")
    with up(data, "--cities", "330100,330200", folders=("up", "up-ningbo")) as environment:
        yield environment
    Places.of(data / f"up-{SUZHOU.slug}").remove()


@pytest.mark.timeout(600)
def test_a_third_city_joins_and_its_citizen_is_recognised_until_it_is_taken_back(
    two_cities: dict[str, str],
) -> None:
    assert follow(PAGE, two_cities, timeout_s=500) >= 8


def test_the_page_and_the_makefile_bring_the_same_cities_up() -> None:
    (line,) = re.findall(r"^cities:.*\n\t@(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert line == "$(BIN)/qianjiang up --cities 330100,330200"


def test_the_times_that_it_names_are_those_of_the_code() -> None:
    assert f"after {FRESH_US // 1_000_000} s" in text(PAGE)


def test_what_it_asks_for_is_there() -> None:
    scheme = Path(ROOT / "seeds" / "schemes" / "example-delta-2.toml").read_text()
    assert f"[cities.{SUZHOU.code}]" in scheme
