"""What is wrong with a document is told in words, the member first."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

import msgspec
import pytest

from gateway.wrong_member import in_words


class Part(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=3)]


class Whole(msgspec.Struct, forbid_unknown_fields=True):
    parts: Annotated[list[Part], msgspec.Meta(min_length=2)] = []
    day: datetime.date | None = None
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    code: Annotated[str, msgspec.Meta(pattern="^a$")] = "a"


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"parts": []}, "parts: at least 2 of them are wanted"),
        ({"parts": [{}, {}]}, "parts[0].name is missing"),
        ({"parts": [{"name": ""}] * 2}, "parts[0].name: it is empty"),
        ({"parts": [{"name": "abcd"}] * 2}, "parts[0].name: at most 3 letters are wanted"),
        ({"day": 7}, "day: a day such as 2026-01-31 or nothing is wanted, and a whole number is"),
        ({"count": 0}, "count: at least 1 is wanted"),
        ({"code": "b"}, "code: not of the form that is wanted"),
        ({"more": 1}, "more: not known here"),
        ([], "an object is wanted, and a list is there"),
    ],
)
def test_a_fault_is_told_in_words(document: Any, told: str) -> None:
    with pytest.raises(msgspec.ValidationError) as fault:
        msgspec.json.decode(msgspec.json.encode(document), type=Whole)
    assert in_words(fault.value).startswith(told)


def test_other_words_are_left_as_they_are() -> None:
    assert in_words(ValueError("anything")) == "anything"
