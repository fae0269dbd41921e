"""A target is what the rounds say: within its bound met, beyond it not, without rounds neither."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest import targets
from loadtest.notes import NOTES, note
from loadtest.result import Sections
from loadtest.sections import overload, pairs
from loadtest.serving import Spread
from loadtest.stalls.evidence import GC, UNEXPLAINED
from loadtest.targets import Met, Target, computed, verdict
from tests.loadtest import sessions

FIGURES = st.floats(0.001, 1e6)
#: Sections without which a target has no figure, by the beginning of its number.
SECTIONS = {
    "1": "pairs",
    "2": "peers",
    "3": "latency",
    "4": "authzen",
    "5": "flat",
    "5.4": "memory",
    "6": "overload",
    "7": "calls",
    "8.3": "calls",
}


def by_id(sections: Sections) -> dict[str, Target]:
    """The targets of a session by their numbers."""
    return {target.id: target for target in computed(sections)}


@given(FIGURES, FIGURES)
def test_a_figure_keeps_its_bound_on_the_good_side_and_on_no_other(
    figure: float, bound: float
) -> None:
    assert verdict(figure, bound, at_most=True) == ("yes" if figure <= bound else "no")
    assert verdict(figure, bound, at_most=False) == ("yes" if figure >= bound else "no")
    assert verdict(None, bound, at_most=True) == "not measured"
    assert verdict(figure, None, at_most=True) == "not measured"


@given(st.floats(10, 1_000), st.floats(10, 1_000))
def test_a_decision_is_judged_by_the_hello_beside_it(decision: float, hello: float) -> None:
    made = sessions.paired()
    made.rounds.update(
        {
            pairs.UNIFORM: [sessions.a_round(decision, postgres=40)] * 5,
            pairs.HELLO: [sessions.a_round(hello)] * 5,
        }
    )
    target = by_id(Sections(pairs=made))["1.1"]
    assert target.figure == pytest.approx(decision / hello)
    assert target.met == ("yes" if decision / hello <= 1 else "no")
    assert target.reached == ("yes" if decision / hello <= 0.75 else "no")


def test_ratios_are_made_pair_by_pair_and_the_middle_is_judged() -> None:
    made = sessions.paired()
    made.rounds.update({name: [sessions.a_round(50)] * 3 for name in made.rounds})
    # The machine was three times as slow in the second round: for both.
    made.rounds[pairs.UNIFORM] = [sessions.a_round(us) for us in (90, 270, 120)]
    made.rounds[pairs.HELLO] = [sessions.a_round(us) for us in (100, 300, 100)]
    target = by_id(Sections(pairs=made))["1.1"]
    found = [target.least, target.figure, target.greatest]
    assert found == pytest.approx([0.9, 0.9, 1.2])
    assert target.met == "yes"


@given(ours=st.floats(100, 50_000), cerbos=st.floats(100, 50_000))
def test_rates_are_judged_by_the_rival_of_the_same_round(ours: float, cerbos: float) -> None:
    found = by_id(Sections(peers=sessions.rivals(ours=ours, cerbos=cerbos)))
    for number in ("2.1a", "2.1b"):
        assert found[number].figure == pytest.approx(ours / cerbos)
        assert found[number].met == ("yes" if ours / cerbos >= 3.5 else "no")


@given(st.floats(0.01, 3), st.floats(0.1, 200))
def test_overload_is_judged_at_each_multiple(goodput: float, refused_ms: float) -> None:
    found = by_id(Sections(overload=sessions.overloaded(goodput, refused_ms)))
    assert found["6.1a"].met == ("yes" if goodput >= 0.9 else "no")
    assert found["6.1b"].met == ("yes" if goodput >= 0.8 else "no")
    assert found["6.3a"].met == found["6.3b"].met == ("yes" if refused_ms <= 20 else "no")


def test_refusals_that_do_not_say_when_to_come_back_miss_their_target() -> None:
    made = sessions.overloaded()
    loads = [
        msgspec.structs.replace(load, retry_after_s={"2": 5, "none": 1}) for load in made.rounds[0]
    ]
    found = by_id(Sections(overload=msgspec.structs.replace(made, rounds=[loads])))
    assert (found["6.4a"].figure, found["6.4a"].met) == (0, "no")


def test_one_withdrawal_of_many_that_fails_is_not_lost_in_the_mean() -> None:
    made = sessions.overloaded()
    worse = [msgspec.structs.replace(made.rounds[0][0], withdrawn=24), *made.rounds[0][1:]]
    found = by_id(
        Sections(overload=msgspec.structs.replace(made, rounds=[*made.rounds[:4], worse]))
    )
    assert found["6.7"].met == "no"


@pytest.mark.parametrize(
    ("cause", "met"), [(GC, "yes"), (UNEXPLAINED, "no")], ids=["explained", "unexplained"]
)
def test_a_stall_without_a_cause_misses_the_target_and_no_stall_meets_it(
    cause: str, met: Met
) -> None:
    found = by_id(Sections(latency=sessions.open_loop(causes=[GC, cause])))
    assert found["3.2"].met == met
    assert by_id(Sections(latency=sessions.open_loop(causes=[])))["3.2"].met == "yes"


def test_an_answer_without_its_row_is_not_lost_among_all_that_have_theirs() -> None:
    made = sessions.paired()
    made.accounts.append(sessions.account("pairs, once more", missing=1))
    found = by_id(Sections(pairs=made))
    assert found["8.1"].met == "no"
    assert found["8.1"].figure == pytest.approx(1 - 1 / 20_000)


@pytest.mark.parametrize("number", SECTIONS)
def test_what_was_not_measured_has_no_figure_and_no_verdict(number: str) -> None:
    section = SECTIONS[number]
    sections = sessions.whole()
    setattr(sections, section, None)
    silent = [each for each in computed(sections) if each.where == section]
    assert silent
    assert any(each.id.startswith(number) for each in silent)
    for each in silent:
        assert (each.figure, each.met, each.reached) == (None, "not measured", "not measured")


def test_nothing_measured_is_nothing_met() -> None:
    assert {target.met for target in computed(Sections())} == {"not measured"}


def test_everything_measured_leaves_no_target_out() -> None:
    found = computed(sessions.whole())
    assert {target.met for target in found} <= {"yes", "no"}
    assert {target.id[0] for target in found} == set("12345678")
    assert len({target.id for target in found}) == len(found)
    for target in found:
        assert target.wanted is not None or target.reached_for is not None
        assert target.text[0].isupper() or target.text[0] == "p"  # p99 begins small


def test_the_multiples_of_the_targets_are_those_that_are_offered() -> None:
    assert {overload.TWICE, overload.TENFOLD, overload.CALM} == set(overload.MULTIPLES)


def test_notes_are_about_targets_that_exist() -> None:
    numbers = {aim.id for aim in targets.AIMS}
    assert all(number in numbers | {each.rstrip("ab") for each in numbers} for number in NOTES)
    assert note("6.1a") == note("6.1b") == NOTES["6.1"]
    assert note("8.1") == ""


@given(st.lists(FIGURES, min_size=1, max_size=9))
def test_the_figure_lies_between_its_ends(values: list[float]) -> None:
    found = Spread.of(values)
    assert found.least <= found.middle <= found.greatest
