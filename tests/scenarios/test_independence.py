"""`cannot_assess` says something of the party or the gateway, and never of the citizen."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.compiler import Compiled
from scenarios.contract import Outcome, Values
from scenarios.shapes import Names, reads_of
from scenarios.units import STANDING
from tests.scenarios import strategies as some
from tests.scenarios.worlds import NAMES, compiled, facts_of, packaged, sample, us

PARTY = ("party_city", "party_community")
QUICK = settings(max_examples=40, deadline=None)


def _of_another_citizen(values: Values, other: Values) -> Values:
    """Another citizen before the same party."""
    kept = {name: getattr(values, name) for name in PARTY}
    return msgspec.structs.replace(other, **kept)


def _broken_facts(scenario: Compiled, t: int) -> st.SearchStrategy[dict[str, Any]]:
    """The example without some facts, or with times around `t`."""
    example = scenario.manifest.example_at(t)
    times = {name for name, value in scenario.manifest.example.items() if isinstance(value, dict)}
    choices = {
        name: some.near_times(t) if name in times else st.just(value)
        for name, value in example.items()
    }
    return st.fixed_dictionaries({}, optional=choices)


@QUICK
@pytest.mark.parametrize("name", [*NAMES, "sample"])
@given(data=st.data(), t=some.instants())
def test_whether_it_can_be_assessed_is_the_same_for_every_citizen(
    name: str, data: st.DataObject, t: int
) -> None:
    scenario = compiled(sample()) if name == "sample" else packaged()[name]
    one = data.draw(some.values(t))
    other = _of_another_citizen(one, data.draw(some.values(t)))
    facts = facts_of(scenario, **data.draw(_broken_facts(scenario, t)))

    first, second = (scenario.decide(values, facts, t).outcome for values in (one, other))

    assert (first is Outcome.CANNOT_ASSESS) == (second is Outcome.CANNOT_ASSESS)


@QUICK
@given(values=some.values(us("2026-11-02T10:00:00Z")))
@pytest.mark.parametrize("name", NAMES)
def test_a_stranger_never_learns_that_nobody_is_there(name: str, values: Values) -> None:
    """A name that opens to nobody answers as a citizen without consent does."""
    scenario = packaged()[name]
    t = us("2026-11-02T10:00:00Z")
    facts = facts_of(scenario, **scenario.manifest.example_at(t))
    without = msgspec.structs.replace(values, consent=False)
    nobody = Values(**{name: getattr(values, name) for name in PARTY})

    assert scenario.decide(without, facts, t).outcome is scenario.decide(nobody, facts, t).outcome


@pytest.mark.parametrize("name", NAMES)
def test_a_clause_that_cannot_assess_reads_nothing_of_the_citizen(name: str) -> None:
    manifest = packaged()[name].manifest
    for clause in manifest.clauses:
        if clause.fails == "cannot_assess":
            assert reads_of(clause.when, Names.of(manifest)).isdisjoint(STANDING)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_declared_does_not_reach_the_answer(name: str) -> None:
    """Values outside `reads` may be anything: the verdict is the same to the last bit."""
    scenario = packaged()[name]
    t = us("2026-11-02T10:00:00Z")
    facts = facts_of(scenario, **scenario.manifest.example_at(t))
    plain = Values(known=True, consent=True)
    strange = Values(
        known=True,
        consent=True,
        band=5,
        commitment=True,
        waived_fen=7,
        visit_limit_fen=7,
        medical_used_fen=7,
        loans_open=7,
        loans_overdue=7,
        points_balance=7,
        residency=("x",),
        cards=("x",),
        stock=7,
        party_city="999999",
        party_community="x",
    )
    declared = {name: getattr(plain, name) for name in scenario.reads}

    verdict = scenario.decide(msgspec.structs.replace(strange, **declared), facts, t)

    assert verdict == scenario.decide(plain, facts, t)
