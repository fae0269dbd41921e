"""What is wrong with a document, in words for whoever wrote it: msgspec's own speak of its schema.

For files that people make and send each other. What a network sends is told by
gateway/edge/body.py, which never repeats a value.
"""

from __future__ import annotations

import re
from typing import Final

_PLACE: Final = re.compile(r"\A(?P<text>.*?)(?: - at `(?:key in )?\$(?P<path>.*)`)?\Z", re.DOTALL)
_NAMED: Final = re.compile(r"\AObject (?P<how>missing required|contains unknown) field `(.*)`\Z")
_COUNT: Final = re.compile(r"\AExpected `(array|str|object)` of length (>=|<=|==) (\d+)\Z")
_TYPE: Final = re.compile(r"\AExpected `(.*)`, got `(.*)`\Z")
_RANGE: Final = re.compile(r"\AExpected `int` (>=|<=) (-?\d+)\Z")
_BOUND: Final = {">=": "at least", "<=": "at most", "==": "exactly"}
_KINDS: Final = {
    "array": "a list",
    "object": "an object",
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
    "date": "a day such as 2026-01-31",
}


def in_words(fault: Exception) -> str:
    """What a decoder found wrong, the member first."""
    found = _PLACE.match(str(fault))
    text, path = (found["text"], found["path"] or "") if found else (str(fault), "")
    place = path.lstrip(".")
    if named := _NAMED.match(text):
        member = f"{place}.{named[2]}" if place else named[2]
        return f"{member} is missing" if "missing" in named["how"] else f"{member}: not known here"
    return f"{place}: {_said(text)}" if place else _said(text)


def _said(text: str) -> str:
    if text == "Expected `str` of length >= 1":
        return "it is empty"
    if count := _COUNT.match(text):
        what = {"array": "of them", "str": "letters"}.get(count[1], "members")
        return f"{_BOUND[count[2]]} {count[3]} {what} are wanted"
    if bound := _RANGE.match(text):
        return f"{_BOUND[bound[1]]} {bound[2]} is wanted"
    if kind := _TYPE.match(text):
        wanted, got = (
            " or ".join(_KINDS.get(each, each) for each in side.split(" | "))
            for side in kind.groups()
        )
        return f"{wanted} is wanted, and {got} is there"
    if text.startswith("Expected `str` matching regex"):
        return "not of the form that is wanted"
    return text
