"""What each form of the grammar means, at its edges and where something is absent."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from scenarios.contract import Values
from tests.scenarios.worlds import clause, compiled, facts_of, us, with_clauses

NOW = "2026-01-15T12:00:00+08:00"
ALL = {
    "amount": 100,
    "place": "a",
    "where": "330100",
    "due": "2026-01-18T12:00:00+08:00",
    "urgent": True,
}


def is_met(asked: dict[str, Any], values: Values, at: str = NOW, **sent: Any) -> bool:
    """Whether the sample with this single clause finds it met."""
    scenario = compiled(with_clauses(clause(asked)))
    verdict = scenario.decide(values, facts_of(scenario, **{**ALL, **sent}), us(at))
    return "c" not in {info.id for info in scenario.unmet(verdict)}


@pytest.mark.parametrize(
    ("op", "answers"),
    [
        ("eq", (False, True, False)),
        ("ne", (True, False, True)),
        ("lt", (True, False, False)),
        ("le", (True, True, False)),
        ("gt", (False, False, True)),
        ("ge", (False, True, True)),
    ],
)
def test_a_number_is_compared_below_at_and_above(op: str, answers: tuple[bool, ...]) -> None:
    asked = {op: ["standing.waived_fen", "fact.amount"]}
    assert tuple(is_met(asked, Values(waived_fen=fen)) for fen in (99, 100, 101)) == answers


@pytest.mark.parametrize("op", ["eq", "ne", "lt", "le", "gt", "ge"])
@pytest.mark.parametrize("name", ["fact.fee", "standing.stock", "standing.visit_limit_fen"])
def test_no_comparison_with_something_absent_holds(op: str, name: str) -> None:
    assert not is_met({op: [name, 1]}, Values())
    assert not is_met({op: [1, name]}, Values())


@pytest.mark.parametrize("op", ["lt", "le", "gt", "ge"])
def test_no_comparison_of_now_with_a_time_that_was_not_sent_holds(op: str) -> None:
    assert not is_met({op: ["now", "fact.soon"]}, Values())
    assert not is_met({op: ["fact.soon", "now"]}, Values())


@pytest.mark.parametrize(
    "asked",
    [
        {"in": ["party.community", "param.places"]},
        {"in": ["fact.place", "standing.residency"]},
        {"eq": ["fact.where", "party.city"]},
        {"within": {"time": "fact.soon", "at_most_days": 9}},
        {"within": {"time": "fact.soon", "at_least_days": 0}},
    ],
)
def test_nothing_is_found_where_nothing_is_known(asked: dict[str, Any]) -> None:
    assert not is_met(asked, Values())


@pytest.mark.parametrize(
    ("op", "answers"),
    [
        ("lt", (True, False, False)),
        ("le", (True, True, False)),
        ("gt", (False, False, True)),
        ("ge", (False, True, True)),
    ],
)
def test_now_is_compared_to_the_microsecond(op: str, answers: tuple[bool, ...]) -> None:
    instants = [f"2026-01-18T{clock}+08:00" for clock in _AROUND_NOON]
    assert tuple(is_met({op: ["now", "fact.due"]}, Values(), at) for at in instants) == answers
    mirrored = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}[op]
    assert (
        tuple(is_met({mirrored: ["fact.due", "now"]}, Values(), at) for at in instants) == answers
    )


_AROUND_NOON = ("11:59:59.999999", "12:00:00", "12:00:00.000001")


@pytest.mark.parametrize(
    ("limits", "answers"),
    [
        # The time to return is three days ahead at noon, less before, more after.
        ({"at_most_days": 3}, (False, True, True)),
        ({"at_least_days": 3}, (True, True, False)),
        ({"at_least_days": 3, "at_most_days": 3}, (False, True, False)),
        ({"at_most_days": "param.span"}, (False, True, True)),
        ({"at_least_days": "param.notice"}, (True, True, False)),  # three days for band 2
    ],
)
def test_a_span_of_days_includes_its_limits(
    limits: dict[str, Any], answers: tuple[bool, ...]
) -> None:
    asked = {"within": {"time": "fact.due", **limits}}
    instants = [f"2026-01-15T{clock}+08:00" for clock in _AROUND_NOON]
    assert tuple(is_met(asked, Values(band=2), at) for at in instants) == answers


def test_hours_are_closed_at_the_start_and_open_at_the_end() -> None:
    asked = {"between": ["now", "12:00", "12:01"]}
    clocks = ("11:59:59.999999", "12:00:00", "12:00:59.999999", "12:01:00")
    instants = [f"2026-01-15T{clock}+08:00" for clock in clocks]
    assert [is_met(asked, Values(), at) for at in instants] == [False, True, True, False]


def test_sums_and_differences_of_two_and_of_more() -> None:
    values = Values(waived_fen=5)
    two, three = ["standing.waived_fen", "fact.amount"], ["standing.waived_fen", "fact.amount", 1]
    assert is_met({"eq": [{"sum": two}, 105]}, values)
    assert is_met({"eq": [{"sum": three}, 106]}, values)
    assert is_met({"eq": [{"difference": ["fact.amount", "standing.waived_fen"]}, 95]}, values)
    assert is_met({"lt": [{"difference": two}, 0]}, values)


def test_a_parameter_by_band_is_read_by_the_citizens_own_band() -> None:
    asked = {"le": ["fact.amount", "param.cap"]}
    answers = [is_met(asked, Values(band=band), amount=300) for band in range(6)]
    assert answers == [False, False, False, True, True, True]


@pytest.mark.parametrize("count", [2, 3])
def test_all_wants_every_one_and_any_wants_one(count: int) -> None:
    yes, no = {"ge": ["fact.amount", 1]}, {"lt": ["fact.amount", 1]}
    assert is_met({"all": [yes] * count}, Values())
    assert not is_met({"all": [yes] * (count - 1) + [no]}, Values())
    assert is_met({"any": [no] * (count - 1) + [yes]}, Values())
    assert not is_met({"any": [no] * count}, Values())
    assert is_met({"not": no}, Values())


def test_a_text_is_compared_with_a_literal() -> None:
    assert is_met({"eq": ["fact.place", {"text": "a"}]}, Values())
    assert is_met({"ne": ["fact.place", {"text": "b"}]}, Values())


def test_holidays_and_working_days_are_the_calendars() -> None:
    holiday, made_up = "2026-01-02T10:00:00+08:00", "2026-01-04T10:00:00+08:00"
    assert is_met({"holiday": "now"}, Values(), holiday)
    assert not is_met({"working_day": "now"}, Values(), holiday)
    assert is_met({"working_day": "now"}, Values(), made_up)


def test_a_turn_at_the_very_start_of_the_interval_does_not_close_it() -> None:
    scenario = compiled(with_clauses(clause({"ge": ["now", "fact.due"]})))
    due = us(str(ALL["due"]))
    values = msgspec.structs.replace(Values(), since_us=due, until_us=due + 10)

    verdict = scenario.decide(values, facts_of(scenario, **ALL), due)

    assert (verdict.since_us, verdict.until_us) == (due, values.until_us)
