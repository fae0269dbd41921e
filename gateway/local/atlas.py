"""The cities that one machine can run at a time: a code of GB/T 2260, a name, addresses of its own.

Cookies know no ports, so every gateway and every identity provider has an address of its own; all
of 127.0.0.0/8 is this machine. Real cities' names are used as examples (示例): that two of them
recognise each other here says nothing about an agreement between them.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from gateway.errors import GatewayError

#: Where the region publishes its trust list.
REGION_HOST: Final = "127.0.0.10"

_CODE = re.compile(r"\A[1-9][0-9]{5}\Z")


class NoSuchCity(GatewayError):
    """That is no code of a city; the message says what one looks like."""


class DemoCity(msgspec.Struct, frozen=True, kw_only=True):
    """A city of the demonstration."""

    code: str
    """GB/T 2260, six digits."""
    slug: str
    """Names its seeds and its data folder."""
    zh: str
    en: str
    contact: str
    gateway_host: str
    identity_host: str

    @property
    def office(self) -> str:
        """Who handles the data there, in the words of notices."""
        return f"{self.zh}市信用中心（示例）"


HANGZHOU: Final = DemoCity(
    code="330100",
    slug="hangzhou",
    zh="杭州",
    en="Hangzhou",
    contact="示例：0571-00000000",
    gateway_host="127.0.0.1",
    identity_host="127.0.0.2",
)
NINGBO: Final = DemoCity(
    code="330200",
    slug="ningbo",
    zh="宁波",
    en="Ningbo",
    contact="示例：0574-00000000",
    gateway_host="127.0.0.3",
    identity_host="127.0.0.4",
)
SUZHOU: Final = DemoCity(
    code="320500",
    slug="suzhou",
    zh="苏州",
    en="Suzhou",
    contact="示例：0512-00000000",
    gateway_host="127.0.0.5",
    identity_host="127.0.0.6",
)

_NAMED: Final = {city.code: city for city in (HANGZHOU, NINGBO, SUZHOU)}


#: The cities that have a name here, as words.
LISTED: Final = ", ".join(f"{city.code} {city.zh} {city.en}" for city in _NAMED.values())

#: Letters of a name that is given.
NAME_MAX: Final = 20


def chosen_city(text: str) -> DemoCity:
    """The city that somebody asks for: a code that has a name here, or `CODE=NAME`.

    A code alone that nobody knows is more often a slip than a wish.

    Raises:
        NoSuchCity: it is not six digits, has no name, or has one already.
    """
    code, equals, given = (part.strip() for part in text.strip().partition("="))
    city = demo_city(code)
    if not equals:
        if code in _NAMED:
            return city
        raise NoSuchCity(
            f"{code} is no city that is known here; known are {LISTED}. For another one say its "
            f"name too: {code}=NAME"
        )
    if code in _NAMED:
        raise NoSuchCity(f"{code} has a name here: {city.zh} {city.en}; leave yours out")
    if not 1 <= len(given) <= NAME_MAX or not given.isprintable():
        raise NoSuchCity(f"{code}=NAME: a name has 1 to {NAME_MAX} letters, and each can be seen")
    return msgspec.structs.replace(city, zh=given, en=given)


def demo_city(code: str) -> DemoCity:
    """The city of a code. One without a name here gets addresses that follow from its digits.

    Raises:
        NoSuchCity: it is not six digits.
    """
    if not _CODE.match(code):
        raise NoSuchCity(f"{code!r} is no city: six digits of GB/T 2260 are, such as {LISTED}")
    if code in _NAMED:
        return _NAMED[code]
    first, second, third = int(code[:2]), int(code[2:4]), int(code[4:])
    return DemoCity(
        code=code,
        slug=code,
        zh=f"示例{code}",
        en=f"Example {code}",
        contact="示例：000-00000000",
        gateway_host=f"127.{first}.{second}.{third + 1}",
        identity_host=f"127.{first}.{second}.{third + 101}",
    )
