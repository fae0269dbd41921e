"""The five rules agree with their cases, and the cases are sharp enough to notice a change."""

from __future__ import annotations

from functools import cache

import msgspec
import pytest

from scenarios.cases import Cases, differences, parse_cases, uncovered
from scenarios.registry import load_cases
from tests.scenarios.mutants import mutants
from tests.scenarios.worlds import NAMES, PACKAGED, compiled, packaged


@cache
def cases_of(name: str) -> Cases:
    return load_cases(PACKAGED / name)


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_answers_as_its_cases_say(name: str) -> None:
    found = [str(difference) for difference in differences(packaged()[name], cases_of(name))]
    assert found == []


@pytest.mark.parametrize("name", NAMES)
def test_every_clause_is_met_in_one_case_and_not_in_another(name: str) -> None:
    assert uncovered(packaged()[name], cases_of(name).cases) == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_outcome_is_shown_and_every_case_is_named_once(name: str) -> None:
    cases = cases_of(name).cases
    names = [case.name for case in cases]
    assert len(names) == len(set(names)) >= 12
    assert {case.outcome for case in cases} == {"eligible", "standard_path", "cannot_assess"}


@pytest.mark.parametrize("name", NAMES)
def test_the_cases_notice_every_small_change_of_the_rule(name: str) -> None:
    """A clause dropped, an edge moved by one, a figure moved by one or by a day."""
    changes = list(mutants(packaged()[name].manifest))
    unnoticed = [
        what for what, mutant in changes if not any(differences(compiled(mutant), cases_of(name)))
    ]
    assert len(changes) > len(packaged()[name].manifest.clauses)
    assert unnoticed == []


def test_cases_without_their_edges_would_not_notice() -> None:
    """The negative control of the test above: the edges are what makes the cases sharp."""
    right = cases_of("rent")
    blunt = msgspec.structs.replace(
        right, cases=tuple(case for case in right.cases if not case.name.startswith("exactly"))
    )
    unnoticed = [
        what
        for what, mutant in mutants(packaged()["rent"].manifest)
        if not any(differences(compiled(mutant), blunt))
    ]
    assert "clause exposure: le shifted" in unnoticed


@pytest.mark.parametrize("name", NAMES)
def test_cases_that_never_fail_a_clause_are_found_out(name: str) -> None:
    cases = cases_of(name).cases
    for clause in packaged()[name].clauses:
        blunt = [case for case in cases if clause.id not in case.unmet]
        assert clause.id in uncovered(packaged()[name], blunt)


def test_a_wrong_case_is_told_with_both_answers() -> None:
    right = cases_of("rent")
    wrong = msgspec.structs.replace(right.cases[0], outcome="eligible", unmet=())
    cases = msgspec.structs.replace(right, cases=(wrong,))

    (difference,) = differences(packaged()["rent"], cases)

    assert str(difference).endswith(
        "eligible (all met) was written, standard_path (known) answered."
    )


@pytest.mark.parametrize(
    "text",
    [
        "[baseline]\nat = 2026-01-01T00:00:00\nvalues = {}\nfacts = {}\ncases = []",
        "[baseline]\nat = 2026-01-01T00:00:00Z\nvalues = { bnad = 1 }\nfacts = {}\n"
        + "[[cases]]\nname = 'a'\noutcome = 'eligible'\n" * 12,
        "[baseline]\nat = 2026-01-01T00:00:00Z\nvalues = {}\nfacts = {}\n"
        + "[[cases]]\nname = 'a'\noutcome = 'refused'\n" * 12,
        "[baseline]\nat = 2026-01-01T00:00:00Z\nvalues = {}\nfacts = {}\n"
        + "[[cases]]\nname = 'a'\noutcome = 'eligible'\n" * 11,
    ],
    ids=["a time without zone", "a misspelt value", "an unknown outcome", "eleven cases"],
)
def test_cases_that_would_prove_nothing_are_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        parse_cases(text)
