"""A ladder says of each of its rungs what the single comparison says."""

from __future__ import annotations

import operator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from scenarios import grammar as g
from scenarios.contract import Values
from scenarios.ladder import Ladder, Rung

QUICK = settings(max_examples=200, deadline=None)
OPS = {"lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge}
SMALL = st.integers(0, 5)


class Facts(msgspec.Struct):
    amount: int | msgspec.UnsetType = UNSET


def rung(test: g.Test, **figures: Any) -> Rung | None:
    return Rung.of(test, figures.__getitem__)


@QUICK
@given(op=st.sampled_from(sorted(OPS)), bounds=st.lists(SMALL, min_size=1, max_size=9), value=SMALL)
@pytest.mark.parametrize("turned", [False, True])
def test_every_rung_is_missed_as_its_comparison_fails(
    op: Any, bounds: list[int], value: int, turned: bool
) -> None:
    tests = [
        g.Compare(op, g.Constant(bound), g.Fact("amount"))
        if turned
        else g.Compare(op, g.Fact("amount"), g.Constant(bound))
        for bound in bounds
    ]
    found = [rung(test) for test in tests]
    rungs = [(each, 1 << place) for place, each in enumerate(found) if each is not None]
    assert len(rungs) == len(bounds)
    assert len({each.ladder for each, _ in rungs}) == 1
    failing = Ladder(rungs).failing(Values(), Facts(value))
    for place, bound in enumerate(bounds):
        holds = OPS[op](bound, value) if turned else OPS[op](value, bound)
        assert bool(failing >> place & 1) is not holds


@QUICK
@given(
    op=st.sampled_from(sorted(OPS)),
    caps=st.lists(st.tuples(*[SMALL] * 6), min_size=1, max_size=5),
    band=SMALL,
    waived=SMALL,
    amount=SMALL,
)
def test_a_bound_for_each_band_is_the_one_of_the_citizens_band(
    op: Any, caps: list[tuple[int, ...]], band: int, waived: int, amount: int
) -> None:
    total = g.Sum((g.Standing("waived_fen"), g.Fact("amount")))
    test = g.Compare(op, total, g.Param("cap"))
    found = [rung(test, cap=cap) for cap in caps]
    rungs = [(each, 1 << place) for place, each in enumerate(found) if each is not None]
    failing = Ladder(rungs).failing(Values(band=band, waived_fen=waived), Facts(amount))
    for place, cap in enumerate(caps):
        assert bool(failing >> place & 1) is not OPS[op](waived + amount, cap[band])


def test_an_absent_value_misses_every_rung() -> None:
    rungs = [(rung(g.Compare("ge", g.Fact("amount"), g.Constant(n))), 1 << n) for n in range(3)]
    ladder = Ladder([(each, bit) for each, bit in rungs if each is not None])
    assert ladder.failing(Values(), Facts()) == 0b111
    stock = rung(g.Compare("le", g.Standing("stock"), g.Constant(5)))
    assert stock is not None
    assert Ladder([(stock, 1)]).failing(Values(stock=None), Facts()) == 1


@pytest.mark.parametrize(
    "test",
    [
        g.Compare("eq", g.Fact("amount"), g.Constant(3)),
        g.Compare("ge", g.Fact("amount"), g.Standing("waived_fen")),
        g.Compare("ge", g.Sum((g.Fact("amount"), g.Param("floor"))), g.Param("floor")),
        g.Compare("lt", g.Now(), g.Fact("due")),
        g.Compare("eq", g.Standing("commitment"), g.Constant(True)),
        g.Compare("ge", g.Fact("amount"), g.Param("words")),
        g.Not(g.Compare("ge", g.Fact("amount"), g.Constant(3))),
        g.WorkingDay(),
    ],
    ids=str,
)
def test_what_is_no_comparison_with_one_bound_stands_on_no_ladder(test: g.Test) -> None:
    assert rung(test, floor=3, words=("a", "b")) is None
