"""A manifest made ready to decide: programs per stretch of time, and the decision itself.

Nothing here reads a clock. `decide` is given the instant, and returns with its answer the interval
around it in which the answer stays the same; the commit checks the database's clock against it.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from scenarios import grammar as g
from scenarios.calendar import DAY_US, Calendar, time_of_day_us, to_date, to_day_number
from scenarios.closures import Ask, Cut, Scope, ask, clock_us, cuts
from scenarios.contract import ALWAYS_US, FOREVER_US, Outcome, Values, Verdict
from scenarios.facts import facts_type, to_us
from scenarios.manifest import Clause, Manifest
from scenarios.units import Unit
from scenarios.universal import INPUTS, UNIVERSAL, ClauseInfo, met_bits

__all__ = ["COMPILER_VERSION", "ClauseInfo", "Compiled", "compile_scenario"]

#: Part of every revision: raised whenever the same manifest would decide differently.
COMPILER_VERSION = 2

_ALWAYS = (ALWAYS_US, FOREVER_US)


class Rule(msgspec.Struct, frozen=True):
    """One clause at work: its bit, its question, and the facts without which it has no answer."""

    bit: int
    ask: Ask
    cuts: tuple[Cut, ...]
    needs: tuple[str, ...]
    by_calendar: bool

    def is_answerable(self, facts: Any, covered: bool) -> bool:
        """Whether the facts were sent and, where it matters, the calendar knows the day."""
        if self.by_calendar and not covered:
            return False
        return all(getattr(facts, name) is not UNSET for name in self.needs)


class Program(msgspec.Struct, frozen=True):
    """The rules between two changes of parameters: `since_us <= t < until_us`.

    `clocks` are the times of day (microseconds) at which an answer may turn; `window_us` is what
    the calendar covers, or all time where no rule asks it. `in_force` is false before the first
    value of a parameter: such a time cannot be assessed.
    """

    since_us: int
    until_us: int
    rules: tuple[Rule, ...]
    in_force: bool
    is_complete: Callable[[Any], bool]
    times: tuple[Callable[[Any], datetime | UnsetType], ...]
    assessing: int
    every: int
    clocks: tuple[int, ...]
    window_us: tuple[int, int]

    def decide(self, values: Values, facts: Any, t: int) -> Verdict:
        """The verdict at `t`; every rule is asked, so that the reasons are complete."""
        rules, met = self.rules, met_bits(values)
        covered = self.window_us[0] <= t < self.window_us[1]
        if covered and self.in_force and self.is_complete(facts):
            met |= INPUTS
        else:
            rules = tuple(rule for rule in rules if rule.is_answerable(facts, covered))
        when = (t, *[_moment(time(facts)) for time in self.times])
        since, until = self._stretch(values, t)
        for rule in rules:
            if rule.ask(values, facts, when):
                met |= rule.bit
            for cut in rule.cuts:
                turn = cut(values, when)
                if since < turn <= t:
                    since = turn
                elif t < turn < until:
                    until = turn
        return Verdict(self._outcome(met), met, since, until)

    def _outcome(self, met: int) -> Outcome:
        if met == self.every:
            return Outcome.ELIGIBLE
        if met & self.assessing == self.assessing:
            return Outcome.STANDARD_PATH
        return Outcome.CANNOT_ASSESS

    def _stretch(self, values: Values, t: int) -> tuple[int, int]:
        """Where the values, the parameters and the time of day all stay as they are."""
        since, until = values.since_us, values.until_us
        start, end = self.turns(t) if self.clocks else _ALWAYS
        # Comparisons, since calls of max and min would cost a tenth of a decision.
        since = start if start > since else since
        until = end if end < until else until
        since = self.since_us if self.since_us > since else since
        return since, self.until_us if self.until_us < until else until

    def turns(self, t: int) -> tuple[int, int]:
        """The stretch of the day in Asia/Shanghai, between two times of `clocks`, around `t`."""
        elapsed = time_of_day_us(t)
        index = bisect_right(self.clocks, elapsed)
        end = self.clocks[index] if index < len(self.clocks) else DAY_US
        midnight = t - elapsed
        return midnight + self.clocks[index - 1], midnight + end


class Compiled(msgspec.Struct, frozen=True):
    """A scenario ready to decide, built once and never changed.

    `revision` is 32 bytes: SHA-256 over the manifest with its dated parameters, the compiler's
    version and the calendar's days. `clauses` are in the order of the bits of `Verdict.met`, the
    universal ones first. `facts_type` is what a party's facts are decoded into.
    """

    id: str
    manifest: Manifest
    revision: bytes
    reads: frozenset[str]
    clauses: tuple[ClauseInfo, ...]
    facts_type: type[msgspec.Struct]
    starts_us: tuple[int, ...]
    programs: tuple[Program, ...]

    def decide(self, values: Values, facts: msgspec.Struct, t: int) -> Verdict:
        """May this citizen have this benefit at `t` (microseconds, UTC)? Pure.

        `facts` is an instance of `facts_type`. The verdict is the same for every instant of its
        interval, the values and facts being the same.
        """
        return self.programs[bisect_right(self.starts_us, t)].decide(values, facts, t)

    def program_at(self, t: int) -> Program:
        """The rules in force at `t` (microseconds, UTC)."""
        return self.programs[bisect_right(self.starts_us, t)]

    def unmet(self, verdict: Verdict) -> tuple[ClauseInfo, ...]:
        """The clauses that the verdict found unmet: for the citizen's eyes only."""
        return tuple(
            clause for bit, clause in enumerate(self.clauses) if not verdict.met >> bit & 1
        )


def compile_scenario(manifest: Manifest, calendar: Calendar) -> Compiled:
    """The manifest made ready to decide; it must have passed the static checks."""
    starts = sorted({dated.start_us for param in manifest.parameters for dated in param.dated})
    bounds = [ALWAYS_US, *starts, FOREVER_US]
    return Compiled(
        id=manifest.id,
        manifest=manifest,
        revision=_revision(manifest, calendar),
        reads=frozenset(manifest.reads),
        clauses=UNIVERSAL + tuple(_info(clause) for clause in manifest.clauses),
        facts_type=facts_type(manifest),
        starts_us=tuple(starts),
        programs=tuple(
            _program(manifest, calendar, since, until) for since, until in pairwise(bounds)
        ),
    )


def _info(clause: Clause) -> ClauseInfo:
    return ClauseInfo(
        id=clause.id,
        zh=clause.zh,
        en=clause.en,
        help_zh=clause.help_zh,
        help_en=clause.help_en,
        fails=Outcome[clause.fails.upper()],
    )


def _revision(manifest: Manifest, calendar: Calendar) -> bytes:
    days = [sorted(calendar.holidays), sorted(calendar.workdays), calendar.covers]
    return hashlib.sha256(
        msgspec.json.encode([COMPILER_VERSION, days]) + b"\n" + manifest.canonical()
    ).digest()


def _program(manifest: Manifest, calendar: Calendar, since: int, until: int) -> Program:
    scope = _scope(manifest, calendar, since)
    rules = tuple(
        _rule(clause, bit, manifest, scope)
        for bit, clause in enumerate(manifest.clauses, start=len(UNIVERSAL))
        if _params(clause) <= scope.params.keys()
    )
    assessing = [bit for bit, c in enumerate(manifest.clauses) if c.fails == "cannot_assess"]
    nodes = [node for clause in manifest.clauses for node in g.walk(clause.when)]
    by_calendar = any(isinstance(node, g.WorkingDay | g.Holiday) for node in nodes)
    return Program(
        since_us=since,
        until_us=until,
        rules=rules,
        in_force=len(scope.params) == len(manifest.parameters),
        is_complete=_completeness([fact.name for fact in manifest.facts if not fact.optional]),
        times=tuple(attrgetter(name) for name in scope.times),
        assessing=INPUTS | sum(1 << bit + len(UNIVERSAL) for bit in assessing),
        every=(1 << len(UNIVERSAL) + len(manifest.clauses)) - 1,
        clocks=_clocks(manifest, scope),
        window_us=calendar.window_us() if by_calendar else _ALWAYS,
    )


def _moment(time: datetime | UnsetType) -> int | None:
    return None if time is UNSET else to_us(time)


def _scope(manifest: Manifest, calendar: Calendar, since: int) -> Scope:
    in_force = [(param.name, param.at(since)) for param in manifest.parameters]
    times = [fact.name for fact in manifest.facts if fact.unit is Unit.TIME]
    first, last = map(to_day_number, calendar.covers)
    days = range(first, last + 1)
    return Scope(
        params={name: dated.value for name, dated in in_force if dated is not None},
        per_band=frozenset(param.name for param in manifest.parameters if param.by is not None),
        optional=frozenset(fact.name for fact in manifest.facts if fact.optional),
        times={name: place for place, name in enumerate(times, start=1)},
        working=frozenset(day for day in days if calendar.is_working_day(to_date(day))),
        holidays=frozenset(day for day in days if to_date(day) in calendar.holidays),
    )


def _rule(clause: Clause, bit: int, manifest: Manifest, scope: Scope) -> Rule:
    nodes = list(g.walk(clause.when))
    named = {node.name for node in nodes if isinstance(node, g.Fact)}
    return Rule(
        bit=1 << bit,
        ask=ask(clause.when, scope),
        cuts=cuts(clause.when, scope),
        needs=tuple(sorted(named - scope.optional)),
        by_calendar=any(isinstance(node, g.WorkingDay | g.Holiday) for node in nodes),
    )


def _params(clause: Clause) -> set[str]:
    return {node.name for node in g.walk(clause.when) if isinstance(node, g.Param)}


def _clocks(manifest: Manifest, scope: Scope) -> tuple[int, ...]:
    """The times of day at which some rule turns; midnight always among them, if there are any."""
    clocks: set[int] = set()
    for clause in manifest.clauses:
        if not _params(clause) <= scope.params.keys():
            continue
        for node in g.walk(clause.when):
            if isinstance(node, g.Between):
                clocks |= {0, *clock_us(node, scope)}
            elif isinstance(node, g.WorkingDay | g.Holiday):
                clocks.add(0)
    return tuple(sorted(clocks))


def _completeness(required: list[str]) -> Callable[[Any], bool]:
    if not required:
        return lambda facts: True
    # With a single name attrgetter yields no tuple, hence one name twice.
    every = attrgetter(*required, required[0])
    return lambda facts: UNSET not in every(facts)
