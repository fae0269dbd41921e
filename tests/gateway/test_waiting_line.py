"""Who waits, who comes next, who is given up: a burst is let through, a standing line is not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.waiting_line import CALM_S, INTERVAL_S, PATIENCE_S, TARGET_S, Priority, WaitingLine

W, S, C, H, M, B = Priority
TICK = 0.001


def line_of(*kinds: Priority, most: int = 100, now: float = 0.0) -> WaitingLine[str]:
    """A line in which `W0`, `M1`, … came at one instant, in this order."""
    line: WaitingLine[str] = WaitingLine(most)
    for number, kind in enumerate(kinds):
        assert line.join(f"{kind.name[0]}{number}", kind, now) is None
    return line


def order(line: WaitingLine[str], now: float) -> list[str]:
    return [line.next(now) for _ in range(line.count)]


def stand(line: WaitingLine[str], seconds: float, now: float = 0.0) -> list[str]:
    """Nothing moves for so long; returns who was given up, looking as often as asked to."""
    gone: list[str] = []
    ends_at = now + seconds
    while (due := line.due(now)) is not None and due <= ends_at:
        now = max(due, now + TICK)
        gone += line.overdue(now)
    return gone


def test_the_urgent_come_first_and_among_equals_who_came_first() -> None:
    line = line_of(B, M, M, H, C, S, W, W)
    assert order(line, 0.0) == ["W6", "W7", "S5", "C4", "H3", "M1", "M2", "B0"]


def test_a_burst_that_drains_in_time_is_let_through_whole() -> None:
    line = line_of(*[M] * 14)
    now, gone = 0.0, []
    while line.count:
        now += TICK
        gone += line.overdue(now)
        line.next(now)
    assert gone == []
    assert now == pytest.approx(0.014)


def test_a_party_hears_in_time_that_it_is_to_come_back_from_the_first_on() -> None:
    line = line_of(M, H, C)
    assert stand(line, CALM_S[M] - TICK) == []
    assert line.overdue(CALM_S[M] + TICK / 2) == ["M0", "H1"]
    assert max(CALM_S[H:]) <= 0.02 - TARGET_S


def test_a_line_that_stands_for_an_interval_is_shed_from_the_least_urgent_up() -> None:
    line = line_of(W, S, C)
    assert stand(line, TARGET_S + INTERVAL_S - TICK) == []
    now = TARGET_S + INTERVAL_S + TICK
    assert line.overdue(now) == ["C2"]
    assert order(line, now) == ["W0", "S1"]
    parties = line_of(H, M, B)
    assert stand(parties, CALM_S[M] + TICK) == ["B2", "M1", "H0"]


def test_while_it_sheds_everybody_is_told_within_their_patience() -> None:
    line = line_of(M)
    stand(line, 0.2)
    began = CALM_S[M] + TICK
    assert line.shedding(began)
    for kind in Priority:
        line.join(kind.name, kind, began)
    waited: dict[str, float] = {}
    now = began
    while (due := line.due(now)) is not None:
        now = max(now, due)
        waited |= dict.fromkeys(line.overdue(now), now - began)
        now += TICK / 10
    assert list(waited) == ["BATCH", "MERCHANT", "HOSPITAL", "CITIZEN", "SIGN", "WITHDRAW"]
    for kind in Priority:
        assert PATIENCE_S[kind] <= waited[kind.name] < PATIENCE_S[kind] + TICK


def test_while_it_sheds_the_newest_comes_first_and_withdrawals_still_in_turn() -> None:
    line = line_of(M)
    stand(line, 0.2)
    for item, kind in (("m1", M), ("w1", W), ("m2", M), ("w2", W)):
        line.join(item, kind, 0.02)
    assert order(line, 0.02) == ["w1", "w2", "m2", "m1"]


def test_it_stops_shedding_when_nobody_was_given_up_for_an_interval() -> None:
    line = line_of(M)
    assert stand(line, 0.2) == ["M0"]
    given_up_at = CALM_S[M]
    assert line.shedding(given_up_at + INTERVAL_S - TICK)
    after = given_up_at + INTERVAL_S + 2 * TICK
    assert not line.shedding(after)
    line.join("next", M, after)
    assert line.overdue(after + TARGET_S + TICK) == []


def test_a_full_line_gives_up_the_least_urgent_that_waited_longest() -> None:
    line = line_of(M, B, B, M, most=4)
    assert line.join("h", H, 0.0) == "B1"
    assert line.join("w", W, 0.0) == "B2"
    assert line.join("c", C, 0.0) == "M0"
    assert line.join("m", M, 0.0) == "m", "nobody here is less urgent than one more merchant"
    assert line.count == 4
    assert order(line, 0.0) == ["w", "c", "h", "M3"]


def test_a_line_without_places_keeps_nobody() -> None:
    line: WaitingLine[str] = WaitingLine(0)
    assert line.join("w", W, 0.0) == "w"
    assert line.count == 0
    assert line.due(0.0) is None


def test_who_leaves_has_left_once() -> None:
    line = line_of(M, M)
    assert line.leave("M0", M)
    assert not line.leave("M0", M)
    assert not line.leave("M1", H)
    assert order(line, 0.0) == ["M1"]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.sampled_from(Priority)),
        st.tuples(st.just("next"), st.just(M)),
        st.tuples(st.just("leave"), st.sampled_from(Priority)),
        st.tuples(st.just("pause"), st.sampled_from(Priority)),
    ),
    max_size=150,
)


@given(STEPS, st.lists(st.floats(0.0005, 0.08), min_size=1), st.integers(0, 12))
def test_everybody_leaves_once_in_bounded_time_and_nobody_passes_the_urgent(
    steps: Sequence[tuple[str, Priority]], pauses: list[float], most: int
) -> None:
    line: WaitingLine[int] = WaitingLine(most)
    here: dict[int, tuple[Priority, float]] = {}
    now, number = 0.0, 0

    def gone(item: int, *, looked_in_time: bool = True) -> Priority:
        kind, since = here.pop(item)
        if looked_in_time:
            bound = max(PATIENCE_S[kind], TARGET_S + INTERVAL_S)
            assert now - since <= bound + INTERVAL_S
        return kind

    for at, (step, kind) in enumerate(steps):
        if step == "join":
            number += 1
            here[number] = kind, now
            refused = line.join(number, kind, now)
            if refused is not None:
                assert len(here) == most + 1
                assert gone(refused) >= max(other for other, _ in [*here.values(), (kind, 0)])
        elif step == "next" and line.count:
            served = gone(line.next(now))
            assert all(served <= other for other, _ in here.values())
        elif step == "leave":
            first = next((item for item, (its, _) in here.items() if its is kind), None)
            assert line.leave(first or 0, kind) == (first is not None)
            here.pop(first or 0, None)
        elif step == "pause":
            ends_at = now + pauses[at % len(pauses)]
            while (due := line.due(now)) is not None and due <= ends_at:
                now = max(due, now)
                for item in line.overdue(now):
                    gone(item)
                now += TICK / 10
            now = max(now, ends_at)
        assert line.count == len(here) <= most
        assert (line.due(now) is None) == (not here)


@given(st.lists(st.sampled_from(Priority), min_size=1, max_size=30))
def test_whoever_waits_while_nothing_moves_is_told_at_last(kinds: list[Priority]) -> None:
    line = line_of(*kinds)
    assert len(stand(line, max(PATIENCE_S) + 2 * INTERVAL_S)) == len(kinds)
