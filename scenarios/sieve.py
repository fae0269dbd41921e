"""Which of many scenarios are open to one citizen: one look at the facts, one at the citizen.

A search asks every scenario of a party at once and wants to know which answers are `eligible`, not
why the others are none. So a set of scenarios is an integer here, one bit for each, and a test that
several scenarios ask alike is asked once and shuts them all. The tests are the very closures that
`Compiled.decide` asks. Which of them are asked depends on the party's facts alone, so the time
taken says nothing of the citizen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from scenarios import grammar as g
from scenarios.closures import Ask, Cut
from scenarios.compiler import Compiled, Program
from scenarios.contract import ALWAYS_US, FOREVER_US, Values
from scenarios.facts import to_us
from scenarios.ladder import Ladder, Rung
from scenarios.shapes import Names, reads_of
from scenarios.sheet import Sheet, SheetReader
from scenarios.units import Unit


class Glimpse(msgspec.Struct, frozen=True):
    """What many scenarios of one recipient see of a citizen at one instant.

    `values` are those that do not differ between scenarios, with the interval in which everything
    here stays as it is. The others hold ids of scenarios: with a live consent, with a commitment
    that counts, with a suspended fast lane, with an open objection, and those for which a visitor
    is recognised (None = every one, for a citizen of the city). A consent's daily frequency is
    not looked at: whose consent has one is not to be asked by a search.
    """

    values: Values
    consented: Collection[str]
    committed: Collection[str]
    suspended: Collection[str]
    objected: Collection[str]
    recognised: Collection[str] | None = None


class Sifted(msgspec.Struct, frozen=True):
    """Scenarios by their places in `Sieve.scenarios`, and the interval in which all this holds.

    `asked` are those whose rules were asked, `open` those of them whose answer is `eligible`,
    `unassessed` those whose answer is `cannot_assess`, which never depends on the citizen.
    """

    asked: tuple[int, ...]
    open: tuple[int, ...]
    unassessed: tuple[int, ...]
    since_us: int
    until_us: int


class Sieve:
    """Some compiled scenarios, made ready to be asked together."""

    def __init__(self, scenarios: Sequence[Compiled]) -> None:
        self.scenarios = tuple(scenarios)
        self.reads = frozenset(chain.from_iterable(each.reads for each in self.scenarios))
        self._bits = {each.id: 1 << place for place, each in enumerate(self.scenarios)}
        self._every = (1 << len(self.scenarios)) - 1
        self._reader = SheetReader([each.manifest for each in self.scenarios])
        self._force = _Force(0, 0, 0, (), (), ())

    def read(self, facts: bytes) -> Sheet:
        """The facts in a JSON object, matched to each scenario by name; other members are ignored.

        Raises:
            msgspec.DecodeError: this is not a JSON object.
        """
        return self._reader.read(facts)

    def sift(self, seen: Glimpse, sheet: Sheet, t: int) -> Sifted:
        """What is open at `t` (microseconds, UTC) to the citizen whom the glimpse is of. Pure."""
        force, values = self._in_force(t), seen.values
        asked = sheet.complete & force.assessable
        span = _Span(t, max(force.since, values.since_us), min(force.until, values.until_us))
        failed, unsure = _failed(force, seen, sheet, asked, self._set(seen.committed), span)
        for program in force.clocks:
            span.within(*program.turns(t))
        shut = failed | ~self._set(seen.consented)
        shut |= self._set(seen.suspended) | self._set(seen.objected)
        if seen.recognised is not None:
            shut |= self._every & ~self._set(seen.recognised)
        if values.probed or not values.known:
            shut = self._every
        unassessed = self._every & ~asked | unsure
        return Sifted(
            _places(asked),
            _places(asked & ~shut & ~unassessed),
            _places(unassessed),
            span.since,
            span.until,
        )

    def _set(self, names: Iterable[str]) -> int:
        found = 0
        for name in names:
            found |= self._bits.get(name, 0)
        return found

    def _in_force(self, t: int) -> _Force:
        """What is asked at `t`, kept until a parameter changes or the calendar ends."""
        if not self._force.since <= t < self._force.until:
            self._force = _force(self.scenarios, t)
        return self._force


def _failed(
    force: _Force, seen: Glimpse, sheet: Sheet, asked: int, committed: int, span: _Span
) -> tuple[int, int]:
    """The scenarios of which some test fails, and those that then cannot assess; narrows the span.

    Whatever the answers, every test of the scenarios asked is asked.
    """
    values, kept = seen.values, msgspec.structs.replace(seen.values, commitment=True)
    failed, unsure, whens = 0, 0, _Whens(span.at)
    for ladder, assessing in force.ladders:
        over = ladder.mask & asked
        if over:
            facts = sheet.one or sheet.each[over.bit_length() - 1]
            misses = ladder.failing(values, facts) & over
            failed |= misses
            unsure |= misses & assessing
    for ask, cuts, times, of_promise, mask, assessing in force.tests:
        over = mask & asked
        if not over:
            continue
        facts = sheet.one or sheet.each[over.bit_length() - 1]
        when = whens.of(facts, times)
        misses = 0 if ask(values, facts, when) else over
        if of_promise:
            misses &= ~committed
            misses |= 0 if ask(kept, facts, when) else over & committed
        failed |= misses
        unsure |= misses & assessing
        for cut in cuts:
            span.turn(cut(values, when))
    return failed, unsure


class _Whens:
    """The instant with the moments of time facts; what several tests need is made once."""

    def __init__(self, t: int) -> None:
        self._t = t
        self._made: dict[tuple[str, ...], tuple[int | None, ...]] = {(): (t,)}

    def of(self, facts: Any, times: tuple[str, ...]) -> tuple[int | None, ...]:
        """What a test takes that names these times; facts of one name have one value."""
        found = self._made.get(times)
        if found is None:
            moments = (getattr(facts, name) for name in times)
            found = (self._t, *[None if time is UNSET else to_us(time) for time in moments])
            self._made[times] = found
        return found


class _Span:
    """The interval around an instant, narrowed by whatever turns."""

    __slots__ = ("at", "since", "until")

    def __init__(self, at: int, since: int, until: int) -> None:
        self.at, self.since, self.until = at, since, until

    def turn(self, moment: int) -> None:
        """Something turns at this moment."""
        if self.since < moment <= self.at:
            self.since = moment
        elif self.at < moment < self.until:
            self.until = moment

    def within(self, since: int, until: int) -> None:
        """Something stays as it is for so long only."""
        self.since, self.until = max(self.since, since), min(self.until, until)


class _Test(NamedTuple):
    """A test, and the scenarios that ask it; `assessing` are those of them that say
    `cannot_assess` where it fails. `times` name the facts that `When` holds after the instant."""

    ask: Ask
    cuts: tuple[Cut, ...]
    times: tuple[str, ...]
    of_promise: bool
    mask: int
    assessing: int

    def beside(self, other: _Test) -> _Test:
        """This test, asked by the other's scenarios as well."""
        return self._replace(
            mask=self.mask | other.mask, assessing=self.assessing | other.assessing
        )


class _Force(msgspec.Struct, frozen=True):
    """What is asked from `since` until `until`: the scenarios whose figures and calendar cover it,
    their tests (comparisons that differ in their bounds on ladders, each with those of its
    scenarios that cannot assess where it fails), and one program for each set of times of day at
    which an answer may turn."""

    since: int
    until: int
    assessable: int
    tests: tuple[_Test, ...]
    ladders: tuple[tuple[Ladder, int], ...]
    clocks: tuple[Program, ...]


def _force(scenarios: Sequence[Compiled], t: int) -> _Force:
    span, assessable = _Span(t, ALWAYS_US, FOREVER_US), 0
    clocks: dict[tuple[int, ...], Program] = {}
    tests: dict[Any, _Test] = {}
    rungs: dict[Any, dict[Any, Rung]] = {}
    for place, scenario in enumerate(scenarios):
        program = scenario.program_at(t)
        for edge in (program.since_us, program.until_us, *program.window_us):
            span.turn(edge)
        if not program.in_force or not program.window_us[0] <= t < program.window_us[1]:
            continue
        assessable |= 1 << place
        if program.clocks:
            clocks[program.clocks] = program
        for meaning, test, rung in _tests(scenario, program, 1 << place):
            tests[meaning] = test.beside(tests.get(meaning, test))
            if rung is not None:
                rungs.setdefault(rung.ladder, {})[meaning] = rung
    ladders = tuple(_ladder(each, tests) for each in rungs.values() if len(each) > 1)
    return _Force(
        span.since, span.until, assessable, tuple(tests.values()), ladders, tuple(clocks.values())
    )


def _ladder(rungs: Mapping[Any, Rung], tests: dict[Any, _Test]) -> tuple[Ladder, int]:
    """The ladder of these rungs, which takes the place of their single tests."""
    taken = [(rung, tests.pop(meaning)) for meaning, rung in rungs.items()]
    assessing = 0
    for _, test in taken:
        assessing |= test.assessing
    return Ladder((rung, test.mask) for rung, test in taken), assessing


def _tests(
    scenario: Compiled, program: Program, bit: int
) -> Iterator[tuple[Any, _Test, Rung | None]]:
    """The tests of a program, each with its meaning: equal exactly where two clauses of any
    scenarios, as compiled with one calendar, ask the same of the same facts."""
    names = Names.of(scenario.manifest)
    moments = tuple(fact.name for fact in scenario.manifest.facts if fact.unit is Unit.TIME)
    figures = {param.name: param.at(program.since_us) for param in scenario.manifest.parameters}
    in_force = {name: dated.value for name, dated in figures.items() if dated is not None}
    for clause, rule in zip(scenario.manifest.clauses, program.rules, strict=True):
        nodes = list(g.walk(clause.when))
        facts = [names.facts[node.name] for node in nodes if isinstance(node, g.Fact)]
        params = [node.name for node in nodes if isinstance(node, g.Param)]
        times = moments if any(fact.unit is Unit.TIME for fact in facts) else ()
        meaning = (
            clause.when,
            times,
            tuple((fact.unit, fact.optional) for fact in facts),
            tuple((names.params[name].by, in_force[name]) for name in params),
        )
        assessing = bit if clause.fails == "cannot_assess" else 0
        of_promise = "commitment" in reads_of(clause.when, names)
        test = _Test(rule.ask, rule.cuts, times, of_promise, bit, assessing)
        yield meaning, test, Rung.of(clause.when, in_force.__getitem__)


def _places(scenarios: int) -> tuple[int, ...]:
    """The places of the bits that are set, in order."""
    found = []
    while scenarios:
        lowest = scenarios & -scenarios
        found.append(lowest.bit_length() - 1)
        scenarios ^= lowest
    return tuple(found)
