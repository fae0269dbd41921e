"""The compiled rule says what the manifest says, and says truly how long that holds."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.compiler import Compiled
from scenarios.contract import FOREVER_US, Outcome, Values, Verdict
from scenarios.manifest import Clause
from scenarios.shapes import Names, check_test
from tests.scenarios import strategies as some
from tests.scenarios.interpreter import World, decide
from tests.scenarios.worlds import (
    CALENDAR,
    clause,
    compiled,
    facts_of,
    packaged,
    sample,
    us,
    with_clauses,
)

QUICK = settings(max_examples=100, deadline=None)


class Question(msgspec.Struct):
    """A random scenario, citizen, facts and instant, and another instant to ask again at."""

    clauses: list[Clause]
    values: Values
    facts: dict[str, Any]
    t: int
    seed: int


@st.composite
def questions(draw: st.DrawFn) -> Question:
    t = draw(some.instants())
    return Question(
        clauses=draw(some.clauses()),
        values=draw(some.values(t)),
        facts=draw(some.sample_facts(t)),
        t=t,
        seed=draw(st.integers(0, 2**64)),
    )


def _stands(
    scenario: Compiled, values: Values, facts: msgspec.Struct, verdict: Verdict, seed: int
) -> bool:
    """Whether asking again inside of the interval gives the same answer and reasons."""
    inside = verdict.since_us + seed % (verdict.until_us - verdict.since_us)
    instants = (verdict.since_us, inside, verdict.until_us - 1)
    again = [scenario.decide(values, facts, t) for t in instants]
    return all((one.outcome, one.met) == (verdict.outcome, verdict.met) for one in again)


def _unmet(scenario: Compiled, verdict: Verdict) -> set[str]:
    return {info.id for info in scenario.unmet(verdict)}


@QUICK
@given(questions())
def test_a_compiled_rule_answers_as_the_manifest_reads_for_all_of_its_interval(
    question: Question,
) -> None:
    manifest = with_clauses(*question.clauses)
    scenario = compiled(manifest)
    facts = facts_of(scenario, **question.facts)

    verdict = scenario.decide(question.values, facts, question.t)

    world = World(manifest, CALENDAR, question.values, facts, question.t)
    assert (verdict.outcome, _unmet(scenario, verdict)) == decide(world)
    assert question.values.since_us <= verdict.since_us <= question.t
    assert question.t < verdict.until_us <= question.values.until_us
    assert _stands(scenario, question.values, facts, verdict, question.seed)
    for asked in question.clauses:
        check_test(asked.when, Names.of(manifest))  # what is drawn is well typed


@settings(QUICK, max_examples=40)
@given(st.data(), some.instants())
def test_the_sample_with_every_form_agrees_with_its_reading(data: st.DataObject, t: int) -> None:
    scenario = compiled(sample())
    values = data.draw(some.values(t))
    facts = facts_of(scenario, **data.draw(some.sample_facts(t)))

    verdict = scenario.decide(values, facts, t)

    world = World(sample(), CALENDAR, values, facts, t)
    assert (verdict.outcome, _unmet(scenario, verdict)) == decide(world)


@pytest.mark.parametrize(
    ("asked", "blind"),
    [
        ({"gt": ["fact.due", "now"]}, {"cuts": ()}),
        ({"within": {"time": "fact.due", "at_most_days": "param.span"}}, {"cuts": ()}),
        ({"working_day": "now"}, {"clocks": ()}),
        ({"between": ["now", "param.opens", "18:00"]}, {"clocks": (0,)}),
        ({"ge": ["standing.band", "param.floor"]}, {"until_us": FOREVER_US}),
    ],
    ids=["a time", "a span", "a day", "an hour", "a parameter"],
)
def test_an_interval_that_overlooks_a_turn_is_found_out(
    asked: dict[str, Any], blind: dict[str, Any]
) -> None:
    """The negative control of the property above: a compiler that forgets one kind of turn."""
    scenario = compiled(with_clauses(clause(asked)))
    sound, unsound = scenario, _blinded(scenario, blind)
    facts = facts_of(
        scenario, amount=1, place="a", where="330100", due="2026-01-20T08:00:00Z", urgent=True
    )
    values, t = Values(known=True, consent=True, band=2), us("2026-01-15T12:00:00+08:00")

    assert _stands(sound, values, facts, sound.decide(values, facts, t), seed=0)
    assert not _stands(unsound, values, facts, unsound.decide(values, facts, t), seed=0)


def _blinded(scenario: Compiled, blind: dict[str, Any]) -> Compiled:
    """The scenario without something that bounds its verdicts."""
    programs = []
    for program in scenario.programs:
        if "cuts" in blind:
            rules = tuple(msgspec.structs.replace(rule, **blind) for rule in program.rules)
            programs.append(msgspec.structs.replace(program, rules=rules))
        else:
            programs.append(msgspec.structs.replace(program, **blind))
    return msgspec.structs.replace(scenario, programs=tuple(programs))


def test_clauses_are_in_the_order_of_their_bits() -> None:
    for scenario in packaged().values():
        named = [info.id for info in scenario.clauses]
        assert named[:6] == ["known", "consent", "used_up", "probed", "suspended", "objected"]
        assert named[6:8] == ["recognised", "inputs"]
        assert named[8:] == [clause.id for clause in scenario.manifest.clauses]


@pytest.mark.parametrize(
    ("t", "since", "until"),
    [
        ("2026-01-05T10:00:00+08:00", "2026-01-05T08:30:00+08:00", "2026-01-05T18:00:00+08:00"),
        ("2026-01-05T08:29:59+08:00", "2026-01-05T00:00:00+08:00", "2026-01-05T08:30:00+08:00"),
        ("2026-01-05T18:00:00+08:00", "2026-01-05T18:00:00+08:00", "2026-01-06T00:00:00+08:00"),
    ],
)
def test_hours_of_the_day_bound_the_interval(t: str, since: str, until: str) -> None:
    scenario = compiled(with_clauses(clause({"between": ["now", "param.opens", "18:00"]})))

    verdict = scenario.decide(Values(), facts_of(scenario), us(t))

    assert (verdict.since_us, verdict.until_us) == (us(since), us(until))


def test_a_change_of_a_parameter_ends_the_interval_before_it() -> None:
    scenario = compiled(with_clauses(clause({"ge": ["standing.band", "param.floor"]})))
    facts = facts_of(scenario, amount=1, place="a", where="330100", due="2027-01-01T00:00:00Z")
    change = us("2026-02-01T00:00:00+08:00")

    before = scenario.decide(Values(band=2), facts, change - 1)
    after = scenario.decide(Values(band=2), facts, change)

    assert (before.until_us, after.since_us, after.until_us) == (change, change, FOREVER_US)
    assert "c" not in _unmet(scenario, before)
    assert "c" in _unmet(scenario, after)


def test_a_time_fact_bounds_the_interval_exactly() -> None:
    scenario = compiled(with_clauses(clause({"gt": ["fact.due", "now"]})))
    due = us("2026-02-10T12:00:00+08:00")
    facts = facts_of(scenario, due="2026-02-10T12:00:00+08:00")

    before = scenario.decide(Values(), facts, due - 5)
    after = scenario.decide(Values(), facts, due)

    assert (before.until_us, after.since_us) == (due, due)


def test_a_time_at_the_ends_of_what_can_be_written_is_no_error() -> None:
    scenario = compiled(sample())
    for due in ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"):
        verdict = scenario.decide(Values(), facts_of(scenario, due=due), us("2026-01-15T00:00:00Z"))
        assert verdict.outcome is Outcome.CANNOT_ASSESS


def test_every_clause_is_answered_even_where_the_first_one_decides() -> None:
    scenario = packaged()["rent"]
    t = us("2026-11-02T10:00:00+08:00")
    facts = facts_of(scenario, **scenario.manifest.example_at(t))

    verdict = scenario.decide(Values(consent=False, known=True, band=5, commitment=True), facts, t)

    assert _unmet(scenario, verdict) == {"consent"}


def test_a_question_outside_the_calendar_cannot_be_assessed() -> None:
    scenario = compiled(with_clauses(clause({"working_day": "now"})))
    facts = facts_of(
        scenario, amount=1, place="a", where="330100", due="2027-01-01T00:00:00Z", urgent=True
    )
    end = us("2026-02-21T00:00:00+08:00")

    inside = scenario.decide(Values(known=True, consent=True), facts, end - 1)
    outside = scenario.decide(Values(known=True, consent=True), facts, end)

    assert (inside.outcome, inside.until_us) == (Outcome.ELIGIBLE, end)
    assert (outside.outcome, outside.since_us) == (Outcome.CANNOT_ASSESS, end)
