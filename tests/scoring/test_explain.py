"""The citizen is told what counted, what did not, and what would truly help."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import Aside, Fact, Merit, explain, score
from scoring.explain import Explanation
from scoring.explain import _step as step
from tests.scoring.people import CATALOGUE, MODEL, TODAY, fact_of, files, penalty, row


def told(on_file: list[Fact], leave_out: frozenset[Merit] = frozenset()) -> Explanation:
    """The explanation of today's score."""
    return explain(on_file, MODEL, CATALOGUE, TODAY, leave_out)


@given(files(), st.frozensets(st.sampled_from(Merit)))
def test_the_lines_sum_to_the_score_and_every_fact_is_told_about(
    on_file: list[Fact], leave_out: frozenset[Merit]
) -> None:
    explanation = told(on_file, leave_out)
    assert explanation.score == score(on_file, MODEL, TODAY, leave_out).score
    assert sum(line.points for line in explanation.lines) == explanation.score
    counted = [line for line in explanation.lines if line.source is not None]
    assert len(counted) + len(explanation.not_counted) == len(set(on_file))
    assert all(line.words.zh and line.words.en for line in explanation.lines)


@given(files(), st.frozensets(st.sampled_from(Merit)))
def test_help_is_only_ever_a_gain_and_best_first(
    on_file: list[Fact], leave_out: frozenset[Merit]
) -> None:
    gains = [advice.points for advice in told(on_file, leave_out).helps]
    assert all(gain > 0 for gain in gains)
    assert gains == sorted(gains, reverse=True)


@given(files(), st.frozensets(st.sampled_from(Merit)))
def test_what_is_promised_is_what_scoring_all_facts_once_more_would_give(
    on_file: list[Fact], leave_out: frozenset[Merit]
) -> None:
    before = score(on_file, MODEL, TODAY, leave_out)
    counting = [factor.fact for factor in before.factors if factor.fact is not None]
    gains = {}
    for term in MODEL.terms.values():
        if term.weight.advice is not None:
            taken = step(term.entry, term.weight.per, counting, TODAY)
            after = score((*on_file, taken), MODEL, TODAY, leave_out)
            gains[term.weight.advice.en] = after.score - before.score
    told_gains = {advice.words.en: advice.points for advice in told(on_file, leave_out).helps}
    assert told_gains == {words: gain for words, gain in gains.items() if gain > 0}


def test_a_line_says_what_where_from_and_until_when() -> None:
    explanation = told([fact_of(penalty()), fact_of(row())])
    lines = {line.source: line for line in explanation.lines if line.department is not None}
    assert len(explanation.lines) == 4
    assert [line.points for line in explanation.lines] == [560, -24, 45, 0]
    found = explanation.lines[1]
    assert (found.words.zh, found.words.en) == (
        "行政处罚：一般",
        "Administrative penalty: ordinary",
    )
    assert (found.since, found.until) == (date(2024, 3, 1), date(2029, 3, 1))
    assert found.department is not None
    assert "示例" in found.department.zh
    assert set(lines) == {"示例-0001"}


def test_base_cap_and_clamp_are_named() -> None:
    kept = row(department="credit_office", code="commitments_kept", value="100")
    words = [line.words.en for line in told([fact_of(kept)]).lines]
    assert words == [
        "Base that everybody has",
        "Credit commitments kept: 100",
        "Credit in business: the limits of this dimension",
        "The score stays within 0 to 1000",
    ]


@pytest.mark.parametrize(
    ("fact", "why"),
    [
        (fact_of(row(effective=(TODAY + timedelta(days=1)).isoformat())), Aside.NOT_YET),
        (fact_of(row(expires=TODAY.isoformat())), Aside.ENDED),
        (
            fact_of(row(department="civil_affairs", code="honour", value="city")),
            Aside.LEFT_OUT,
        ),
    ],
)
def test_a_fact_that_does_not_count_is_shown_with_its_reason(fact: Fact, why: Aside) -> None:
    explanation = told([fact], frozenset(Merit))
    assert explanation.score == MODEL.base
    assert [(aside.fact, aside.why) for aside in explanation.not_counted] == [(fact, why)]
    assert all(aside.words.zh and aside.words.en for aside in explanation.not_counted)


def test_a_restated_record_says_so() -> None:
    older = fact_of(row(effective="2025-12-01", source="示例-0000"))
    explanation = told([older, fact_of(row())])
    assert [(aside.fact, aside.why) for aside in explanation.not_counted] == [
        (older, Aside.RESTATED)
    ]


def test_help_promises_exactly_what_the_step_brings() -> None:
    at_18 = fact_of(row(value="20"))
    advice = {line.words.en: line.points for line in told([at_18]).helps}
    better = fact_of(row(value="24", effective=TODAY.isoformat(), source="示例-0002"))
    gain = score([at_18, better], MODEL, TODAY).score - score([at_18], MODEL, TODAY).score
    assert advice["pay water, power and gas bills on time"] == gain == 15
    # At the top of the scale nothing more is promised.
    assert "pay water, power and gas bills on time" not in {
        line.words.en for line in told([better]).helps
    }


def test_help_is_found_beside_a_record_of_this_very_day() -> None:
    today = fact_of(row(value="6", effective=TODAY.isoformat()))
    advice = {line.words.en: line.points for line in told([today]).helps}
    assert advice["pay water, power and gas bills on time"] == 15


def test_help_never_asks_for_a_donation_nor_for_what_is_left_out() -> None:
    everything = {line.words.en for line in told([]).helps}
    assert "take part in volunteering" in everything
    assert not any("donat" in text or "honour" in text for text in everything)
    private = {line.words.en for line in told([], frozenset({Merit.VOLUNTEERING})).helps}
    assert everything - private == {"take part in volunteering"}
