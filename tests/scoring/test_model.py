"""What the score promises, whatever facts a person has."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import Aside, Dimension, Fact, Kind, Merit, Scored, load_catalogue, negative_end, score
from scoring.catalogue import BadData, Polarity
from scoring.model import Cap, ModelFile, Weight, compile_model, weigh
from scoring.words import Words
from tests.scoring.people import (
    CATALOGUE,
    ENTRIES,
    MODEL,
    TODAY,
    changed,
    fact_of,
    facts,
    files,
    penalty,
    row,
    values,
)

NEGATIVE = tuple(entry for entry in ENTRIES if entry.negative)
DAY = timedelta(days=1)
leave_outs = st.frozensets(st.sampled_from(Merit))


def total(on_file: list[Fact], day: date = TODAY, leave_out: frozenset[Merit] = frozenset()) -> int:
    """The score alone."""
    return score(on_file, MODEL, day, leave_out).score


@given(files(), leave_outs)
def test_a_score_is_bounded_and_its_factors_sum_to_it(
    on_file: list[Fact], leave_out: frozenset[Merit]
) -> None:
    scored = score(on_file, MODEL, TODAY, leave_out)
    assert 0 <= scored.score <= 1000
    assert sum(factor.points for factor in scored.factors) == scored.score
    assert scored.factors[0].kind is Kind.BASE
    assert scored.factors[-1].kind is Kind.CLAMP


@given(files(), leave_outs, st.randoms(use_true_random=False))
def test_the_order_and_repetition_of_facts_never_matter(
    on_file: list[Fact], leave_out: frozenset[Merit], random: Random
) -> None:
    mixed = [*on_file, *on_file[:3]]
    random.shuffle(mixed)
    assert score(mixed, MODEL, TODAY, leave_out) == score(on_file, MODEL, TODAY, leave_out)


@given(files(), facts(), st.data())
def test_a_better_value_never_lowers_the_score(
    others: list[Fact], fact: Fact, data: st.DataObject
) -> None:
    scale = values(CATALOGUE.entries[fact.department, fact.code])
    better = data.draw(st.sampled_from(scale[scale.index(fact.value) :]))
    assert total([*others, changed(fact, value=better)]) >= total([*others, fact])


@given(files(), facts(NEGATIVE))
def test_a_negative_fact_never_raises_the_score(others: list[Fact], fact: Fact) -> None:
    assert total([*others, fact]) <= total(others)


@given(st.lists(facts(NEGATIVE), max_size=10), st.integers(0, 2500))
def test_time_alone_never_makes_negative_facts_weigh_more(on_file: list[Fact], days: int) -> None:
    begun = max((fact.effective for fact in on_file), default=TODAY)
    assert total(on_file, begun + days * DAY) >= total(on_file, begun)


@given(files(), leave_outs)
def test_merits_are_left_out_when_the_person_says_so(
    on_file: list[Fact], leave_out: frozenset[Merit]
) -> None:
    kept = [fact for fact in on_file if fact.merit not in leave_out]
    assert score(on_file, MODEL, TODAY, leave_out) == score(kept, MODEL, TODAY)


@given(files())
def test_no_merit_ever_lowers_a_score_and_none_is_needed(on_file: list[Fact]) -> None:
    assert total(on_file, leave_out=frozenset(Merit)) <= total(on_file)


@given(files(), st.dates(date(2015, 1, 1), date(2040, 1, 1)))
def test_a_fact_outside_its_days_changes_nothing(on_file: list[Fact], day: date) -> None:
    live = [f for f in on_file if f.effective <= day and (f.ends is None or day < f.ends)]
    assert score(on_file, MODEL, day) == score(live, MODEL, day)


def test_without_any_fact_the_score_is_the_base() -> None:
    scored = score((), MODEL, TODAY)
    assert scored.score == MODEL.base
    assert [factor.kind for factor in scored.factors] == [Kind.BASE, Kind.CLAMP]


@pytest.mark.parametrize(
    ("day", "counts"),
    [
        (date(2025, 12, 31), Aside.NOT_YET),
        (date(2026, 1, 1), None),
        (date(2026, 6, 29), None),
        (date(2026, 6, 30), Aside.ENDED),
        (date(2026, 7, 1), Aside.ENDED),
    ],
)
def test_a_fact_counts_from_its_effective_day_to_the_day_before_it_expires(
    day: date, counts: Aside | None
) -> None:
    fact = fact_of(row(expires="2026-06-30"))
    points = weigh(fact, MODEL, day)
    assert points is counts if counts else points == 45
    assert (total([fact], day) > MODEL.base) is (counts is None)


@pytest.mark.parametrize(
    ("determined", "last_day"),
    [
        (date(2021, 6, 16), date(2026, 6, 15)),
        (date(2024, 2, 29), date(2029, 2, 27)),
        (date(2023, 3, 1), date(2028, 2, 29)),
        (date(2021, 1, 1), date(2025, 12, 31)),
    ],
)
def test_a_negative_fact_ends_five_years_after_its_determination(
    determined: date, last_day: date
) -> None:
    day = determined.isoformat()
    fact = fact_of(penalty(effective=day, determined=day))
    assert total([fact], last_day) < MODEL.base
    assert total([fact], last_day + DAY) == MODEL.base
    assert negative_end(determined) == last_day + DAY


def test_the_five_years_hold_for_a_fact_that_never_went_through_the_import() -> None:
    forged = changed(fact_of(penalty()), expires=date(2099, 1, 1))
    assert weigh(forged, MODEL, date(2029, 2, 28)) == -8
    assert weigh(forged, MODEL, date(2029, 3, 1)) is Aside.ENDED
    endless = changed(forged, expires=None)
    assert weigh(endless, MODEL, date(2029, 3, 1)) is Aside.ENDED


def test_the_end_of_the_calendar_is_an_end_like_any_other() -> None:
    assert negative_end(date(9998, 12, 31)) == date.max


def test_a_negative_fact_fades_by_full_years() -> None:
    fact = fact_of(penalty(value="serious", effective="2024-03-01"))
    weights = [weigh(fact, MODEL, date(2024 + year, 3, 1)) for year in range(5)]
    assert weights == [-100, -80, -60, -40, -20]
    assert weigh(fact, MODEL, date(2025, 2, 28)) == -100


def test_fading_rounds_in_favour_of_the_citizen() -> None:
    file = model_file()
    weight = Weight(levels={"serious": -7, "ordinary": -7, "minor": -7})
    weights = file.weights | {"enforcement": {"penalty": weight}}
    model = compile_model(msgspec.structs.replace(file, weights=weights), CATALOGUE)
    points = [weigh(fact_of(penalty()), model, date(2024 + year, 3, 1)) for year in range(5)]
    assert points == [-7, -5, -4, -2, -1]


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "religion"},
        {"department": "courts"},
        {"dimension": Dimension.LAW},
        {"value": 25},
        {"value": -1},
        {"value": "wholly"},
        {"determined": date(2026, 1, 1)},
    ],
)
def test_a_row_that_contradicts_the_catalogue_is_not_used(changes: dict[str, object]) -> None:
    bent = changed(fact_of(row()), **changes)
    assert weigh(bent, MODEL, TODAY) is Aside.UNWEIGHTED
    assert total([bent]) == MODEL.base


def test_a_negative_fact_cannot_pass_as_an_undated_one() -> None:
    undated = changed(fact_of(penalty()), determined=None)
    assert weigh(undated, MODEL, TODAY) is Aside.UNWEIGHTED


def test_monthly_reports_restate_each_other_and_events_add_up() -> None:
    older = fact_of(row(value="24", effective="2026-01-01", source="示例-1"))
    newer = fact_of(row(value="12", effective="2026-02-01", source="示例-2"))
    assert total([older, newer]) == total([newer])
    kept = {"department": "credit_office", "code": "commitments_kept", "value": "2"}
    first, second = (fact_of(row(**kept, source=f"示例-{n}")) for n in (1, 2))
    assert total([first, second]) == MODEL.base + 20
    # Two versions of one record are one record.
    assert total([first, changed(first, value=3)]) == MODEL.base + 15


def test_caps_and_clamp_are_factors_of_their_own() -> None:
    kept = {"department": "credit_office", "code": "commitments_kept", "value": "100"}
    scored = score([fact_of(row(**kept))], MODEL, TODAY)
    assert [(factor.kind, factor.points) for factor in scored.factors] == [
        (Kind.BASE, 560),
        (Kind.FACT, 500),
        (Kind.CAP, -390),
        (Kind.CLAMP, 0),
    ]
    bad = [
        fact_of(penalty(value="serious", effective=TODAY.isoformat(), source=f"示例-{n}"))
        for n in range(9)
    ]
    low = msgspec.structs.replace(MODEL, base=10)
    assert score(bad, low, TODAY).factors[-1].points == 290


@given(files())
def test_the_same_facts_always_give_the_same_answer(on_file: list[Fact]) -> None:
    copied = msgspec.json.decode(msgspec.json.encode(on_file), type=list[Fact])
    assert score(copied, MODEL, TODAY) == score(on_file, MODEL, TODAY)
    assert isinstance(score(copied, MODEL, TODAY), Scored)


def model_file() -> ModelFile:
    """A small valid model for the shipped catalogue."""
    weights: dict[str, dict[str, Weight]] = {}
    for entry in ENTRIES:
        sign = -1 if entry.negative else 1
        order = range(len(entry.levels))
        steps = [sign * (len(order) - n if entry.negative else n + 1) for n in order]
        levels = dict(zip((level.code for level in entry.levels), steps, strict=True))
        weight = Weight(points=0 if levels else sign, levels=levels)
        weights.setdefault(entry.department, {})[entry.code] = weight
    return ModelFile(
        since=TODAY,
        illustrative=True,
        title=Words("示例", "illustrative"),
        source="invented",
        base=500,
        fade_percent=(100, 80, 60, 40, 20),
        caps={dimension: Cap(least=-100, most=100) for dimension in Dimension},
        weights=weights,
    )


def test_the_small_model_is_valid() -> None:
    assert compile_model(model_file(), CATALOGUE).base == 500


@pytest.mark.parametrize(
    "changes",
    [
        {"base": 1001},
        {"base": -1},
        {"fade_percent": (100, 80, 60, 40)},
        {"fade_percent": (100, 80, 60, 40, 50)},
        {"fade_percent": (120, 80, 60, 40, 20)},
        {"caps": {Dimension.LAW: Cap(least=-1, most=1)}},
        {"caps": {dimension: Cap(least=1, most=2) for dimension in Dimension}},
        {"weights": {}},
    ],
)
def test_a_model_that_breaks_a_promise_does_not_load(changes: dict[str, object]) -> None:
    bad = msgspec.structs.replace(model_file(), **changes)
    with pytest.raises(BadData):
        compile_model(bad, CATALOGUE)


@pytest.mark.parametrize(
    ("department", "code", "weight"),
    [
        ("utilities", "months_in_arrears", Weight(points=1)),
        ("utilities", "months_paid_on_time", Weight(points=-1)),
        ("utilities", "months_paid_on_time", Weight(points=1, per=0)),
        ("utilities", "months_paid_on_time", Weight(levels={"a": 1})),
        ("utilities", "months_in_arrears", Weight(points=-1, advice=Words("欠费", "owe more"))),
        ("civil_affairs", "honour", Weight(levels={"district": 3, "city": 2, "province": 1})),
        ("civil_affairs", "honour", Weight(levels={"district": 1, "city": 2})),
        (
            "enforcement",
            "penalty",
            Weight(levels={"serious": -1, "ordinary": -2, "minor": -3}),
        ),
    ],
)
def test_a_weight_of_the_wrong_sign_or_order_does_not_load(
    department: str, code: str, weight: Weight
) -> None:
    file = model_file()
    codes = file.weights[department] | {code: weight}
    bad = msgspec.structs.replace(file, weights=file.weights | {department: codes})
    with pytest.raises(BadData, match=code):
        compile_model(bad, CATALOGUE)


def test_every_entry_of_the_catalogue_has_a_weight_of_its_sign() -> None:
    assert MODEL.terms.keys() == load_catalogue(TODAY).entries.keys()
    for term in MODEL.terms.values():
        assert term.negative is (term.entry.polarity is Polarity.NEGATIVE)
