"""Natural batching: who waits for whom, and who never does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.batching import HANDED_ON, Batcher, HandedOn
from gateway.errors import Overloaded


class Work:
    """A run that stops at a gate, and remembers its batches."""

    def __init__(self, *, batch_max: int = 4, waiting_max: int = 100) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.act: Callable[[int], int | Exception] = lambda item: item * 10
        self.batcher: Batcher[int, int] = Batcher(
            self.run, batch_max=batch_max, waiting_max=waiting_max
        )

    async def run(self, batch: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(batch))
        await self.gate.wait()
        return [self.act(item) for item in batch]


async def results(futures: Sequence[asyncio.Future[int]]) -> list[int | BaseException]:
    """What became of every item, in time."""
    async with asyncio.timeout(2):
        return await asyncio.gather(*futures, return_exceptions=True)


async def test_what_one_tick_submits_goes_together() -> None:
    work = Work()
    assert await results([work.batcher.submit(item) for item in range(3)]) == [0, 10, 20]
    assert work.batches == [[0, 1, 2]]


async def test_a_batch_under_way_is_joined_by_nobody() -> None:
    work = Work()
    work.gate.clear()
    first = work.batcher.submit(1)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert work.batches == [[1]]
    later = [work.batcher.submit(item) for item in (2, 3)]
    await asyncio.sleep(0.01)
    assert work.batches == [[1]]
    work.gate.set()
    assert await results([first, *later]) == [10, 20, 30]
    assert work.batches == [[1], [2, 3]]


async def test_the_bound_on_waiting_is_kept_and_told_at_once() -> None:
    work = Work(waiting_max=3)
    futures = [work.batcher.submit(item) for item in range(3)]
    assert work.batcher.full
    with pytest.raises(Overloaded):
        work.batcher.submit(3)
    assert await results(futures) == [0, 10, 20]
    assert not work.batcher.full


async def test_an_exception_reaches_its_whole_batch_and_no_other() -> None:
    work = Work(batch_max=2)

    def act(item: int) -> int:
        if item == 1:
            raise ValueError("the run failed")
        return item

    work.act = act
    found = await results([work.batcher.submit(item) for item in range(4)])
    assert [type(result) for result in found] == [ValueError, ValueError, int, int]


async def test_an_exception_as_a_result_reaches_one_item_alone() -> None:
    work = Work()
    work.act = lambda item: KeyError(item) if item == 1 else item
    found = await results([work.batcher.submit(item) for item in range(3)])
    assert [type(result) for result in found] == [int, KeyError, int]


async def test_too_few_results_fail_the_batch_and_leave_nobody_waiting() -> None:
    async def short(batch: Sequence[int]) -> list[int | Exception]:
        return list(batch[1:])

    batcher: Batcher[int, int] = Batcher(short, batch_max=2, waiting_max=9)
    found = await results([batcher.submit(item) for item in range(4)])
    assert [type(result) for result in found] == [ValueError] * 4


async def test_who_gives_up_before_the_turn_is_left_out() -> None:
    work = Work()
    futures = [work.batcher.submit(item) for item in range(3)]
    futures[1].cancel()
    found = await results(futures)
    assert [found[0], found[2]] == [0, 20]
    assert work.batches == [[0, 2]]


async def test_who_gives_up_under_way_fails_nobody() -> None:
    work = Work()
    work.gate.clear()
    futures = [work.batcher.submit(item) for item in range(3)]
    await asyncio.sleep(0.01)
    futures[0].cancel()
    work.gate.set()
    found = await results(futures)
    assert isinstance(found[0], asyncio.CancelledError)
    assert found[1:] == [10, 20]


@pytest.mark.parametrize("ticks", [0, 1, 5])
async def test_stopping_leaves_nobody_waiting(ticks: int) -> None:
    """Whether the runner had begun or not: at the end of a worker its tasks are cancelled."""
    work = Work(batch_max=2)
    work.gate.clear()
    futures = [work.batcher.submit(item) for item in range(5)]
    for _ in range(ticks):
        await asyncio.sleep(0)
    runner = work.batcher._runner
    assert runner is not None
    runner.cancel()
    found = await results(futures)
    assert all(isinstance(result, asyncio.CancelledError) for result in found)


async def test_after_a_stop_the_next_item_is_served() -> None:
    work = Work()
    stopped = work.batcher.submit(1)
    assert work.batcher._runner is not None
    work.batcher._runner.cancel()
    await results([stopped])
    assert await results([work.batcher.submit(2)]) == [20]


STEP = st.one_of(
    st.tuples(st.just("submit"), st.integers(0, 9)),
    st.tuples(st.just("cancel"), st.integers(0, 20)),
    st.tuples(st.just("tick"), st.integers(1, 3)),
    st.tuples(st.just("gate"), st.integers(0, 1)),
)


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(STEP, max_size=40), batch_max=st.integers(1, 4))
def test_whatever_happens_everybody_gets_their_own_result(
    steps: list[tuple[str, int]], batch_max: int
) -> None:
    asyncio.run(_play(steps, batch_max))


async def _play(steps: list[tuple[str, int]], batch_max: int) -> None:
    work = Work(batch_max=batch_max, waiting_max=6)
    work.act = lambda item: KeyError(item) if item % 10 == 7 else item * 10
    futures: dict[int, asyncio.Future[int]] = {}
    for kind, value in steps:
        if kind == "submit":
            number = len(futures) * 10 + value  # ends in the value, and is like no other
            try:
                futures[number] = work.batcher.submit(number)
            except Overloaded:
                assert work.batcher.full
        elif kind == "cancel" and futures:
            list(futures.values())[value % len(futures)].cancel()
        elif kind == "gate":
            (work.gate.set if value else work.gate.clear)()
        else:
            for _ in range(value):
                await asyncio.sleep(0)
    work.gate.set()
    found = await results(list(futures.values()))
    for number, result in zip(futures, found, strict=True):
        if isinstance(result, BaseException):
            failed = isinstance(result, KeyError) and number % 10 == 7
            assert failed or isinstance(result, asyncio.CancelledError)
        else:
            assert result == number * 10
    assert all(len(batch) <= batch_max for batch in work.batches)
    sent = [item for batch in work.batches for item in batch]
    assert sent == sorted(sent, key=list(futures).index)
    assert len(sent) == len(set(sent))


async def test_an_item_that_is_handed_on_is_resolved_by_the_next_batcher() -> None:
    second = Work()
    waiting: dict[int, asyncio.Future[int]] = {}

    async def pass_on(batch: Sequence[int]) -> list[int | Exception | HandedOn]:
        for item in batch:
            second.batcher.submit(item, waiting[item])
        return [HANDED_ON for _ in batch]

    first: Batcher[int, int] = Batcher(pass_on, batch_max=4, waiting_max=9)
    for item in (1, 2):
        waiting[item] = first.submit(item)
    assert await results(list(waiting.values())) == [10, 20]
    assert second.batches == [[1, 2]]


async def test_the_asker_of_an_item_that_was_handed_on_hears_what_went_wrong_there() -> None:
    second = Work()
    second.act = lambda item: ValueError(str(item))
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    second.batcher.submit(7, future)
    (found,) = await results([future])
    assert isinstance(found, ValueError)
