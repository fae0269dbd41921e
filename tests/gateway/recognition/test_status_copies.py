"""Several processes copy the bits of one list, and no withdrawal is lost between them."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from gateway.recognition.status_bits import is_set
from gateway.store import status_list as rows
from tests.gateway.city import TestCity
from tests.gateway.recognition.home import consent_of, recognised
from tests.gateway.recognition.test_status_lists import again, place, read


class Held:
    """A function of the store whose first call waits, before or after its work, to be let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, *, after: bool) -> None:
        self._real, self._after = getattr(rows, name), after
        self.reached, self.go, self._done = asyncio.Event(), asyncio.Event(), False
        monkeypatch.setattr(rows, name, self)

    async def __call__(self, *given: Any) -> Any:
        first, self._done = not self._done, True
        if first and not self._after:
            self.reached.set()
            await self.go.wait()
        found = await self._real(*given)
        if first and self._after:
            self.reached.set()
            await self.go.wait()
        return found


async def vouched(town: TestCity) -> tuple[UUID, UUID, int, int]:
    """A citizen for whom something was said, what that is, and its list and place in it."""
    citizen = await town.citizen()
    grant = await recognised(town, citizen)
    return citizen, grant, *await place(town, grant)


async def test_a_process_that_came_too_late_does_not_vouch_for_what_another_wrote(
    town: TestCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = again(town), again(town)
    citizen, grant, number, idx = await vouched(town)
    await one.step()
    clock = Held(monkeypatch, "now_us", after=True)
    late = asyncio.create_task(one.step())
    await clock.reached.wait()
    await two.step()  # with a later clock, and nothing ended
    await town.city.consents.withdraw(citizen, await consent_of(town, grant))
    clock.go.set()
    await late  # has seen the end, and is older than the copy that is there
    await one.step()
    _, bits = read(town, await again(town).token(number), one.uri(number))
    assert is_set(bits, idx) is True


async def test_a_process_does_not_vouch_for_bits_that_replaced_its_own(
    town: TestCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = again(town), again(town)
    citizen, grant, number, idx = await vouched(town)
    clock = Held(monkeypatch, "now_us", after=True)
    early = asyncio.create_task(one.step())
    await clock.reached.wait()
    put = Held(monkeypatch, "put", after=False)
    late = asyncio.create_task(two.step())
    await put.reached.wait()  # it has a later clock, and bits of before the withdrawal
    await town.city.consents.withdraw(citizen, await consent_of(town, grant))
    clock.go.set()
    await early
    put.go.set()
    await late
    await one.step()
    _, bits = read(town, await again(town).token(number), one.uri(number))
    assert is_set(bits, idx) is True
