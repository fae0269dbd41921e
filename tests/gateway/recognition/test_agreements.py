"""What two cities have agreed on: two people of each must say so, and nobody alone changes it."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.claims import AgreementClaims, SchemeName
from gateway.clock import SECOND_US
from gateway.recognition.agreements import (
    Act,
    Agreement,
    State,
    Statement,
    Terms,
    conclude,
    day_of,
    statement_of,
)

PAIR = ("330100", "330200")
A, B = PAIR
THIRD = "330300"
FROM, TO = datetime.date(2026, 9, 1), datetime.date(2027, 9, 1)
TERMS = Terms(PAIR, frozenset({"library"}), SchemeName(id="example-delta", version=1), FROM, TO)
OTHER = Terms(PAIR, frozenset({"rent"}), SchemeName(id="example-delta", version=1), FROM, TO)


def midnight_us(day: datetime.date) -> int:
    """When a day begins in Shanghai."""
    shanghai = datetime.timezone(datetime.timedelta(hours=8))
    begins = datetime.datetime(day.year, day.month, day.day, tzinfo=shanghai)
    return round(begins.timestamp()) * SECOND_US


NOW_US = midnight_us(datetime.date(2026, 11, 1))
NOW_S = NOW_US // SECOND_US


def signs(city: str, operator: str, at_s: int = 100, terms: Terms = TERMS) -> Statement:
    return Statement(city, operator, at_s, "sign", terms.cities, terms)


def says(city: str, operator: str, act: Act, at_s: int) -> Statement:
    return Statement(city, operator, at_s, act, PAIR)


SIGNED = [signs(city, operator) for city in PAIR for operator in ("x", "y")]


def state(*said: Statement, now_us: int = NOW_US) -> State | None:
    agreement = conclude("example-1", said, now_us)
    return agreement.state if agreement else None


# ------------------------------------------------------------------ signing


def test_two_of_each_city_put_it_in_force() -> None:
    assert conclude("example-1", SIGNED, NOW_US) == Agreement("example-1", TERMS, State.IN_FORCE)


@pytest.mark.parametrize("missing", range(4))
def test_three_signatures_are_a_proposal(missing: int) -> None:
    three = [each for n, each in enumerate(SIGNED) if n != missing]
    assert state(*three) is State.PROPOSED
    city, operator = three[0].city, three[0].operator
    again = [signs(city, operator, at_s) for at_s in range(5)]
    assert state(*three, *again) is State.PROPOSED, "one person counted twice"


def test_nothing_signed_is_nothing() -> None:
    assert state() is None
    assert state(says(A, "x", "end", 1), says(A, "y", "end", 1)) is None


def test_a_third_citys_operators_sign_nothing() -> None:
    foreign = [signs(THIRD, operator) for operator in ("x", "y", "z")]
    assert state(*foreign) is None
    assert state(*SIGNED[:3], *foreign) is State.PROPOSED
    ended = [says(THIRD, operator, "end", 200) for operator in ("x", "y", "z")]
    assert state(*SIGNED, *ended) is State.IN_FORCE


def test_other_terms_are_another_agreement() -> None:
    half = [*SIGNED[:3], signs(B, "y", terms=OTHER)]
    assert state(*half) is State.PROPOSED
    both = [*SIGNED, *(signs(city, each, terms=OTHER) for city in PAIR for each in ("x", "z"))]
    assert state(*both) is State.DISPUTED
    assert state(*SIGNED, signs(A, "z", terms=OTHER)) is State.IN_FORCE


def test_it_holds_from_its_first_day_to_the_eve_of_its_last_in_shanghai() -> None:
    for day, expected in ((FROM, State.COMING), (TO, State.IN_FORCE)):
        assert state(*SIGNED, now_us=midnight_us(day) - 1) is expected
    assert state(*SIGNED, now_us=midnight_us(FROM)) is State.IN_FORCE
    assert state(*SIGNED, now_us=midnight_us(TO)) is State.EXPIRED
    assert day_of(midnight_us(FROM)) == FROM
    assert day_of(midnight_us(FROM) - 1) == FROM - datetime.timedelta(days=1)


# ------------------------------------------------------------------ suspending and ending


@pytest.mark.parametrize("city", PAIR)
def test_two_of_one_city_suspend_and_two_of_the_same_resume(city: str) -> None:
    rival = B if city == A else A
    suspended = [*SIGNED, says(city, "x", "suspend", 200), says(city, "y", "suspend", 210)]
    assert state(*suspended[:-1]) is State.IN_FORCE
    assert state(*suspended) is State.SUSPENDED
    assert state(*suspended, says(city, "x", "resume", 300)) is State.SUSPENDED
    by_rival = [says(rival, each, "resume", 300) for each in ("x", "y")]
    assert state(*suspended, *by_rival) is State.SUSPENDED, "the other city's word"
    mixed = [says(city, "x", "resume", 300), says(rival, "x", "resume", 300)]
    assert state(*suspended, *mixed) is State.SUSPENDED, "one of each is two of neither"
    resumed = [*suspended, says(city, "y", "resume", 300), says(city, "z", "resume", 310)]
    assert state(*resumed) is State.IN_FORCE
    again = [says(city, "x", "suspend", 400), says(city, "z", "suspend", 400)]
    assert state(*resumed, *again) is State.SUSPENDED


def test_one_of_each_city_suspends_nothing() -> None:
    assert state(*SIGNED, says(A, "x", "suspend", 9), says(B, "x", "suspend", 9)) is State.IN_FORCE
    assert state(*SIGNED, says(A, "x", "end", 9), says(B, "x", "end", 9)) is State.IN_FORCE


@pytest.mark.parametrize("at_s", [100, 199, 200])
def test_a_resumption_that_is_not_later_resumes_nothing(at_s: int) -> None:
    suspended = [*SIGNED, *(says(A, each, "suspend", 200) for each in ("x", "y"))]
    early = [says(A, each, "resume", at_s) for each in ("x", "y")]
    assert state(*suspended, *early) is State.SUSPENDED


def test_a_word_taken_back_in_time_is_no_voice() -> None:
    back = [says(A, "x", "suspend", 200), says(A, "x", "resume", 250)]
    assert state(*SIGNED, *back, says(A, "y", "suspend", 300)) is State.IN_FORCE
    suspended = [*SIGNED, *(says(A, each, "suspend", 200) for each in ("x", "y"))]
    back = [says(A, "x", "resume", 250), says(A, "x", "suspend", 260)]
    assert state(*suspended, *back, says(A, "y", "resume", 300)) is State.SUSPENDED


def test_what_is_dated_ahead_does_not_count_yet() -> None:
    ahead = [says(A, each, "end", NOW_S + 11) for each in ("x", "y")]
    assert state(*SIGNED, *ahead) is State.IN_FORCE
    assert state(*SIGNED, *ahead, now_us=NOW_US + SECOND_US) is State.ENDED


# ------------------------------------------------------------------ laws

_OPERATORS = st.sampled_from(["x", "y", "z"])
_TIMES = st.integers(0, 12)  # few seconds, so that many fall together
_ACTS = st.sampled_from(["suspend", "resume", "end"])
_SIGNATURES = st.builds(
    signs,
    st.sampled_from([A, B, THIRD]),
    _OPERATORS,
    _TIMES,
    st.sampled_from([TERMS, OTHER]),
)
_OTHERS = st.builds(says, st.sampled_from([A, B, THIRD]), _OPERATORS, _ACTS, _TIMES)
_STATEMENTS = st.one_of(_SIGNATURES, _OTHERS)
_HISTORIES = st.lists(_STATEMENTS, max_size=20)
_MOVES = st.lists(_OTHERS, max_size=20)


@given(_HISTORIES, st.randoms(use_true_random=False))
def test_the_order_in_which_statements_come_changes_nothing(history: Any, shuffle: Any) -> None:
    shuffled = list(history) + [each for each in history if shuffle.random() < 0.3]
    shuffle.shuffle(shuffled)
    assert conclude("x", shuffled, NOW_US) == conclude("x", history, NOW_US)


@given(st.lists(_STATEMENTS, max_size=30))
def test_one_operator_of_each_city_alone_moves_nothing(history: Any) -> None:
    alone = [each for each in history if each.operator == "z"]
    assert state(*alone) in (None, State.PROPOSED)
    assert state(*SIGNED, *alone) is State.IN_FORCE


@given(_MOVES, st.sampled_from(PAIR), _TIMES)
def test_ended_stays_ended(moves: Any, city: str, at_s: int) -> None:
    ended = [says(city, each, "end", at_s) for each in ("x", "y")]
    assert state(*SIGNED, *ended, *moves) is State.ENDED


@given(_HISTORIES, st.lists(_STATEMENTS, max_size=8))
def test_a_third_city_changes_nothing(history: Any, more: Any) -> None:
    foreign = [
        Statement(THIRD, each.operator, each.at_s, each.act, each.cities, each.terms)
        for each in more
    ]
    assert conclude("x", [*history, *foreign], NOW_US) == conclude("x", history, NOW_US)


@given(_HISTORIES)
def test_without_two_of_each_city_nothing_is_in_force(history: Any) -> None:
    voices = {
        (each.terms, each.city): {
            other.operator
            for other in history
            if (other.terms, other.city) == (each.terms, each.city)
        }
        for each in history
        if each.act == "sign"
    }
    complete = [
        terms
        for terms in (TERMS, OTHER)
        if all(len(voices.get((terms, city), ())) >= 2 for city in PAIR)
    ]
    if len(complete) != 1:
        assert state(*history) in (None, State.PROPOSED, State.DISPUTED)


@given(_MOVES, st.sampled_from(PAIR))
def test_a_suspension_after_everything_else_holds(moves: Any, city: str) -> None:
    others = [each for each in moves if each.act != "end"]
    suspended = [says(city, each, "suspend", 13) for each in ("x", "y")]
    assert state(*SIGNED, *others, *suspended) is State.SUSPENDED


# ------------------------------------------------------------------ from a statement's claims


def claims(**changes: Any) -> AgreementClaims:
    given_: dict[str, Any] = {
        "iss": "https://a.example",
        "aud": "https://region.example",
        "iat": 100,
        "agreement": "example-1",
        "act": "sign",
        "cities": PAIR,
        "scenarios": ("library",),
        "scheme": TERMS.scheme,
        "from_": FROM,
        "to": TO,
    }
    return AgreementClaims(**{k: v for k, v in (given_ | changes).items() if v is not ...})


def test_the_order_of_scenarios_is_no_difference() -> None:
    one, two = (statement_of(claims(scenarios=each), A, "x") for each in (("a", "b"), ("b", "a")))
    assert one == two


BARE = dict.fromkeys(("scenarios", "scheme", "from_", "to"), ...)


@pytest.mark.parametrize(
    "odd",
    [
        {"cities": (B, A)},
        {"cities": (A, A)},
        {"cities": (B, THIRD)},
        {"to": FROM},
        {"from_": TO},
        {"act": "end"},
        {"act": "suspend", **BARE, "to": TO},
        {"scheme": ...},
        {"scenarios": ...},
        {"from_": ...},
        {"to": ...},
        BARE,
    ],
)
def test_a_statement_that_says_too_little_or_too_much_is_nothing(odd: dict[str, Any]) -> None:
    assert statement_of(claims(**odd), A, "x") is None


@pytest.mark.parametrize("act", ["suspend", "resume", "end"])
def test_other_acts_have_no_terms(act: Act) -> None:
    assert statement_of(claims(act=act, **BARE), B, "y") == says(B, "y", act, 100)
