"""The rule read word by word: slow, obvious, and written apart from the compiler it checks.

Times are datetimes here and microseconds there; nothing is shared but the manifest.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone
from typing import Any

import msgspec
from msgspec import UNSET

from scenarios import grammar as g
from scenarios.calendar import Calendar
from scenarios.contract import Outcome, Values
from scenarios.manifest import Clause, Manifest

_SHANGHAI = timezone(timedelta(hours=8))


class World(msgspec.Struct, frozen=True):
    """All that a rule can be asked about, at one instant."""

    manifest: Manifest
    calendar: Calendar
    values: Values
    facts: msgspec.Struct
    t: int

    @property
    def now(self) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.t)

    @property
    def local(self) -> datetime:
        return self.now.astimezone(_SHANGHAI)

    def param(self, name: str) -> Any:
        """The value in force, or None."""
        (param,) = [param for param in self.manifest.parameters if param.name == name]
        value = None
        for dated in param.dated:
            if datetime.combine(dated.start, time(), _SHANGHAI) <= self.now:
                value = dated.value
        if param.by is not None and isinstance(value, tuple):
            return value[self.values.band]
        return value

    def fact(self, name: str) -> Any:
        value = getattr(self.facts, name)
        return None if value is UNSET else value


def decide(world: World) -> tuple[Outcome, set[str]]:
    """The outcome and the names of the clauses not met."""
    unmet = _universal(world)
    cannot = not _inputs(world)
    if cannot:
        unmet.add("inputs")
    for clause in world.manifest.clauses:
        if not (_answerable(clause, world) and holds(clause.when, world)):
            unmet.add(clause.id)
            cannot = cannot or clause.fails == "cannot_assess"
    if cannot:
        return Outcome.CANNOT_ASSESS, unmet
    return (Outcome.STANDARD_PATH if unmet else Outcome.ELIGIBLE), unmet


def _universal(world: World) -> set[str]:
    wanted = {"known": True, "consent": True, "used_up": False, "probed": False}
    wanted |= {"suspended": False, "objected": False, "recognised": True}
    return {name for name, value in wanted.items() if getattr(world.values, name) is not value}


def _inputs(world: World) -> bool:
    required = [fact.name for fact in world.manifest.facts if not fact.optional]
    sent = all(world.fact(name) is not None for name in required)
    in_force = all(world.param(param.name) is not None for param in world.manifest.parameters)
    return sent and in_force and all(_covered(c, world) for c in world.manifest.clauses)


def _covered(clause: Clause, world: World) -> bool:
    asks = any(isinstance(node, g.WorkingDay | g.Holiday) for node in g.walk(clause.when))
    first, last = world.calendar.covers
    return not asks or first <= world.local.date() <= last


def _answerable(clause: Clause, world: World) -> bool:
    optional = {fact.name for fact in world.manifest.facts if fact.optional}
    for node in g.walk(clause.when):
        if isinstance(node, g.Fact) and node.name not in optional and world.fact(node.name) is None:
            return False
        if isinstance(node, g.Param) and world.param(node.name) is None:
            return False
    return _covered(clause, world)


def value_of(operand: g.Operand, world: World) -> Any:
    """What an operand stands for; None where it is absent."""
    match operand:
        case g.Fact(name):
            return world.fact(name)
        case g.Standing(name):
            return getattr(world.values, name)
        case g.Party(name):
            return getattr(world.values, "party_" + name)
        case g.Param(name):
            return world.param(name)
        case g.Constant(value):
            return value
        case g.Now():
            return world.now
        case g.Sum(terms):
            return sum(value_of(term, world) for term in terms)
        case g.Difference(left, right):
            return value_of(left, world) - value_of(right, world)


def holds(test: g.Test, world: World) -> bool:
    """Whether a test holds; one about something absent does not."""
    match test:
        case g.All(tests):
            return all(holds(part, world) for part in tests)
        case g.Any(tests):
            return any(holds(part, world) for part in tests)
        case g.Not(inner):
            return not holds(inner, world)
        case g.Present(what):
            return value_of(what, world) is not None
        case g.Member(item, group):
            return value_of(item, world) in value_of(group, world)
        case g.Compare(op, left, right):
            return _compare(op, value_of(left, world), value_of(right, world))
        case g.WorkingDay():
            return world.calendar.is_working_day(world.local.date())
        case g.Holiday():
            return world.local.date() in world.calendar.holidays
        case g.Between(start, end):
            clock = world.local.time()
            start_at = time.fromisoformat(value_of(start, world))
            return start_at <= clock < time.fromisoformat(value_of(end, world))
        case g.Within():
            return _within(test, world)


def _compare(op: str, left: Any, right: Any) -> bool:
    if left is None or right is None:
        return False
    answers = {"eq": left == right, "ne": left != right}
    if op in answers:
        return bool(answers[op])
    below = left < right
    return bool({"lt": below, "ge": not below, "gt": right < left, "le": not right < left}[op])


def _within(test: g.Within, world: World) -> bool:
    at = value_of(test.time, world)
    if at is None:
        return False
    least, most = test.at_least_days, test.at_most_days
    if least is not None and at < world.now + timedelta(days=value_of(least, world)):
        return False
    return most is None or at <= world.now + timedelta(days=value_of(most, world))
