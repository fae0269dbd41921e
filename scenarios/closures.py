"""Clauses turned into closures, specialised for the values that are known beforehand.

A decision runs a dozen of these within microseconds, so a parameter or literal is bound when the
closure is made, and the frequent forms (a value against a bound) have closures of their own.
Time is special: every test about time is a conjunction of edges, instants at which its answer
turns. The edges also say how long a verdict holds.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET

from scenarios import grammar as g
from scenarios.calendar import DAY_US, MINUTE_US, day_number, time_of_day_us
from scenarios.contract import ALWAYS_US, Values
from scenarios.manifest import Value
from scenarios.units import STANDING

When = tuple[Any, ...]
"""The instant of the decision, then each fact of unit time: microseconds, None where not sent."""

Read = Callable[[Values, Any], Any]
Cut = Callable[[Values, When], int]
Ask = Callable[[Values, Any, When], bool]

_OPERATIONS: Mapping[str, Callable[[Any, Any], bool]] = {
    name: getattr(operator, name) for name in ("eq", "ne", "lt", "le", "gt", "ge")
}
_MIRRORED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}


class Scope(msgspec.Struct, frozen=True):
    """What is fixed while closures are made: parameters in force, optional facts, the calendar.

    `times` maps each fact of unit time to its place in `When`, so that it is converted once for
    a decision. `working` and `holidays` are sets of day numbers, see `scenarios.calendar`.
    """

    params: Mapping[str, Value]
    per_band: frozenset[str]
    optional: frozenset[str]
    times: Mapping[str, int]
    working: frozenset[int]
    holidays: frozenset[int]


class Edge(msgspec.Struct, frozen=True):
    """An instant, and whether a test holds from it on (`after`) or until it."""

    at: Cut
    after: bool


def ask(test: g.Test, scope: Scope) -> Ask:
    """The closure that answers a test for values, facts and an instant."""
    match test:
        case g.All(tests):
            return _conjunction([ask(part, scope) for part in tests])
        case g.Any(tests):
            return _disjunction([ask(part, scope) for part in tests])
        case g.Not(inner):
            return _negation(ask(inner, scope))
        case g.Present(what):
            return _presence(read(what, scope))
        case g.Member():
            return _membership(test, scope)
        case g.WorkingDay():
            return _on_days(scope.working)
        case g.Holiday():
            return _on_days(scope.holidays)
        case g.Between():
            return _clock(*clock_us(test, scope))
        case g.Compare() if not _about_now(test):
            return _comparison(test, scope)
    return _timely(test, scope)


def cuts(test: g.Test, scope: Scope) -> tuple[Cut, ...]:
    """The instants, given values and facts, at which some part of the test turns."""
    return tuple(
        edge.at
        for node in g.walk(test)
        if isinstance(node, g.Within) or (isinstance(node, g.Compare) and _about_now(node))
        for edge in _edges(node, scope)
    )


def clock_us(test: g.Between, scope: Scope) -> tuple[int, int]:
    """The two times of day of a test, in microseconds after midnight in Asia/Shanghai."""
    start, end = (str(_constant(part, scope)) for part in (test.start, test.end))
    return _since_midnight_us(start), _since_midnight_us(end)


def read(operand: g.Operand, scope: Scope) -> Read:
    """The closure that yields an operand; None or UNSET where it is absent."""
    match operand:
        case g.Fact(name):
            fact = attrgetter(name)
            return lambda values, facts: fact(facts)
        case g.Standing(name):
            standing = attrgetter(name)
            return lambda values, facts: standing(values)
        case g.Party(name):
            party = attrgetter(f"party_{name}")
            return lambda values, facts: party(values)
        case g.Param(name) if name in scope.per_band:
            table = _table(name, scope)
            return lambda values, facts: table[values.band]
        case g.Sum(terms):
            return _total([read(term, scope) for term in terms])
        case g.Difference(left, right):
            return _difference(read(left, scope), read(right, scope))
    constant = _constant(operand, scope)
    return lambda values, facts: constant


def _is_constant(operand: g.Operand, scope: Scope) -> bool:
    if isinstance(operand, g.Param):
        return operand.name not in scope.per_band
    return isinstance(operand, g.Constant)


def _constant(operand: g.Operand, scope: Scope) -> Any:
    if isinstance(operand, g.Constant):
        return operand.value
    assert isinstance(operand, g.Param), "the static checks admit no other constant"
    return scope.params[operand.name]


def _table(name: str, scope: Scope) -> tuple[Any, ...]:
    values = scope.params[name]
    assert isinstance(values, tuple), "the static checks want six values by band"
    return values


def _total(terms: list[Read]) -> Read:
    if len(terms) == 2:
        first, second = terms
        return lambda values, facts: first(values, facts) + second(values, facts)
    return lambda values, facts: sum(term(values, facts) for term in terms)


def _difference(left: Read, right: Read) -> Read:
    return lambda values, facts: left(values, facts) - right(values, facts)


def _conjunction(parts: list[Ask]) -> Ask:
    if len(parts) == 2:
        first, second = parts
        return lambda values, facts, when: (
            first(values, facts, when) and second(values, facts, when)
        )
    return lambda values, facts, when: all(part(values, facts, when) for part in parts)


def _disjunction(parts: list[Ask]) -> Ask:
    if len(parts) == 2:
        one, two = parts
        return lambda values, facts, when: one(values, facts, when) or two(values, facts, when)
    return lambda values, facts, when: any(part(values, facts, when) for part in parts)


def _negation(inner: Ask) -> Ask:
    return lambda values, facts, when: not inner(values, facts, when)


def _is_absent(value: object) -> bool:
    return value is None or value is UNSET


def _presence(what: Read) -> Ask:
    return lambda values, facts, when: not _is_absent(what(values, facts))


def _membership(test: g.Member, scope: Scope) -> Ask:
    item, group = read(test.item, scope), read(test.group, scope)
    # No list holds None or UNSET, so an absent item is in none of them.
    return lambda values, facts, when: item(values, facts) in group(values, facts)


def _comparison(test: g.Compare, scope: Scope) -> Ask:
    operation = _OPERATIONS[test.op]
    if _may_be_absent(test.left, scope) or _may_be_absent(test.right, scope):
        return _guarded(operation, read(test.left, scope), read(test.right, scope))
    if _is_constant(test.right, scope):
        bound = _constant(test.right, scope)
        if isinstance(test.left, g.Standing):
            return _standing_against(operation, test.left.name, bound)
        left = read(test.left, scope)
        return lambda values, facts, when: operation(left(values, facts), bound)
    left, right = read(test.left, scope), read(test.right, scope)
    return lambda values, facts, when: operation(left(values, facts), right(values, facts))


def _standing_against(operation: Callable[[Any, Any], bool], name: str, bound: Any) -> Ask:
    standing = attrgetter(name)
    return lambda values, facts, when: operation(standing(values), bound)


def _may_be_absent(operand: g.Operand, scope: Scope) -> bool:
    match operand:
        case g.Fact(name):
            return name in scope.optional
        case g.Standing(name):
            return STANDING[name].absent
    return isinstance(operand, g.Party)


def _guarded(operation: Callable[[Any, Any], bool], left: Read, right: Read) -> Ask:
    def compare(values: Values, facts: Any, when: When) -> bool:
        one, other = left(values, facts), right(values, facts)
        return not _is_absent(one) and not _is_absent(other) and operation(one, other)

    return compare


def _on_days(days: frozenset[int]) -> Ask:
    return lambda values, facts, when: day_number(when[0]) in days


def _clock(start_us: int, end_us: int) -> Ask:
    return lambda values, facts, when: start_us <= time_of_day_us(when[0]) < end_us


def _since_midnight_us(clock: str) -> int:
    hours, minutes = clock.split(":")
    return (int(hours) * 60 + int(minutes)) * MINUTE_US


def _about_now(test: g.Compare) -> bool:
    return isinstance(test.left, g.Now) or isinstance(test.right, g.Now)


def _timely(test: g.Compare | g.Within, scope: Scope) -> Ask:
    """A test against the clock: every edge is passed, or not yet, as it should be."""
    asks = [_edge(edge) for edge in _edges(test, scope)]
    inner = asks[0] if len(asks) == 1 else _conjunction(asks)
    name = _time_fact(test).name
    if name not in scope.optional:
        return inner
    index = scope.times[name]
    return lambda values, facts, when: when[index] is not None and inner(values, facts, when)


def _edge(edge: Edge) -> Ask:
    at = edge.at
    if edge.after:
        return lambda values, facts, when: when[0] >= at(values, when)
    return lambda values, facts, when: when[0] < at(values, when)


def _edges(test: g.Compare | g.Within, scope: Scope) -> list[Edge]:
    name = _time_fact(test).name
    if isinstance(test, g.Compare):
        op = test.op if isinstance(test.left, g.Now) else _MIRRORED[test.op]
        # now >= T and now < T turn at T; now > T and now <= T turn one microsecond later.
        return [Edge(_shifted(name, scope, 1 if op in ("gt", "le") else 0), op in ("gt", "ge"))]
    edges = []
    if test.at_most_days is not None:  # T <= now + n days, so from T - n days on
        edges.append(Edge(_ahead(name, test.at_most_days, 0, scope), after=True))
    if test.at_least_days is not None:  # T >= now + n days, so until T - n days, inclusive
        edges.append(Edge(_ahead(name, test.at_least_days, 1, scope), after=False))
    return edges


def _time_fact(test: g.Compare | g.Within) -> g.Fact:
    if isinstance(test, g.Within):
        fact = test.time
    else:
        fact = test.right if isinstance(test.left, g.Now) else test.left
    assert isinstance(fact, g.Fact), "the static checks admit only facts of unit time"
    return fact


def _ahead(name: str, days: g.Operand, plus_us: int, scope: Scope) -> Cut:
    """The instant so many days before a time fact, and `plus_us` microseconds."""
    if _is_constant(days, scope):
        return _shifted(name, scope, plus_us - _constant(days, scope) * DAY_US)
    assert isinstance(days, g.Param), "the static checks admit a parameter or a number"
    cuts_by_band = [
        _shifted(name, scope, plus_us - count * DAY_US) for count in _table(days.name, scope)
    ]
    return lambda values, when: cuts_by_band[values.band](values, when)


def _shifted(name: str, scope: Scope, shift_us: int) -> Cut:
    index = scope.times[name]

    def cut(values: Values, when: When) -> int:
        time = when[index]
        # A test about a time that was not sent is false for ever: it narrows nothing.
        return ALWAYS_US if time is None else time + shift_us

    return cut
