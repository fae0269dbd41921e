"""The citizen identity number (GB 11643-1999): its parts, its check letter, and who is synthetic.

Eighteen characters: six digits of region (GB/T 2260), the birthday, a sequence of three digits,
and a check letter by ISO 7064 MOD 11-2. No region begins with 99, so a number that does can
belong to nobody: such numbers are the synthetic people of demonstrations and tests.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from datetime import date
from operator import mul

import msgspec

SYNTHETIC_REGION = "99"

_FORM = re.compile(r"\A[1-9][0-9]{16}[0-9X]\Z", re.ASCII)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_LETTERS = "10X98765432"
_SPACED = re.compile(r"\s+")
#: The dot within a name (U+00B7) as keyboards and documents have it otherwise.
_DOTS = dict.fromkeys(map(ord, "\u2022\u2027\u2219\u22c5\u30fb"), "\u00b7")


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """Who somebody says a person is, not yet judged: an identity provider, or staff at a desk."""

    name: str
    id_number: str
    birthdate: str
    full_capacity: bool

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"  # a traceback or a log shows the representation


class IdentityNumber(msgspec.Struct, frozen=True):
    """A well-formed number. Its text never enters a log, a key or an error."""

    text: str

    @property
    def birthday(self) -> date:
        """The birthday that the number itself states."""
        return date(int(self.text[6:10]), int(self.text[10:12]), int(self.text[12:14]))

    @property
    def synthetic(self) -> bool:
        """Whether the number can belong to nobody."""
        return self.text.startswith(SYNTHETIC_REGION)

    def __repr__(self) -> str:
        return "IdentityNumber(…)"  # a traceback or a log shows the representation


def parse_identity_number(text: str) -> IdentityNumber:
    """The number in a text.

    Raises:
        ValueError: the form, the birthday or the check letter is wrong; the text is not repeated.
    """
    if not _FORM.match(text) or check_letter(text[:17]) != text[17]:
        raise ValueError("not an identity number")
    number = IdentityNumber(text)
    try:
        _ = number.birthday
    except ValueError:
        raise ValueError("not an identity number") from None
    return number


def check_letter(digits: str) -> str:
    """The eighteenth character of seventeen digits."""
    weighed = sum(map(mul, map(int, digits), _WEIGHTS))
    return _LETTERS[weighed % 11]


def same_name(name: str, other: str) -> bool:
    """Whether two ways to write a name are one, in a time that does not tell where they differ.

    Unicode's compatibility forms (NFKC, UAX 15), spaces and the kind of dot make no difference.
    """
    return hmac.compare_digest(_plain(name), _plain(other))


def _plain(name: str) -> bytes:
    return _SPACED.sub("", unicodedata.normalize("NFKC", name).translate(_DOTS)).encode()


def age_on(birthday: date, today: date) -> int:
    """Full years on a day. One born on 29 February is a year older on 1 March."""
    before = (today.month, today.day) < (birthday.month, birthday.day)
    return today.year - birthday.year - before
