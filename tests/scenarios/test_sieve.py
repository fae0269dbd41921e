"""A search finds exactly the scenarios whose single answer is `eligible`, and says how long."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios import grammar as g
from scenarios.compiler import Compiled
from scenarios.contract import Outcome, Values, Verdict
from scenarios.facts import among_others, fact_fields
from scenarios.manifest import FactSpec, Manifest, Parameter, Value
from scenarios.sieve import Glimpse, Sieve, Sifted
from scenarios.units import Unit
from tests.scenarios import strategies as some
from tests.scenarios.worlds import (
    CALENDAR,
    NAMES,
    clause,
    compiled,
    packaged,
    sample,
    us,
    with_clauses,
)

QUICK = settings(max_examples=40, deadline=None)
NOON = us("2026-01-14T12:00:00+08:00")


class World(msgspec.Struct):
    """Some scenarios, a citizen before each of them, what a party sends, and an instant."""

    scenarios: list[Compiled]
    citizens: list[Values]
    sent: dict[str, Any]
    t: int
    seed: int

    @property
    def body(self) -> bytes:
        return msgspec.json.encode(self.sent)

    def glimpse(self) -> Glimpse:
        """What the citizens share is the first one's; the rest goes by scenario."""

        def named(flag: str) -> set[str]:
            pairs = zip(self.scenarios, self.citizens, strict=True)
            return {scenario.id for scenario, values in pairs if getattr(values, flag)}

        return Glimpse(
            _shared(self.citizens[0]),
            named("consent"),
            named("commitment"),
            named("suspended"),
            named("objected"),
            named("recognised") if self.visiting else None,
        )

    @property
    def visiting(self) -> bool:
        """Of a citizen of the city nothing is said about recognition."""
        return not all(values.recognised for values in self.citizens)

    def verdict(self, place: int, t: int) -> Verdict | None:
        """The single answer, or None where the facts are not of the declared form."""
        scenario, own = self.scenarios[place], self.citizens[place]
        shared = _shared(self.citizens[0])
        flags = ("consent", "commitment", "suspended", "objected", "recognised")
        values = msgspec.structs.replace(shared, **{flag: getattr(own, flag) for flag in flags})
        kind = among_others("Facts", fact_fields(scenario.manifest))
        try:
            facts = msgspec.json.decode(self.body, type=kind)
        except msgspec.ValidationError:
            return None
        return scenario.decide(values, facts, t)


def _shared(values: Values) -> Values:
    return msgspec.structs.replace(
        values, consent=False, commitment=False, suspended=False, objected=False, used_up=False
    )


def _facts(draw: st.DrawFn) -> tuple[FactSpec, ...]:
    """The sample's facts, with other bounds, another kind, and needed or not."""
    flag = st.booleans()
    return tuple(
        msgspec.structs.replace(
            fact,
            max=draw(st.sampled_from([300, fact.max])) if fact.name == "amount" else fact.max,
            unit=Unit.TEXT if fact.name == "urgent" and draw(flag) else fact.unit,
            optional=draw(flag) if fact.name in ("fee", "soon", "where") else fact.optional,
            max_length=16 if fact.name == "urgent" else fact.max_length,
        )
        for fact in sample().facts
    )


def _figures(draw: st.DrawFn) -> tuple[Parameter, ...]:
    """The sample's parameters, where they are numbers with other values."""
    shift = draw(st.sampled_from([0, 0, 1, 50]))

    def shifted(value: Value) -> Value:
        if isinstance(value, tuple):
            return tuple(n + shift if isinstance(n, int) else n for n in value)
        return min(value + shift, 5) if isinstance(value, int) else value

    return tuple(
        msgspec.structs.replace(
            each,
            dated=tuple(msgspec.structs.replace(d, value=shifted(d.value)) for d in each.dated),
        )
        for each in sample().parameters
    )


def _sent(draw: st.DrawFn, t: int) -> dict[str, Any]:
    """Facts that mostly suffice, near the edges; now and then one is missing or of another form."""
    amount, times = st.integers(290, 310) | st.integers(1, 600), some.near_times(t)
    facts = draw(
        st.fixed_dictionaries(
            {
                "amount": amount,
                "fee": amount,
                "place": st.sampled_from(["a", "b", "c"]),
                "where": st.sampled_from(["330100", "330200"]),
                "due": times,
                "soon": times,
                "urgent": st.booleans(),
            }
        )
    )
    odd = draw(st.sampled_from([None, None, *facts]))
    if odd is not None:
        del facts[odd]
        facts |= draw(st.sampled_from([{}, {odd: "x"}, {odd: "a-text-of-17-signs"}, {odd: 7}]))
    return facts | {"time": "now", "nobody": [{"knows": 1}]}


@st.composite
def worlds(draw: st.DrawFn) -> World:
    t = draw(some.instants())
    count = draw(st.integers(1, 4))
    clauses = [draw(some.clauses()) for _ in range(3)]
    manifests = [
        msgspec.structs.replace(
            sample(),
            id=f"s{i}",
            clauses=draw(st.sampled_from(clauses)),
            facts=_facts(draw),
            parameters=_figures(draw),
        )
        for i in range(count)
    ]
    return World(
        scenarios=[compiled(manifest) for manifest in manifests],
        citizens=[draw(some.values(t)) for _ in range(count)],
        sent=_sent(draw, t),
        t=t,
        seed=draw(st.integers(0, 2**64)),
    )


def sift(world: World, t: int | None = None) -> Sifted:
    sieve = Sieve(world.scenarios)
    return sieve.sift(world.glimpse(), sieve.read(world.body), world.t if t is None else t)


@QUICK
@given(world=worlds())
def test_a_search_and_single_questions_agree(world: World) -> None:
    found = sift(world)
    for place in range(len(world.scenarios)):
        verdict = world.verdict(place, world.t)
        outcome = Outcome.CANNOT_ASSESS if verdict is None else verdict.outcome
        assert (place in found.open) == (outcome is Outcome.ELIGIBLE)
        assert (place in found.unassessed) == (outcome is Outcome.CANNOT_ASSESS)
        assert (place in found.asked) >= (outcome is not Outcome.CANNOT_ASSESS)


@QUICK
@given(world=worlds())
def test_what_was_found_stays_so_within_the_interval(world: World) -> None:
    found = sift(world)
    assert found.since_us <= world.t < found.until_us
    inside = found.since_us + world.seed % (found.until_us - found.since_us)
    for t in (found.since_us, inside, found.until_us - 1):
        for place in range(len(world.scenarios)):
            verdict = world.verdict(place, t)
            outcome = Outcome.CANNOT_ASSESS if verdict is None else verdict.outcome
            assert (place in found.open) == (outcome is Outcome.ELIGIBLE)
            assert (place in found.unassessed) == (outcome is Outcome.CANNOT_ASSESS)


@QUICK
@given(world=worlds(), other=st.integers(0, 2**64))
def test_one_sieve_asked_at_many_instants_forgets_nothing(world: World, other: int) -> None:
    sieve = Sieve(world.scenarios)
    sheet, seen = sieve.read(world.body), world.glimpse()
    values = seen.values
    elsewhere = values.since_us + other % (values.until_us - values.since_us)
    first = sieve.sift(seen, sheet, world.t)
    sieve.sift(seen, sheet, elsewhere)
    assert sieve.sift(seen, sheet, world.t) == first


def _packaged_world(**changes: Any) -> tuple[Sieve, Glimpse, dict[str, Any]]:
    """All five scenarios, and a citizen to whom all but the visitors' are open."""
    registry = packaged()
    sieve = Sieve([registry[name] for name in NAMES])
    facts: dict[str, Any] = {}
    for name in NAMES:
        facts |= registry[name].manifest.example_at(NOON)
    values = Values(
        known=True,
        band=5,
        residency=(facts["community"],),
        points_balance=1_000_000,
        stock=3,
        party_community=facts["community"],
        **changes,
    )
    every = frozenset(NAMES)
    return sieve, Glimpse(values, every, every, frozenset(), frozenset()), facts


def _names(places: tuple[int, ...]) -> set[str]:
    return {NAMES[place] for place in places}


def test_the_packaged_scenarios_are_found_together() -> None:
    sieve, seen, facts = _packaged_world()
    found = sieve.sift(seen, sieve.read(msgspec.json.encode(facts)), NOON)
    assert _names(found.open) == {"rent", "library", "hospital", "points"}


@pytest.mark.parametrize("flag", ["known", "probed"])
def test_to_nobody_and_to_one_who_is_marked_nothing_is_open(flag: str) -> None:
    sieve, seen, facts = _packaged_world()
    values = msgspec.structs.replace(seen.values, **{flag: not getattr(seen.values, flag)})
    sheet = sieve.read(msgspec.json.encode(facts))
    found = sieve.sift(msgspec.structs.replace(seen, values=values), sheet, NOON)
    assert found.open == ()
    assert found.asked == sieve.sift(seen, sheet, NOON).asked


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_fact_leaves_its_own_scenarios_out_and_no_other(name: str) -> None:
    registry = packaged()
    sieve, seen, facts = _packaged_world()
    whole = sieve.sift(seen, sieve.read(msgspec.json.encode(facts)), NOON)
    for fact in registry[name].manifest.facts:
        without = {key: value for key, value in facts.items() if key != fact.name}
        found = sieve.sift(seen, sieve.read(msgspec.json.encode(without)), NOON)
        needing = {
            other
            for other in NAMES
            if any(f.name == fact.name and not f.optional for f in registry[other].manifest.facts)
        }
        assert _names(found.open) >= _names(whole.open) - needing - {name}
        assert needing <= _names(found.unassessed)


def test_a_fact_of_the_wrong_form_shuts_out_those_alone_that_declare_it() -> None:
    sieve, seen, facts = _packaged_world()
    found = sieve.sift(seen, sieve.read(msgspec.json.encode(facts | {"deposit_fen": "x"})), NOON)
    assert _names(found.open) == {"library", "hospital", "points"}
    assert "rent" in _names(found.unassessed)
    sheet = sieve.read(msgspec.json.encode(facts | {"deposit_fen": "x"}))
    assert b"deposit_fen" not in sheet.sent


def test_only_declared_facts_are_kept_each_once_and_in_order() -> None:
    sieve, _, facts = _packaged_world()
    sheet = sieve.read(msgspec.json.encode({"name": "a person", **facts, "deposit_fen": 7}))
    kept = msgspec.json.decode(sheet.sent)
    assert list(kept) == sorted(facts)
    assert kept["deposit_fen"] == 7
    assert datetime.fromisoformat(kept["due_at"]) == datetime.fromisoformat(facts["due_at"])


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b" 7 "])
def test_facts_that_are_no_object_are_an_error(body: bytes) -> None:
    sieve, _, _ = _packaged_world()
    with pytest.raises(msgspec.ValidationError):
        sieve.read(body)


def test_a_test_that_many_scenarios_ask_is_asked_once() -> None:
    twins = [msgspec.structs.replace(packaged()["rent"].manifest, id=f"twin{i}") for i in range(9)]
    sieve = Sieve([compiled(twin) for twin in twins])
    _, seen, facts = _packaged_world()
    sieve.sift(seen, sieve.read(msgspec.json.encode(facts)), NOON)
    assert len(sieve._force.tests) == len(packaged()["rent"].manifest.clauses)


#: Facts of the sample that suffice.
ENOUGH: dict[str, Any] = {
    "amount": 100,
    "place": "a",
    "where": "330100",
    "due": "2026-02-01T00:00:00Z",
    "urgent": True,
}


def _two(one: Manifest, other: Manifest, **facts: Any) -> Sifted:
    """What two scenarios, called so, say of a citizen of the best band who consented to both."""
    manifests = [
        msgspec.structs.replace(each, id=name) for each, name in ((one, "one"), (other, "other"))
    ]
    sieve = Sieve([compiled(each) for each in manifests])
    ids = frozenset({"one", "other"})
    seen = Glimpse(Values(known=True, band=5), ids, (), (), ())
    return sieve.sift(seen, sieve.read(msgspec.json.encode(facts)), NOON)


def _with_cap(manifest: Manifest, fen: int) -> Manifest:
    caps = tuple(
        msgspec.structs.replace(
            each, dated=tuple(msgspec.structs.replace(d, value=(fen,) * 6) for d in each.dated)
        )
        if each.name == "cap"
        else each
        for each in manifest.parameters
    )
    return msgspec.structs.replace(manifest, parameters=caps)


def test_equal_words_with_other_figures_are_other_tests() -> None:
    """Two scenarios ask `amount <= cap`, each with a cap of its own."""
    capped = with_clauses(clause({"le": ["fact.amount", "param.cap"]}))
    found = _two(_with_cap(capped, 100), _with_cap(capped, 99), **ENOUGH)
    assert (found.open, found.unassessed) == ((0,), ())


def test_a_bound_that_is_missed_may_mean_that_nothing_can_be_assessed() -> None:
    capped = with_clauses(clause({"le": ["fact.amount", "param.cap"]}, "cannot_assess"))
    found = _two(_with_cap(capped, 100), _with_cap(capped, 99), **ENOUGH)
    assert (found.open, found.unassessed) == ((0,), (1,))


@pytest.mark.parametrize("turned", [False, True])
def test_equal_words_about_a_fact_that_one_may_lack_are_other_tests(turned: bool) -> None:
    """`where` was not sent: who needs it cannot assess, and to the other its test is false."""
    needing = with_clauses(clause(g.Compare("ne", g.Fact("where"), g.Constant("330200"))))
    facts = tuple(
        msgspec.structs.replace(fact, optional=fact.optional or fact.name == "where")
        for fact in needing.facts
    )
    lacking = msgspec.structs.replace(needing, facts=facts)
    pair = (lacking, needing) if turned else (needing, lacking)
    assert _two(*pair, **ENOUGH).open == (0, 1)
    without = {name: value for name, value in ENOUGH.items() if name != "where"}
    found = _two(*pair, **without)
    assert (found.open, found.unassessed) == ((), (1,) if turned else (0,))


def test_beyond_the_calendar_what_minds_working_days_cannot_be_assessed() -> None:
    minding = msgspec.structs.replace(
        sample(),
        id="minding",
        clauses=(clause({"any": [{"working_day": "now"}, {"not": {"working_day": "now"}}]}),),
    )
    careless = msgspec.structs.replace(
        sample(), id="careless", clauses=(clause({"ge": ["standing.band", 1]}),)
    )
    world = World(
        [compiled(minding), compiled(careless)],
        [Values(known=True, consent=True, band=3)] * 2,
        {
            "amount": 1,
            "place": "a",
            "where": "330100",
            "due": "2026-02-01T00:00:00Z",
            "urgent": True,
        },
        CALENDAR.window_us()[1] - 1,
        0,
    )
    inside, beyond = sift(world), sift(world, world.t + 1)
    assert (inside.open, inside.unassessed) == ((0, 1), ())
    assert (beyond.open, beyond.unassessed) == ((1,), (0,))
    assert inside.until_us <= world.t + 1
