"""What counts as an identity number, and when a person is of age."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity_number import age_on, check_letter, parse_identity_number

# The example in the annex of GB 11643-1999 itself; it belongs to nobody known.
STANDARD = "11010519491231002X"


def test_the_standards_own_example_is_a_number() -> None:
    number = parse_identity_number(STANDARD)
    assert number.birthday == date(1949, 12, 31)
    assert not number.synthetic


def test_a_number_shows_itself_to_no_log() -> None:
    number = parse_identity_number(STANDARD)
    assert STANDARD not in f"{number} {number!r} {[number]}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        STANDARD[:-1],
        STANDARD.lower(),
        STANDARD + " ",
        STANDARD + "\n",
        "110105194912310021",  # a wrong check letter
        "11010519490231002" + check_letter("11010519490231002"),  # 31 February
        "０" + STANDARD[1:],
    ],
)
def test_nothing_else_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"\Anot an identity number\Z"):
        parse_identity_number(text)


@given(st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(place: int, step: int) -> None:
    wrong = str((int(STANDARD[place]) + step) % 10)
    with pytest.raises(ValueError, match="not an identity number"):
        parse_identity_number(STANDARD[:place] + wrong + STANDARD[place + 1 :])


@pytest.mark.parametrize(
    ("birthday", "today", "age"),
    [
        (date(2008, 6, 2), date(2026, 6, 1), 17),
        (date(2008, 6, 1), date(2026, 6, 1), 18),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
    ],
)
def test_full_years_are_counted_on_the_birthday(birthday: date, today: date, age: int) -> None:
    assert age_on(birthday, today) == age
