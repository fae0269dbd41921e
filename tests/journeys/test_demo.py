"""The demo's table is true, and a difference is told."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli._played import judge, wanted
from gateway.local.between import LAPSE_S, Between
from gateway.local.day import Day, Played, differences
from gateway.local.places import Places
from gateway.local.seeds import Seeds, between_cities, load_seeds, published_schemes
from gateway.local.steps import Step
from gateway.local.troupe import Player
from scenarios.contract import Outcome
from scenarios.scheme_text import parse_scheme

SCENARIOS = {"rent", "library", "hospital", "points", "recognition"}


@pytest.mark.nightly  # by day `.ci/run` does it: `make demo`, twice
@pytest.mark.timeout(400)
def test_the_day_goes_as_the_seeds_say_again_and_again(tmp_path: Path) -> None:
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-m", "gateway.cli", "demo", "--citizens", "20"],
            env={**os.environ, "QIANJIANG_DATA": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr
        assert f"{len(load_seeds().day)} steps as expected" in done.stdout
        assert f"{len(between_cities())} steps between the cities as expected" in done.stdout
        (seconds,) = re.findall(r"taken back at home: over after ([0-9.]+) s", done.stdout)
        assert 0 < float(seconds) < LAPSE_S
    for folder in ("demo", "demo-ningbo"):
        Places.of(tmp_path / folder).remove()


def test_the_day_plays_every_scenario_with_its_example_both_ways() -> None:
    """At least one persona is eligible and one goes the ordinary way, for the very facts that a
    scenario's own description offers."""
    seen = {
        (step.scenario, step.expected)
        for step in load_seeds().day
        if step.act == "ask" and step.facts is None
    }
    assert seen >= {(scenario, "eligible") for scenario in SCENARIOS}
    assert seen >= {(scenario, "standard_path") for scenario in SCENARIOS}


def test_the_day_has_thirty_questions_and_a_withdrawal_in_the_middle() -> None:
    day = load_seeds().day
    assert sum(step.act == "ask" for step in day) >= 30
    withdrawn = next(n for n, step in enumerate(day) if step.act == "withdraw")
    before, after = day[withdrawn - 1], day[withdrawn + 1]
    assert (before.persona, before.party) == (after.persona, after.party)
    assert (before.expected, after.expected) == ("eligible", "standard_path")


def _step(**given: str) -> Step:
    base = {"at": "08:00", "act": "ask", "persona": "lin", "zh": "例", "en": "example"}
    return Step(**(base | {"expected": "eligible"} | given))  # type: ignore[arg-type]  # literals


def test_another_outcome_is_a_difference() -> None:
    fine = Played(_step(), "eligible", 1.0, "id")
    wrong = Played(_step(), "standard_path", 1.0, "id")
    failed = Played(_step(act="sign", expected=""), "failed", trouble="no device")
    again = Played(_step(again="standard_path"), "standard_path", 1.0, "id")
    assert differences([fine, wrong, failed, again]) == [wrong, failed]


def test_a_difference_a_failed_step_or_a_missing_record_ends_the_demo_badly() -> None:
    fine = Played(_step(), "eligible", 1.0, "id")
    one_record = {("rent", int(Outcome.ELIGIBLE)): 1}
    assert judge([fine], one_record) is None
    assert "1 of 1" in str(judge([Played(_step(), "standard_path", 1.0, "id")], one_record))
    assert "0 records" in str(judge([fine], {}))
    assert "2 records" in str(judge([fine], {("rent", int(Outcome.ELIGIBLE)): 2}))


def test_records_of_what_a_home_city_decides_and_of_questions_before_the_last_are_wanted_too() -> (
    None
):
    came = Played(_step(act="visit", expected="arrived"), "arrived", more=2)
    lapsed = Played(_step(act="lapse", expected="standard_path"), "standard_path", 9.0, "id", "", 3)
    totals = {("rent", int(Outcome.ELIGIBLE)): 5}
    assert "6 answers, but 5 records" in str(judge([came, lapsed], totals))
    assert judge([came, lapsed], totals | {("library", int(Outcome.STANDARD_PATH)): 1}) is None


def test_between_cities_everybody_is_played_in_both_directions() -> None:
    steps = between_cities()
    homes = {step.persona: step.home for step in steps if step.home}
    for home, visited in (("330200", "330100"), ("330100", "330200")):
        seen = {
            (step.act, step.scenario, step.expected)
            for step in steps
            if step.city == visited and homes[step.persona] == home
        }
        assert seen >= {
            ("visit", "", "arrived"),
            ("visit", "", "nothing_open"),
            ("turn_back", "", "declined"),
            ("ask", "library", "eligible"),
            ("ask", "rent", "eligible"),
            ("ask", "rent", "standard_path"),
        }
    assert [step.act for step in steps].count("lapse") == 1


def test_the_limit_is_the_schemes_to_the_fen() -> None:
    asked = {
        step.expected: step.facts["deposit_fen"]
        for step in between_cities()
        if step.facts and not step.again
    }
    ((name, raw),) = [each for each in published_schemes() if each[0] == "example-delta-2.toml"]
    limit = parse_scheme(raw, name).limits["rent"].fen["T1"]
    assert asked == {"eligible": limit, "standard_path": limit + 1}


def test_a_visit_that_does_not_come_about_is_a_difference_and_the_rest_is_still_played() -> None:
    steps = [step for step in between_cities() if step.act in ("visit", "take_back")]
    with Player("people") as people:
        play = Between(steps, {}, {"330100": people, "330200": people}, lambda _: None)
        played = list(play.play(0))
    assert len(differences(played)) == len(steps)
    assert {wanted(row.step) for row in played} == {"arrived", "nothing_open", "take_back"}


def test_a_player_that_fails_is_heard() -> None:
    seeds = load_seeds()
    with Player("counter") as counter, Player("people") as people:
        day = Day(Seeds(seeds.parties, (), seeds.personas, (), seeds.day[:1]), {}, counter, people)
        (played,) = day.play(0)
    assert played.actual == "failed"
    assert "never learnt a name" in played.trouble
