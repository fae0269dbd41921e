"""Loads of all parties that meet: none undoes a later one, and there are never many."""

from __future__ import annotations

import asyncio

import pytest

from gateway.errors import DependencyDown
from gateway.parties import Parties
from gateway.store import party as rows
from gateway.store.migrate import Connection
from tests.gateway.city import MERCHANT, TestCity


class Slow:
    """The reading of all parties, of which the first waits where it has read already."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fault: Exception | None = None) -> None:
        self.read, self.go_on = asyncio.Event(), asyncio.Event()
        self.loads, self._fault, self._everyone = 0, fault, rows.everyone
        monkeypatch.setattr(rows, "everyone", self.everyone)

    async def everyone(self, connection: Connection) -> list[rows.PartyRow]:
        self.loads += 1
        first, found = self.loads == 1, await self._everyone(connection)
        if first:
            self.read.set()
            await self.go_on.wait()
            if self._fault is not None:
                raise self._fault
        return found


async def suspended_while_it_is_loaded(town: TestCity, monkeypatch: pytest.MonkeyPatch) -> str:
    """The status of a party that was suspended, and looked for, during a load that began before."""
    await town.party()
    slow, parties = Slow(monkeypatch), town.city.parties
    early = asyncio.create_task(parties.refresh(force=True))
    await slow.read.wait()
    await town.owner.execute("UPDATE party SET status = 'suspended' WHERE id = $1", MERCHANT)
    late = asyncio.create_task(parties.refresh(force=True))
    await asyncio.wait({late}, timeout=0.3)  # it ends before the early one only in the control
    slow.go_on.set()
    await asyncio.gather(early, late)
    found = parties.get(MERCHANT)
    assert found is not None
    return found.row.status


async def test_a_load_that_took_long_does_not_undo_a_later_one(
    town: TestCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await suspended_while_it_is_loaded(town, monkeypatch) == "suspended"


async def test_without_their_order_the_later_load_is_undone(
    town: TestCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""

    async def at_once(parties: Parties, *, force: bool = False) -> None:
        await parties._look(force)

    monkeypatch.setattr(Parties, "refresh", at_once)
    assert await suspended_while_it_is_loaded(town, monkeypatch) == "active"


async def test_however_many_want_to_know_two_loads_are_made(
    town: TestCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(monkeypatch)
    parties = town.city.parties
    first = asyncio.create_task(parties.refresh(force=True))
    await slow.read.wait()
    others = [asyncio.create_task(parties.refresh(force=n % 2 > 0)) for n in range(100)]
    await asyncio.sleep(0.05)
    slow.go_on.set()
    await asyncio.gather(first, *others)
    assert slow.loads == 2


async def test_a_load_that_fails_or_is_given_up_leaves_the_next_one_to_succeed(
    town: TestCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(monkeypatch, DependencyDown())
    parties = town.city.parties
    given_up = asyncio.create_task(parties.refresh(force=True))
    await slow.read.wait()
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    slow.loads = 0
    slow.go_on.set()
    with pytest.raises(DependencyDown):
        await parties.refresh(force=True)
    await parties.refresh(force=True)
    assert slow.loads == 2
