"""Nobody is cut early, everybody in time, and a cut is told from a stranger's cancellation."""

from __future__ import annotations

import asyncio

from gateway.edge.patience import Patience

DEADLINE_S = 0.1


async def wait(bound: Patience, seconds: float) -> str:
    """Wait under a bound; says how it ended."""
    task = bound.enter()
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        return "cut" if bound.has_cut(task) else "cancelled"
    else:
        return "done"
    finally:
        bound.leave(task)


async def test_who_is_done_in_time_is_never_cut() -> None:
    bound = Patience(DEADLINE_S)
    waits = [wait(bound, DEADLINE_S * share / 10) for share in range(9)]
    assert await asyncio.gather(*waits) == ["done"] * 9


async def test_everybody_is_cut_between_the_deadline_and_a_little_later() -> None:
    bound, loop = Patience(DEADLINE_S), asyncio.get_running_loop()

    async def timed(delay_s: float) -> float:
        await asyncio.sleep(delay_s)
        began = loop.time()
        assert await wait(bound, 9) == "cut"
        return loop.time() - began

    took = await asyncio.gather(*(timed(DEADLINE_S * share / 7) for share in range(7)))
    assert min(took) >= DEADLINE_S
    assert max(took) < 3 * DEADLINE_S


async def test_a_strangers_cancellation_is_not_mistaken_for_the_deadline() -> None:
    bound = Patience(DEADLINE_S)
    task = asyncio.create_task(wait(bound, 9))
    await asyncio.sleep(DEADLINE_S / 4)
    task.cancel()
    assert await task == "cancelled"


async def test_a_cut_leaves_the_task_as_if_it_had_never_been_cancelled() -> None:
    bound = Patience(DEADLINE_S)
    assert await wait(bound, 9) == "cut"
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    assert await wait(bound, 0) == "done"


async def test_nobody_looks_while_nobody_waits() -> None:
    bound = Patience(DEADLINE_S)
    assert await wait(bound, 0) == "done"
    await asyncio.sleep(3 * DEADLINE_S)
    assert bound._now == -1
    assert await wait(bound, 9) == "cut"


def test_another_loop_begins_anew() -> None:
    bound = Patience(DEADLINE_S)
    assert asyncio.run(wait(bound, 0)) == "done"
    assert asyncio.run(wait(bound, 9)) == "cut"
