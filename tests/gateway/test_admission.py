"""The door: never more inside than allowed, the urgent first, all answered, nothing leaked."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.admission import KEPT, LENIENCY_S, Admission
from gateway.clock import FixedClock
from gateway.errors import ReducedCapacity
from gateway.waiting_line import INTERVAL_S, PATIENCE_S, TARGET_S, Priority

W, S, C, H, M, B = Priority
TICK = 0.001


class World:
    """A door on a clock that is moved by hand, and those who come to it."""

    def __init__(self, *, per_s: float = 0, in_flight: int = 4, waiting: int = 8) -> None:
        self.clock = FixedClock(1_000_000_000)
        self.door = Admission(self.clock, per_s=per_s, in_flight=in_flight, waiting=waiting)
        self.inside: Counter[Priority] = Counter()
        self.waiting: dict[asyncio.Task[None], tuple[Priority, float]] = {}
        self.answers: list[tuple[Priority, str, float]] = []  # kind, outcome, seconds waited

    async def come(self, kind: Priority) -> asyncio.Task[None] | None:
        """One request: it enters at once, or waits as a task of its own."""
        if self.door.try_enter(kind):
            self._answered(kind, "entered", self.clock.monotonic())
            return None
        task = asyncio.ensure_future(self.door.wait(kind))
        self.waiting[task] = kind, self.clock.monotonic()
        await self.look()
        return task

    def go(self, kind: Priority) -> None:
        """One who is inside leaves."""
        self.inside[kind] -= 1
        self.door.leave()

    async def pass_time(self, seconds: float) -> None:
        """Time passes in small steps; the door looks as its timer would make it."""
        ends_at = self.clock.monotonic() + seconds
        while self.clock.monotonic() < ends_at - 1e-9:
            self.clock.advance(seconds=min(TICK, ends_at - self.clock.monotonic()))
            self.door.settle()
            await self.look()

    async def look(self) -> None:
        """Let the tasks run, and take down who has an answer."""
        for _ in range(3):
            await asyncio.sleep(0)
        for task in [task for task in self.waiting if task.done()]:
            kind, since = self.waiting.pop(task)
            if task.cancelled():
                self.answers.append((kind, "left", self.clock.monotonic() - since))
            elif task.exception() is not None:
                assert isinstance(task.exception(), ReducedCapacity)
                self.answers.append((kind, "shed", self.clock.monotonic() - since))
            else:
                self._answered(kind, "entered", since)

    def outcomes(self, kind: Priority) -> Counter[str]:
        return Counter(outcome for its, outcome, _ in self.answers if its is kind)

    def waits(self, outcome: str, *kinds: Priority) -> list[float]:
        found = (s for kind, its, s in self.answers if its == outcome and kind in kinds)
        return sorted(found)

    def _answered(self, kind: Priority, outcome: str, since: float) -> None:
        self.inside[kind] += 1
        self.answers.append((kind, outcome, self.clock.monotonic() - since))


# ---------------------------------------------------------------- room


async def test_while_there_is_room_entering_is_no_wait() -> None:
    world = World(in_flight=4)
    assert [world.door.try_enter(C) for _ in range(5)] == [True] * 4 + [False]
    world.door.leave()
    assert world.door.try_enter(C)


async def test_parties_cannot_fill_all_the_room() -> None:
    world = World(in_flight=2 * KEPT)
    assert [world.door.try_enter(M) for _ in range(2 * KEPT)].count(True) == 2 * KEPT - 2
    assert [world.door.try_enter(kind) for kind in (H, W, C, W)] == [False, True, True, False]


async def test_who_leaves_lets_the_most_urgent_in() -> None:
    world = World(in_flight=1)
    await world.come(C)
    for kind in (B, M, W, H):
        await world.come(kind)
    for _ in range(4):
        world.go(next(kind for kind, count in world.inside.items() if count))
        await world.look()
    assert [kind for kind, _, _ in world.answers] == [C, W, H, M, B]


async def test_nobody_enters_past_one_who_waits() -> None:
    world = World(in_flight=1)
    await world.come(C)
    await world.come(W)
    world.go(C)
    assert not world.door.try_enter(W), "the room went to the one who waited"
    await world.look()
    assert world.inside == Counter({W: 1, C: 0})


async def test_a_full_line_refuses_at_once_and_the_urgent_take_the_place_of_others() -> None:
    world = World(in_flight=1, waiting=2)
    for kind in (C, M, M, M):
        await world.come(kind)
    assert world.outcomes(M) == {"shed": 1}
    await world.come(W)
    assert world.outcomes(M) == {"shed": 2}
    assert world.waits("shed", M) == [0, 0]
    assert world.door.waiting == 2
    assert world.door.shed[M] == 2


async def test_who_gives_up_waiting_leaves_no_trace() -> None:
    world = World(in_flight=1)
    await world.come(C)
    tasks = [await world.come(M) for _ in range(3)]
    for task in tasks:
        assert task is not None
        task.cancel()
    await world.look()
    assert (world.door.waiting, world.door.in_flight) == (0, 1)
    world.go(C)
    assert world.door.in_flight == 0
    assert world.door.try_enter(M)


async def test_who_is_let_in_at_the_moment_of_giving_up_gives_the_room_back() -> None:
    world = World(in_flight=1)
    await world.come(C)
    task = await world.come(M)
    assert task is not None
    world.go(C)  # the room is the waiter's from here on, though it has not run yet
    assert world.door.in_flight == 1
    task.cancel()
    await world.look()
    assert task.cancelled()
    assert world.door.in_flight == 0


# ---------------------------------------------------------------- rate


async def test_the_rate_is_kept_and_used() -> None:
    world = World(per_s=100, in_flight=1000, waiting=1000)
    for _ in range(500):
        await world.come(W)
        await world.pass_time(TICK)
    entered = world.outcomes(W)["entered"]
    assert 50 <= entered <= 100 * (0.5 + LENIENCY_S) + 1


async def test_without_a_rate_there_is_only_room() -> None:
    world = World(in_flight=1000)
    assert all(world.door.try_enter(M) for _ in range(1000 - 1000 // KEPT))


async def test_a_rate_slower_than_the_leniency_lets_single_ones_in() -> None:
    world = World(per_s=4, in_flight=10, waiting=10)
    assert [world.door.try_enter(W) for _ in range(2)] == [True, False]
    await world.come(W)
    await world.pass_time(0.3)
    assert world.outcomes(W)["entered"] == 1


# ---------------------------------------------------------------- overload


@pytest.mark.parametrize("times", [2, 10])
async def test_a_flood_of_merchants_keeps_the_rate_full_and_the_rest_is_told_soon(
    times: int,
) -> None:
    rate, seconds = 200, 1.5
    world = World(per_s=rate, in_flight=64, waiting=128)
    owed = 0.0
    for step in range(int(seconds / TICK)):
        owed += rate * times * TICK
        while owed >= 1:
            owed -= 1
            await world.come(M)
        if step % 25 == 0:
            await world.come(W)
        if step % 50 == 0:
            await world.come(H)
        await world.pass_time(TICK)
        for kind in list(world.inside.elements()):
            world.go(kind)
    entered = sum(world.outcomes(kind)["entered"] for kind in (W, H, M))
    assert 0.95 * rate * seconds <= entered <= rate * (seconds + LENIENCY_S) + 1
    assert world.outcomes(W) == {"entered": 60}
    assert world.outcomes(H)["shed"] == 0
    shed = world.waits("shed", M)
    assert shed[int(0.9 * len(shed))] <= TARGET_S + 2 * TICK
    # Only those who stood in line when the flood began waited for longer, once.
    assert shed[-1] <= TARGET_S + INTERVAL_S + 2 * TICK
    assert world.waits("entered", M)[int(0.9 * world.outcomes(M)["entered"])] <= TARGET_S + TICK


async def test_after_a_flood_all_is_as_before() -> None:
    world = World(per_s=100, in_flight=64, waiting=64)
    for _ in range(300):
        await world.come(M)
        await world.pass_time(TICK)
    await world.pass_time(2 * INTERVAL_S)
    assert world.door.waiting == 0
    answered = len(world.answers)
    for _ in range(4):
        await world.come(B)
    assert [outcome for _, outcome, _ in world.answers[answered:]] == ["entered"] * 4


async def test_withdrawals_alone_beyond_the_rate_wait_their_second_and_are_answered() -> None:
    world = World(per_s=50, in_flight=64, waiting=64)
    for _ in range(40):
        await world.come(W)
    await world.pass_time(1.2)
    assert world.outcomes(W) == {"entered": 40}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("come", "come", "go", "cancel", "pause")), st.sampled_from(Priority)
    ),
    max_size=60,
)


@given(STEPS, st.integers(1, 9), st.integers(0, 5), st.sampled_from([0, 30, 400]))
@settings(max_examples=100, deadline=None)
def test_whatever_happens_the_bounds_hold_and_everybody_gets_an_answer(
    steps: list[tuple[str, Priority]], in_flight: int, waiting: int, per_s: float
) -> None:
    asyncio.run(_whatever_happens(steps, in_flight, waiting, per_s))


async def _whatever_happens(
    steps: list[tuple[str, Priority]], in_flight: int, waiting: int, per_s: float
) -> None:
    world = World(per_s=per_s, in_flight=in_flight, waiting=waiting)
    came = 0
    for step, kind in steps:
        if step == "come":
            came += 1
            await world.come(kind)
        elif step == "go" and world.inside[kind]:
            world.go(kind)
        elif step == "cancel" and world.waiting:
            list(world.waiting)[int(kind) % len(world.waiting)].cancel()
            if kind % 2:  # and at the same moment there is room
                for other in list(world.inside.elements())[:1]:
                    world.go(other)
        elif step == "pause":
            await world.pass_time(0.004 * (kind + 1) ** 2)
        await world.look()
        inside = sum(world.inside.values())
        assert world.door.in_flight == inside <= in_flight
        assert sum(world.inside[party] for party in (H, M, B)) <= in_flight - in_flight // KEPT
        assert world.door.waiting == len(world.waiting) <= waiting
    for kind in list(world.inside.elements()):
        world.go(kind)
    await world.pass_time(max(PATIENCE_S) + 2 * INTERVAL_S)
    for kind in list(world.inside.elements()):
        world.go(kind)
    await world.pass_time(0.3)
    assert not world.waiting
    assert len(world.answers) == came
    assert world.door.in_flight == sum(world.inside.values())


# ---------------------------------------------------------------- cost


async def test_who_waits_has_no_task_and_all_share_one_timer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    timers: list[asyncio.TimerHandle] = []
    call_later = loop.call_later

    def counting(delay: float, call: Any, *given: Any) -> asyncio.TimerHandle:
        timers.append(call_later(delay, call, *given))
        return timers[-1]

    world = World(per_s=10, in_flight=500, waiting=500)
    tasks = len(asyncio.all_tasks())
    monkeypatch.setattr(loop, "call_later", counting)
    waiters = [world.door.wait(M) for _ in range(300)]
    assert world.door.try_enter(M)
    running = [asyncio.ensure_future(waiter) for waiter in waiters]
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == tasks + len(running), "only the requests' own"
    now = loop.time()
    assert sum(not timer.cancelled() and timer.when() > now for timer in timers) <= 1
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def test_on_the_real_clock_the_timer_lets_in_and_gives_up_by_itself() -> None:
    loop = asyncio.get_running_loop()

    class LoopClock(FixedClock):
        def monotonic(self) -> float:
            return loop.time()

    door = Admission(LoopClock(0), per_s=50, in_flight=100, waiting=100)
    began = loop.time()
    outcomes = await asyncio.gather(*[door.wait(M) for _ in range(60)], return_exceptions=True)
    shed = [each for each in outcomes if isinstance(each, ReducedCapacity)]
    assert 3 <= len(outcomes) - len(shed) <= 50 * (loop.time() - began + LENIENCY_S) + 1
    assert len(shed) >= 30
    assert loop.time() - began < 2
    assert door.waiting == 0


def test_kinds_are_ordered_as_they_are_let_in() -> None:
    assert list(Priority) == sorted(Priority)
    assert all(a >= b for a, b in itertools.pairwise(PATIENCE_S))
