"""The people of the local city: always the same ones, and none that could exist."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity_number import age_on, parse_identity_number
from gateway.local.people import NUMBER_MAX, person, person_of_login


@given(st.integers(1, NUMBER_MAX))
def test_nobody_here_could_exist_and_everybody_is_of_age(number: int) -> None:
    who = person(number)
    parsed = parse_identity_number(who.id_number)
    assert parsed.synthetic
    assert parsed.birthday == who.birthdate
    assert age_on(who.birthdate, date(2026, 1, 1)) >= 18
    assert who.full_capacity
    assert who.name.startswith("示例")
    assert person_of_login(who.login) == who


def test_no_two_share_a_number() -> None:
    assert len({person(number).id_number for number in range(1, 10_001)}) == 10_000


@pytest.mark.parametrize("number", [0, -1, NUMBER_MAX + 1])
def test_there_are_no_others(number: int) -> None:
    with pytest.raises(ValueError):
        person(number)


@pytest.mark.parametrize(
    "login",
    ["", "person-", "person-0", "person-01", "person-1 ", "1", "person-١", "person-12345678"],
)
def test_a_login_has_one_spelling(login: str) -> None:
    assert person_of_login(login) is None
