"""People who do not exist: the identities of the local city, the same for everybody who asks.

The identity provider and the generator of seeds derive one person from one number, so that who
signs in with the ten-thousandth login is whom the ten-thousandth row of facts is about. Names say
that they are examples, and region 99 belongs to nobody.
"""

from __future__ import annotations

from datetime import date, timedelta

import msgspec

from gateway.identity_number import SYNTHETIC_REGION, check_letter

#: Logins of generated people: `person-1` to `person-10000`.
PREFIX = "person-"
NUMBER_MAX = 9_999_999

_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨"
_FIRST_BIRTHDAY = date(1950, 1, 1)
_BIRTHDAYS = 20_000  # days: the youngest is of age before 2024


class Identity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the identity provider says of a person."""

    login: str
    name: str
    id_number: str
    birthdate: date
    full_capacity: bool = True


def person(number: int) -> Identity:
    """The generated person of a number (1 to 9,999,999): an adult of full capacity.

    Raises:
        ValueError: there is no such person.
    """
    if not 1 <= number <= NUMBER_MAX:
        raise ValueError("people are numbered 1 to 9,999,999")
    # A step that shares no factor with the range visits every birthday before it repeats one.
    birthday = _FIRST_BIRTHDAY + timedelta(days=number * 7_919 % _BIRTHDAYS)
    return Identity(
        login=f"{PREFIX}{number}",
        name=f"示例{_SURNAMES[number % len(_SURNAMES)]}{number:05}",
        id_number=synthetic_number(number, birthday),
        birthdate=birthday,
    )


def synthetic_number(number: int, birthday: date) -> str:
    """The identity number of a person who does not exist; another for every number."""
    region = f"{SYNTHETIC_REGION}{number // 1000:04}"
    digits = f"{region}{birthday.isoformat().replace('-', '')}{number % 1000:03}"
    return digits + check_letter(digits)


def person_of_login(login: str) -> Identity | None:
    """The generated person who signs in so, if the login is one of theirs."""
    digits = login.removeprefix(PREFIX)
    if digits == login or not (digits.isascii() and digits.isdigit()) or len(digits) > 7:
        return None
    if digits != str(int(digits)) or not 1 <= int(digits) <= NUMBER_MAX:
        return None
    return person(int(digits))
