"""`qianjiang cities check`: a table for people, JSON for programs, exit code 1 for both."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.conformance.checks import CHECKS
from gateway.settings import as_environment
from tests.gateway.conformance.town import Country
from tests.pair import Pair, Side


@pytest.fixture
def country() -> Iterator[Country]:
    with Country().open() as opened:
        yield opened


@pytest.fixture
def environment(country: Country, tmp_path: Path) -> dict[str, str]:
    """Of somebody who knows the region and has no keys."""
    pinned = tmp_path / "region.json"
    pinned.write_bytes(country.region.pin())
    return {
        "QIANJIANG_TRUST_LIST_URL": country.region.url,
        "QIANJIANG_TRUST_LIST_KEYS": str(pinned),
        "QIANJIANG_ALLOW_LOOPBACK_HTTP": "true",
    }


def run(environment: dict[str, str], *words: str) -> Result:
    done = CliRunner().invoke(main, ["cities", "check", *words], env=environment)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def test_a_good_city_ends_with_0_and_a_broken_one_with_1_and_the_remedy(
    country: Country, environment: dict[str, str]
) -> None:
    done = run(environment, country.town.issuer)
    assert done.exit_code == 0, done.output
    assert "0 fail" in done.output
    country.town.metadata["issuer"] = "https://elsewhere.example"
    done = run(environment, country.town.issuer + "/")
    assert done.exit_code == 1
    assert "1 fail" in done.output
    assert "→ one spelling" in done.output


def test_programs_read_the_same(country: Country, environment: dict[str, str]) -> None:
    country.town.metadata["issuer"] = "https://elsewhere.example"
    done = run(environment, country.town.issuer, "--json")
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert (told["url"], told["asked_as"], told["failed"]) == (country.town.issuer, None, 1)
    assert [each["name"] for each in told["checks"]] == list(CHECKS)
    (bad,) = [each for each in told["checks"] if each["result"] == "fail"]
    assert bad["name"] == "metadata.issuer"
    assert {"law", "section", "why", "remedy"} <= bad.keys()


def test_what_is_no_city_of_the_list_is_said_once_with_those_that_are(
    country: Country, environment: dict[str, str]
) -> None:
    done = run(environment, "http://127.0.0.1:1")
    assert done.exit_code == 1
    told = " ".join(done.output.split())
    assert f"the list has {country.town.issuer}" in told
    assert "`qianjiang cities list` shows" in told
    assert f"{len(CHECKS) - 2} checks need what was not found above" in done.output
    assert len(done.output.splitlines()) < 12


@pytest.mark.parametrize(
    "url",
    [
        *("city.example", "ftp://city.example", "https://a.example/app", "http://[", ""),
        *("https://a.example:99999", "https://A.example", "https://a.example?x"),
    ],
)
def test_an_issuer_is_wanted(environment: dict[str, str], url: str) -> None:
    done = run(environment, url)
    assert done.exit_code == 1
    assert "https://city.example" in done.output


def test_a_city_of_one_machine_is_looked_at_where_that_is_allowed_and_else_is_told_how(
    country: Country, environment: dict[str, str]
) -> None:
    del environment["QIANJIANG_ALLOW_LOOPBACK_HTTP"]
    done = run(environment, country.town.issuer)
    assert done.exit_code == 1
    assert 'QIANJIANG_ALLOW_LOOPBACK_HTTP=true, or `eval "$(qianjiang operator)"`' in done.output
    assert "entry" not in done.output


def test_a_city_that_is_down_is_told_in_a_few_lines(
    country: Country, environment: dict[str, str]
) -> None:
    country.town.server.shutdown()
    country.town.server.server_close()
    done = run(environment, country.town.issuer)
    assert done.exit_code == 1
    assert "1 fail" in done.output
    assert f"{len(CHECKS) - 4} checks need what was not found above" in done.output
    assert len(done.output.splitlines()) < 16


@pytest.mark.parametrize("name", ["QIANJIANG_TRUST_LIST_URL", "QIANJIANG_TRUST_LIST_KEYS"])
def test_the_region_must_be_known(environment: dict[str, str], name: str) -> None:
    del environment[name]
    done = run(environment, "https://city.example")
    assert done.exit_code == 1
    assert f"set {name}" in done.output


# ------------------------------------------------------------------ this gateway


def as_partner(side: Side) -> dict[str, str]:
    """The environment of a city's operators."""
    return as_environment(side.settings) | {"QIANJIANG_OWNER_URL": side.owner_url}


def told(environment: dict[str, str], side: Side) -> dict[str, Any]:
    done = run(environment, side.base_url, "--json")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def settled(environment: dict[str, str], side: Side) -> dict[str, Any]:
    """The same, once the city has fetched the list as it is now."""
    deadline = time.monotonic() + 20
    while (found := told(environment, side))["failed"] and time.monotonic() < deadline:
        time.sleep(1)
    return found


def test_this_gateway_keeps_every_law_that_a_partner_can_look_at(pair: Pair) -> None:
    for side in (pair.a, pair.b):
        found = settled(as_partner(pair.other(side)), side)
        assert [each for each in found["checks"] if each["result"] == "fail"] == []
        left = {each["name"] for each in found["checks"] if each["result"] == "not checked"}
        # A city that has said nothing of anybody yet has no list.
        assert left <= {name for name in CHECKS if name.startswith("status.")}


def test_and_that_it_can_look_at_itself(pair: Pair) -> None:
    found = told(as_partner(pair.a), pair.a)
    assert (found["failed"], found["asked_as"]) == (0, "330100")


def test_a_partner_of_a_suspended_agreement_gets_nothing_and_is_told_so(pair: Pair) -> None:
    with pair.region.suspended("330200"):
        found = told(as_partner(pair.b), pair.a)
    by_name = {each["name"]: each for each in found["checks"]}
    assert found["failed"] == 0
    assert by_name["asking.push"]["why"].startswith("nothing is open")
