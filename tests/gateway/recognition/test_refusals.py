"""Refusals are counted exactly, whatever becomes of PostgreSQL meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from gateway.recognition import refusals as counting
from gateway.recognition.refusals import Refusals
from gateway.store.migrate import Connection
from tests.gateway.city import TestCity

Trouble = Callable[[Connection], AbstractAsyncContextManager[None]]
A, B = ("par", "330200", "replayed"), ("visit", "", "proof")


#: Ends connections that wait for the table; how many there were.
CUT_OFF = """
SELECT count(pg_terminate_backend(pid)) FROM pg_locks
 WHERE relation = 'recognition_refusal'::regclass AND NOT granted
"""


async def counted(owner: Connection) -> dict[tuple[str, str, str], int]:
    rows = await owner.fetch(
        "SELECT place, city, reason, sum(times)::int AS times FROM recognition_refusal"
        " GROUP BY place, city, reason"
    )
    return {(row["place"], row["city"], row["reason"]): row["times"] for row in rows}


@asynccontextmanager
async def locked(owner: Connection) -> AsyncIterator[None]:
    """Somebody holds the table for longer than a statement waits."""
    async with owner.transaction():
        await owner.execute("LOCK TABLE recognition_refusal IN ACCESS EXCLUSIVE MODE")
        yield


@asynccontextmanager
async def refusing(owner: Connection) -> AsyncIterator[None]:
    """PostgreSQL takes no row, as with a full disk."""
    await owner.execute("REVOKE INSERT ON recognition_refusal FROM qianjiang_gateway")
    yield
    await owner.execute("GRANT INSERT ON recognition_refusal TO qianjiang_gateway")


async def test_refusals_at_once_are_all_counted(town: TestCity) -> None:
    refusals = Refusals(town.city.database)
    await asyncio.gather(*(refusals.note(*(A, B)[n % 3 == 0]) for n in range(300)))
    await refusals.flush()
    assert await counted(town.owner) == {A: 200, B: 100}


@pytest.mark.parametrize("trouble", [locked, refusing])
async def test_what_could_not_be_written_is_written_afterwards(
    town: TestCity, trouble: Trouble
) -> None:
    refusals = Refusals(town.city.database)
    await refusals.note(*A)
    async with trouble(town.owner):
        await asyncio.gather(*(refusals.note(*A) for _ in range(3)))
        await refusals.note(*B)
    assert await counted(town.owner) == {A: 1}
    await refusals.note(*B)
    assert await counted(town.owner) == {A: 4, B: 2}


async def test_a_connection_that_is_lost_while_it_writes_loses_no_count(town: TestCity) -> None:
    refusals = Refusals(town.city.database)
    async with locked(town.owner), town.city.database.connection() as other:
        writing = asyncio.create_task(refusals.note(*A))
        async with asyncio.timeout(5):
            while not await other.fetchval(CUT_OFF):  # noqa: ASYNC110  # another process's lock
                await asyncio.sleep(0.01)
        await writing
    await refusals.flush()
    assert await counted(town.owner) == {A: 1}


async def test_a_worker_writes_what_is_left_with_its_tick(town: TestCity) -> None:
    async with refusing(town.owner):
        await town.city.refusals.note(*A)
    await town.city.refresh()
    assert await counted(town.owner) == {A: 1}


async def test_whoever_goes_while_writing_takes_nothing_along(town: TestCity) -> None:
    refusals = Refusals(town.city.database)
    async with locked(town.owner):
        gone = asyncio.create_task(refusals.note(*A))
        await asyncio.sleep(0.05)
        await refusals.note(*B)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
    await refusals.flush()
    assert await counted(town.owner) == {A: 1, B: 1}


async def test_what_waits_is_bounded(town: TestCity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "KINDS_MAX", 2)
    refusals = Refusals(town.city.database)
    async with refusing(town.owner):
        for name in (A, B, ("par", "330200", "shape"), A):
            await refusals.note(*name)
    await refusals.flush()
    assert await counted(town.owner) == {A: 2, B: 1}
