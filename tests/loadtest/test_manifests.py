"""Generated scenarios are scenarios: checked, compiled, and agreeing with their own cases."""

from __future__ import annotations

import re
from functools import cache

import pytest

from loadtest import manifests
from scenarios.cases import Cases, differences, parse_cases, uncovered
from scenarios.compiler import Compiled
from scenarios.registry import Registry

#: Each plan of parts twice.
NUMBERS = range(2 * len(manifests.PLANS))

#: Ids that manifests may have, and those that requests may name.
ID_EVERYWHERE = re.compile(r"\A[a-z][a-z0-9]{1,39}\Z")


@cache
def made() -> Registry:
    return manifests.registry(len(NUMBERS), packaged=False)


def compiled(number: int) -> Compiled:
    return made()[manifests.name_of(number)]


def cases(number: int) -> Cases:
    return parse_cases(manifests.cases_text(number))


@pytest.mark.parametrize("number", NUMBERS)
def test_a_generated_scenario_answers_as_its_cases_say(number: int) -> None:
    assert [str(each) for each in differences(compiled(number), cases(number))] == []


@pytest.mark.parametrize("number", NUMBERS)
def test_every_clause_of_it_is_met_in_one_case_and_not_in_another(number: int) -> None:
    assert uncovered(compiled(number), cases(number).cases) == set()


def test_cases_of_another_number_are_noticed() -> None:
    """The negative control: numbers of one plan differ, and the cases see it."""
    other = len(manifests.PLANS)
    assert list(differences(compiled(0), cases(other)))


def test_the_same_number_is_the_same_scenario_in_every_process() -> None:
    again = manifests.registry(len(NUMBERS), packaged=False)
    assert [again[name].revision for name in again] == [made()[name].revision for name in made()]
    assert len({made()[name].revision for name in made()}) == len(NUMBERS)


def test_an_id_is_good_in_manifests_addresses_and_bodies_alike() -> None:
    assert all(ID_EVERYWHERE.match(manifests.name_of(number)) for number in (0, 61, 499))


def test_the_packaged_scenarios_stand_beside_the_generated_ones() -> None:
    names = set(manifests.registry(2))
    assert names > {"rent", "library", "hospital", "points", "recognition"}
    assert names >= {manifests.name_of(0), manifests.name_of(1)}
