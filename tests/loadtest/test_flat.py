"""A comparison is made pair by pair, so that what befalls both sides cancels out."""

from __future__ import annotations

import pytest

from loadtest.serving import Cost, Meter, Spread
from loadtest.sides import Round, _spread


def a_round(workers: float) -> Round:
    return Round(
        cost=Cost(workers, 1.0, 0.0),
        answers=1,
        wrong=0,
        recorded=1,
        eligible=1.0,
        per_second=1.0,
        p50_ms=1.0,
        p99_ms=1.0,
    )


def test_ratios_are_those_of_rounds_that_ran_side_by_side() -> None:
    # The machine was twice as slow in the second round: for both.
    big, small = (
        [a_round(150), a_round(240), a_round(110)],
        [a_round(100), a_round(200), a_round(100)],
    )
    found = _spread(big, small, lambda cost: cost.workers)
    assert found == Spread(1.1, 1.2, 1.5)


def test_a_cost_of_nothing_divides_nobody() -> None:
    found = _spread([a_round(1)], [a_round(1)], lambda cost: cost.valkey)
    assert found == Spread(0.0, 0.0, 0.0)


def test_a_meter_divides_what_was_spent_since_by_the_calls() -> None:
    class Clock:
        host, port, spent = "127.0.0.1", 0, (1.0, 2.0, 3.0)

        def seconds(self) -> tuple[float, float, float]:
            return self.spent

    clock = Clock()
    meter = Meter(clock)
    clock.spent = (1.5, 2.25, 3.0)
    cost = meter.each(1_000)
    assert (cost.workers, cost.postgres, cost.valkey) == pytest.approx((500, 250, 0))
    assert cost.summed == pytest.approx(750)
