"""What may become a fact, and by which rule the rest is refused."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import COLUMNS, Dimension, Fact, Merit, Rejected, Rule, Sphere, check_row, score
from scoring.catalogue import Entry
from scoring.rules import FORBIDDEN, forbidden
from tests.scoring.people import (
    CATALOGUE,
    ENTRIES,
    MODEL,
    TODAY,
    fact_of,
    files,
    penalty,
    refused,
    row,
    values,
)


def test_a_good_row_becomes_the_fact_it_states() -> None:
    assert fact_of(row(expires="2026-07-01")) == Fact(
        department="utilities",
        code="months_paid_on_time",
        dimension=Dimension.LIFE,
        value=18,
        effective=date(2026, 1, 1),
        expires=date(2026, 7, 1),
        source="示例-0001",
        sphere=Sphere.PUBLIC,
    )


def test_csv_and_json_say_the_same() -> None:
    from_csv = next(csv.DictReader(io.StringIO("\n".join(_csv_lines()))))
    from_json = json.loads(json.dumps(row(value=18) | {"expires": None}))
    assert fact_of(dict(from_csv)) == fact_of(from_json) == fact_of(row())


def _csv_lines() -> list[str]:
    columns = sorted(COLUMNS)
    return [",".join(columns), ",".join(str(row().get(name, "")) for name in columns)]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.department}.{entry.code}")
def test_every_entry_admits_its_own_edges_and_nothing_beyond(entry: Entry) -> None:
    base = penalty() if entry.negative else row()
    base |= {"department": entry.department, "code": entry.code}
    scale = values(entry)
    for value in (scale[0], scale[-1]):
        assert fact_of(base | {"value": value}).value == value
    most = entry.most if entry.most is not None else 0
    beyond: list[object] = ["elite", ""] if entry.levels else [most + 1, entry.least - 1, "city"]
    for wrong in beyond:
        assert refused(base | {"value": wrong}).field == "value"


def test_merits_and_spheres_come_from_the_catalogue() -> None:
    hours = row(department="volunteer_union", code="service_hours", value="30")
    assert fact_of(hours).merit is Merit.VOLUNTEERING
    rented = row(department="rental_alliance", code="orders_settled", value="3")
    assert fact_of(rented).sphere is Sphere.MARKET


# Forbidden categories ---------------------------------------------------------------------------

SMUGGLED = [
    ("religion", Rule.ZJ_14_NEVER),
    ("宗教信仰", Rule.ZJ_14_NEVER),
    ("genes", Rule.ZJ_14_NEVER),
    ("基因检测", Rule.ZJ_14_NEVER),
    ("fingerPrint", Rule.ZJ_14_NEVER),
    ("指纹", Rule.ZJ_14_NEVER),
    ("blood_type", Rule.ZJ_14_NEVER),
    ("血 型", Rule.ZJ_14_NEVER),
    ("Disease-Code", Rule.ZJ_14_NEVER),
    ("疾病", Rule.ZJ_14_NEVER),
    ("medical.history", Rule.ZJ_14_NEVER),
    ("既往病史", Rule.ZJ_14_NEVER),
    ("annualIncome", Rule.ZJ_14_WRITTEN),
    ("ＩＮＣＯＭＥ", Rule.ZJ_14_WRITTEN),
    ("月收入", Rule.ZJ_14_WRITTEN),
    ("bank_deposits", Rule.ZJ_14_WRITTEN),
    ("存款", Rule.ZJ_14_WRITTEN),
    ("securities", Rule.ZJ_14_WRITTEN),
    ("有价证券", Rule.ZJ_14_WRITTEN),
    ("insurance_policies", Rule.ZJ_14_WRITTEN),
    ("商业保险", Rule.ZJ_14_WRITTEN),
    ("real_estate", Rule.ZJ_14_WRITTEN),
    ("不动产", Rule.ZJ_14_WRITTEN),
    ("tax_amount", Rule.ZJ_14_WRITTEN),
    ("纳税数额", Rule.ZJ_14_WRITTEN),
    ("hukou", Rule.UNRELATED),
    ("户口所在地", Rule.UNRELATED),
    ("education_level", Rule.UNRELATED),
    ("学历", Rule.UNRELATED),
]


@pytest.mark.parametrize(("name", "rule"), SMUGGLED)
@pytest.mark.parametrize("place", ["column", "code", "category", "department", "dimension"])
def test_a_forbidden_category_is_refused_by_its_rule_wherever_it_stands(
    name: str, rule: Rule, place: str
) -> None:
    raw = row(**{name: "1"}) if place == "column" else row(**{place: name})
    rejected = refused(raw)
    assert rejected.rule is rule
    assert rejected.field == (name if place == "column" else place)


@given(files(), st.sampled_from(SMUGGLED), st.sampled_from(["column", "code", "category"]))
def test_forbidden_facts_put_into_the_input_change_no_score(
    on_file: list[Fact], smuggled: tuple[str, Rule], place: str
) -> None:
    name, rule = smuggled
    raw = row(**{name: "1"}) if place == "column" else row(**{place: name})
    checked = [check_row(raw, CATALOGUE, 1)]
    assert [found.rule for found in checked if isinstance(found, Rejected)] == [rule]
    admitted = [found for found in checked if isinstance(found, Fact)]
    assert score([*on_file, *admitted], MODEL, TODAY) == score(on_file, MODEL, TODAY)


@pytest.mark.parametrize("name", ["code", "department"])
def test_a_renamed_code_is_refused_because_the_catalogue_does_not_list_it(name: str) -> None:
    assert refused(row(**{name: "x17"})).rule is Rule.CATALOGUE


@pytest.mark.parametrize(
    ("department", "code"),
    [
        ("community", "points_balance"),
        ("hospital", "medical_payment"),
        ("library", "loans_overdue"),
        ("utilities", "penalty"),
        ("enforcement", "months_paid_on_time"),
    ],
)
def test_points_medical_payment_and_library_behaviour_are_no_scoring_facts(
    department: str, code: str
) -> None:
    assert refused(row(department=department, code=code)).rule is Rule.CATALOGUE


@pytest.mark.parametrize(
    "innocent",
    [
        *sorted(COLUMNS),
        "general_credit",
        "generous_help",
        "good_faith",
        "social_insurance_months",
        "社会保险缴纳月数",
        "fabricate",
        "degreed",
        "blood_donation",
        "rental_deposit",
    ],
)
def test_words_are_whole_words_so_innocent_names_are_left_alone(innocent: str) -> None:
    assert forbidden(innocent) is None


def test_an_exception_does_not_open_the_door_for_its_neighbours() -> None:
    for name in ("social_insurance_income", "社会保险与商业保险", "good_faith_religion"):
        assert forbidden(name) is not None


def test_every_forbidden_category_is_caught_by_its_own_code_and_words() -> None:
    for category in FORBIDDEN:
        for word in (category.category, *category.zh, *category.en):
            found = forbidden(word)
            assert found is not None
            assert found.rule is category.rule


# Malformed rows ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        *("NaN", "nan", "inf", "-0", "-1", "+1", "1.0", "1e3", "1_0", "０１", "١٢", "0x1", "01"),
        *("1 0", "9" * 10, "9" * 60, "9" * 5000),
        *(float("nan"), float("inf"), 1.0, True, False, [], {}),
        *(10**9, 10**5000, -(10**5000), -1),
    ],
    ids=lambda value: f"{type(value).__name__}-{str(value)[:8]}" if _small(value) else "huge",
)
def test_a_value_that_is_no_whole_number_in_range_is_refused(value: object) -> None:
    assert refused(row(value=value)).field == "value"


def _small(value: object) -> bool:
    # Python refuses to spell integers beyond 4300 digits.
    return not isinstance(value, int) or abs(value) < 10**12


@pytest.mark.parametrize("column", ["effective", "expires", "determined"])
@pytest.mark.parametrize(
    "day",
    [
        *("2026-02-29", "2026-13-01", "0000-01-01", "2026-1-1", "20260101", "2026-W01-1"),
        *("01/02/2026", "2026-01-01T00:00:00Z", "２０２６-01-01", "10000-01-01", "tomorrow"),
        20260101,
    ],
)
def test_a_day_that_is_not_of_the_calendar_is_refused(column: str, day: object) -> None:
    assert refused(penalty(**{column: day})).field == column


@pytest.mark.parametrize("column", ["department", "code", "source", "value", "effective"])
@pytest.mark.parametrize(
    "text", ["a\0b", "a\nb", "\ud800", "\u202eabc", "a\u200bb", "x" * 65, "", "   ", None, [], 1.5]
)
def test_unclean_text_is_refused_by_its_column(column: str, text: object) -> None:
    assert refused(row() | {column: text}).field == column


@pytest.mark.parametrize("column", ["department", "code", "value", "effective", "source"])
def test_a_missing_column_is_named(column: str) -> None:
    rejected = refused(row(**{column: None}))
    assert (rejected.field, rejected.reason) == (column, "is missing")


@pytest.mark.parametrize("name", ["note", "Value", "value ", "weight", "name"])
def test_an_unknown_column_is_refused_by_its_name(name: str) -> None:
    rejected = refused(row(**{name: ""}))
    assert (rejected.field, rejected.reason) == (name, "unknown column")


def test_a_forbidden_column_is_named_before_a_merely_unknown_one() -> None:
    rejected = refused(row(a_note="x", religion="x"))
    assert (rejected.field, rejected.rule) == ("religion", Rule.ZJ_14_NEVER)


def test_surplus_cells_of_a_csv_line_are_an_unknown_column() -> None:
    surplus = next(csv.DictReader(io.StringIO("department,code\na,b,c")))
    assert refused(surplus).field == "None"


def test_a_column_name_that_would_break_the_rejects_file_is_not_repeated() -> None:
    assert refused(row(**{"a\nb": "1"})).field == "(unprintable)"
    assert len(refused(row(**{"x" * 999: "1"})).field) == 64


def test_labels_may_repeat_the_catalogue_but_not_contradict_it() -> None:
    assert fact_of(row(dimension="life", sphere="public", category="utility_bills")) == fact_of(
        row()
    )
    for label in ({"dimension": "law"}, {"sphere": "market"}, {"category": "penalty"}):
        rejected = refused(row(**label))
        assert (rejected.field, rejected.rule) == (next(iter(label)), Rule.CATALOGUE)


# Dates and the five years -----------------------------------------------------------------------


def test_a_fact_must_end_after_it_begins() -> None:
    assert refused(row(expires="2026-01-01")).field == "expires"
    assert fact_of(row(expires="2026-01-02")).expires == date(2026, 1, 2)


@pytest.mark.parametrize(
    ("expires", "kept"),
    [
        (None, date(2029, 3, 1)),
        ("2099-01-01", date(2029, 3, 1)),
        ("2029-03-02", date(2029, 3, 1)),
        ("2029-03-01", date(2029, 3, 1)),
        ("2029-02-28", date(2029, 2, 28)),
    ],
)
def test_a_negative_fact_is_cut_at_five_years(expires: str | None, kept: date) -> None:
    assert fact_of(penalty(expires=expires)).expires == kept


def test_a_negative_fact_needs_its_determination_and_a_positive_one_has_none() -> None:
    missing = refused(penalty(determined=None))
    assert (missing.field, missing.rule) == ("determined", Rule.ZJ_16)
    assert refused(row(determined="2026-01-01")).field == "determined"


@pytest.mark.parametrize(
    ("effective", "field"), [("2024-02-29", "effective"), ("2029-03-01", "determined")]
)
def test_a_negative_fact_takes_effect_within_its_five_years(effective: str, field: str) -> None:
    rejected = refused(penalty(effective=effective))
    assert (rejected.field, rejected.rule) == (field, Rule.ZJ_16)
    assert isinstance(check_row(penalty(effective="2029-02-28"), CATALOGUE, 1), Fact)


# Any row at all ---------------------------------------------------------------------------------

cells = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80)


@given(
    st.dictionaries(st.sampled_from(sorted(COLUMNS)) | st.text(max_size=9), cells, max_size=6),
    st.booleans(),
)
def test_no_row_ever_raises_and_no_refusal_repeats_a_value(
    changes: dict[str, object], negative: bool
) -> None:
    checked = check_row((penalty() if negative else row()) | changes, CATALOGUE, 3)
    again = check_row((penalty() if negative else row()) | changes, CATALOGUE, 3)
    assert checked == again
    if isinstance(checked, Rejected):
        assert checked.line == 3
        assert checked.reason.isprintable()
        assert checked.field.isprintable()


def test_a_refusal_never_repeats_the_value_it_refuses() -> None:
    secret = "990106199001011234"  # region 99 does not exist
    for column in ("department", "code", "value", "effective", "source", "category", "sphere"):
        rejected = refused(row(**{column: secret * (4 if column == "source" else 1)}))
        assert secret not in str(msgspec.to_builtins(rejected))
