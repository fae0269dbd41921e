"""A home city whose status lists are slow costs its own visitors a wait, and nobody else's."""

from __future__ import annotations

import asyncio

import pytest

from gateway.recognition import presentation
from gateway.recognition.acceptance import AT_ONCE
from tests.gateway.visits.border import Border


async def test_a_home_city_that_is_slow_holds_up_no_other_citys_visitors(border: Border) -> None:
    slow, well = border.homes
    slow.lists_held = asyncio.Event()
    waiting = [border.browser(slow) for _ in range(AT_ONCE + 1)]
    for number, visitor in enumerate(waiting):
        await visitor.arrive(sub=f"pairwise-{number}")
    other = border.browser(well)
    await other.arrive()
    shown = [asyncio.create_task(visitor.present()) for visitor in waiting]
    await slow.lists_asked.wait()
    async with asyncio.timeout(1.0):
        assert (await other.present()).status_code == 200
    assert not any(each.done() for each in shown)
    slow.lists_held.set()
    assert {answer.status_code for answer in await asyncio.gather(*shown)} == {200}


@pytest.mark.parametrize("bound", ["STOOD_S", "WAITING_MAX"])
async def test_a_status_that_is_no_news_any_more_and_one_too_many_open_nothing(
    border: Border, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    """And use nothing up."""
    visitor = border.browser()
    await visitor.arrive()
    with monkeypatch.context() as late:
        late.setattr(presentation, bound, -1)
        assert (await visitor.present()).json()["error"] == "invalid_grant"
    assert await border.refused() == {"status-unknown"}
    assert (await visitor.present()).status_code == 200
