"""The closed grammar of clauses: every form a rule can take, and how TOML spells it.

A clause asks one question, written as a table with one key, its operator:

    { ge = ["standing.band", "param.band_floor"] }
    { le = [{ sum = ["standing.waived_fen", "fact.deposit_fen"] }, "param.cap_fen"] }
    { any = [{ not = { present = "fact.card" } }, { in = ["fact.card", "standing.cards"] }] }

There are no variables, no loops and no functions. What is not written here cannot be asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal, cast, get_args

import msgspec

from scenarios.problem import Finding, Path

Operator = Literal["eq", "ne", "lt", "le", "gt", "ge"]

_OPERATORS = get_args(Operator)
_REFERENCE = re.compile(r"^(fact|standing|party|param)\.([a-z][a-z0-9_]*)$")
_CLOCK = re.compile(r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")


class Node(msgspec.Struct, frozen=True, tag=str.lower):
    """A part of a clause."""


class Fact(Node, frozen=True):
    """A fact that the asking party sends."""

    name: str


class Standing(Node, frozen=True):
    """A value of the citizen's standing, or of the city's own rows."""

    name: str


class Party(Node, frozen=True):
    """A property of the asking party, from its registration."""

    name: str


class Param(Node, frozen=True):
    """A dated parameter of the manifest."""

    name: str


class Constant(Node, frozen=True):
    """A literal: an integer takes the unit of what it stands beside."""

    value: int | bool | str


class Now(Node, frozen=True):
    """The instant of the decision."""


class Sum(Node, frozen=True):
    """Amounts of one unit added up."""

    terms: tuple[Operand, ...]


class Difference(Node, frozen=True):
    """One amount less another of the same unit."""

    left: Operand
    right: Operand


class Compare(Node, frozen=True):
    """Two values of one unit compared. False where one of them is absent."""

    op: Operator
    left: Operand
    right: Operand


class Member(Node, frozen=True):
    """Whether a value is in a list. False where the value is absent."""

    item: Operand
    group: Operand


class All(Node, frozen=True):
    """Every test holds."""

    tests: tuple[Test, ...]


class Any(Node, frozen=True):
    """At least one test holds."""

    tests: tuple[Test, ...]


class Not(Node, frozen=True):
    """The test does not hold."""

    test: Test


class Present(Node, frozen=True):
    """Whether something that may be absent is there."""

    what: Operand


class WorkingDay(Node, frozen=True):
    """Whether now falls on a working day in mainland China."""


class Holiday(Node, frozen=True):
    """Whether now falls on a public holiday in mainland China."""


class Between(Node, frozen=True):
    """Whether the time of day in Asia/Shanghai is in [start, end)."""

    start: Operand
    end: Operand


class Within(Node, frozen=True):
    """Whether a time is at least, at most so many days (of 24 hours) after now."""

    time: Operand
    at_least_days: Operand | None = None
    at_most_days: Operand | None = None


Operand = Fact | Standing | Party | Param | Constant | Now | Sum | Difference
Test = Compare | Member | All | Any | Not | Present | WorkingDay | Holiday | Between | Within


class GrammarError(Exception):
    """A clause is not written in the grammar; `finding` says where and how to mend it."""

    def __init__(self, path: Path, message: str, remedy: str) -> None:
        self.finding = Finding(path, message, remedy)
        super().__init__(message)


def is_clock(text: str) -> bool:
    """Whether a text is a time of day, "HH:MM" on 24 hours."""
    return _CLOCK.match(text) is not None


def walk(node: Node) -> Iterator[Node]:
    """The node and every part of it, outermost first."""
    yield node
    for name in node.__struct_fields__:
        value = getattr(node, name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Node):
                yield from walk(part)


def parse_test(raw: object, path: Path) -> Test:
    """The test that a TOML value spells.

    Raises `GrammarError` where it spells none.
    """
    key, value = _single(raw, path, tuple(sorted(_TESTS)))
    parse = _TESTS.get(key)
    if parse is None:
        raise GrammarError(
            path, f"Unknown operator `{key}`.", f"Use one of: {', '.join(sorted(_TESTS))}."
        )
    return parse(key, value, (*path, key))


def parse_operand(raw: object, path: Path) -> Operand:
    """The operand that a TOML value spells.

    Raises `GrammarError` where it spells none.
    """
    if isinstance(raw, bool | int):
        return Constant(raw)
    if isinstance(raw, str):
        return _reference(raw, path)
    key, value = _single(raw, path, ("difference", "sum", "text"))
    if key == "sum":
        return Sum(_operands(value, (*path, key), 2, 8))
    if key == "difference":
        left, right = _operands(value, (*path, key), 2, 2)
        return Difference(left, right)
    if key == "text" and isinstance(value, str):
        return Constant(value)
    raise GrammarError(
        path,
        f"`{key}` spells no operand.",
        'Write a reference such as "fact.x", a number, { text = "…" }, { sum = […] } '
        "or { difference = […] }.",
    )


def _reference(raw: str, path: Path) -> Operand:
    if raw == "now":
        return Now()
    match = _REFERENCE.match(raw)
    if match is None:
        raise GrammarError(
            path,
            f"`{raw}` is no reference.",
            'Write "fact.x", "standing.x", "party.x", "param.x" or "now"; a text is '
            '{ text = "…" }.',
        )
    kinds: dict[str, Callable[[str], Operand]] = {
        "fact": Fact,
        "standing": Standing,
        "party": Party,
        "param": Param,
    }
    return kinds[match[1]](match[2])


def _single(raw: object, path: Path, known: tuple[str, ...]) -> tuple[str, object]:
    """The one key of a table and its value."""
    if isinstance(raw, dict) and len(raw) == 1:
        (item,) = raw.items()
        return cast("tuple[str, object]", item)
    raise GrammarError(
        path, "A table with exactly one key is wanted here.", f"Use one of: {', '.join(known)}."
    )


def _list(raw: object, path: Path, least: int, most: int) -> list[object]:
    if isinstance(raw, list) and least <= len(raw) <= most:
        return raw
    wanted = f"{least}" if least == most else f"{least} to {most}"
    raise GrammarError(
        path, f"A list of {wanted} entries is wanted here.", "Add or remove entries."
    )


def _operands(raw: object, path: Path, least: int, most: int) -> tuple[Operand, ...]:
    entries = enumerate(_list(raw, path, least, most))
    return tuple(parse_operand(entry, (*path, index)) for index, entry in entries)


def _compare(key: str, raw: object, path: Path) -> Test:
    left, right = _operands(raw, path, 2, 2)
    return Compare(cast("Operator", key), left, right)


def _member(key: str, raw: object, path: Path) -> Test:
    item, group = _operands(raw, path, 2, 2)
    return Member(item, group)


def _several(key: str, raw: object, path: Path) -> Test:
    entries = enumerate(_list(raw, path, 2, 8))
    tests = tuple(parse_test(entry, (*path, index)) for index, entry in entries)
    return All(tests) if key == "all" else Any(tests)


def _not(key: str, raw: object, path: Path) -> Test:
    return Not(parse_test(raw, path))


def _present(key: str, raw: object, path: Path) -> Test:
    return Present(parse_operand(raw, path))


def _day(key: str, raw: object, path: Path) -> Test:
    if raw != "now":
        raise GrammarError(path, "The calendar is asked about now.", f'Write {key} = "now".')
    return WorkingDay() if key == "working_day" else Holiday()


def _between(key: str, raw: object, path: Path) -> Test:
    now, start, end = _list(raw, path, 3, 3)
    if now != "now":
        raise GrammarError(path, "The clock is asked about now.", 'Begin the list with "now".')
    return Between(_clock(start, (*path, 1)), _clock(end, (*path, 2)))


def _clock(raw: object, path: Path) -> Operand:
    if isinstance(raw, str) and is_clock(raw):
        return Constant(raw)
    if isinstance(raw, str) and raw.startswith("param."):
        return _reference(raw, path)
    raise GrammarError(
        path, f"`{raw}` is no time of day.", 'Write "HH:MM", or a parameter of unit clock.'
    )


def _within(key: str, raw: object, path: Path) -> Test:
    known = {"time", "at_least_days", "at_most_days"}
    if not isinstance(raw, dict) or "time" not in raw or set(raw) - known or len(raw) < 2:
        raise GrammarError(
            path,
            "`within` wants a time and a limit in days.",
            'Write { time = "fact.x", at_most_days = "param.y" }, at_least_days or both.',
        )
    parts = {name: parse_operand(value, (*path, name)) for name, value in raw.items()}
    return Within(**parts)


_TESTS: dict[str, Callable[[str, object, Path], Test]] = {
    **dict.fromkeys(_OPERATORS, _compare),
    "in": _member,
    "all": _several,
    "any": _several,
    "not": _not,
    "present": _present,
    "working_day": _day,
    "holiday": _day,
    "between": _between,
    "within": _within,
}
