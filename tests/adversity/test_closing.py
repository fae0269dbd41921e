"""Property W for the end of an account: once acknowledged, nobody answers from anything of it.

A closed account is asked about on every worker right after the acknowledgement, whatever befalls
the cache: its old entry holds open consents, promises and a band, and none of it may count.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from math import inf
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from gateway.closing import Closing
from gateway.errors import AccountClosed, StillRunning
from gateway.standing import StandingWriter
from gateway.store import standing as standings
from gateway.store.database import Connection
from tests.adversity.calamities import CALAMITIES, names
from tests.adversity.history import Change
from tests.adversity.race import AFTER_WITHDRAWAL, Race, Stage

CITIZENS = 20


async def close(race: Race, citizen: UUID, closing: Closing | None = None) -> None:
    """Close an account on some worker; returns once it is acknowledged."""
    change = Change(citizen, False, time.monotonic())
    race.history.changed(change)
    while change.acked == inf:
        ends = closing or race.random.choice(race.workers).city.closing
        with suppress(StillRunning):  # the lock was not had in time: nothing happened yet
            await ends.close(citizen, ends.text.sha256)
            change.acked = time.monotonic()


async def beside(race: Race, citizen: UUID) -> None:
    """Another act of the same citizen, at about the same time on some worker."""
    await asyncio.sleep(race.random.random() * 0.004)
    with suppress(StillRunning, AccountClosed):
        await race.random.choice(race.workers).consent(citizen, scenario="library")


async def round_of(race: Race, citizen: UUID) -> None:
    """Questions before, the closing, the calamity's blow, and questions on every worker."""
    await race.lookups(citizen, 1, repeating=True)
    async with asyncio.TaskGroup() as group:
        if race.random.random() < 0.5:
            group.create_task(beside(race, citizen))
        await close(race, citizen)
        await race.calamity.strike(citizen)
        await race.lookups(citizen, AFTER_WITHDRAWAL, repeating=True)


@pytest.mark.parametrize("state", names())
async def test_an_account_that_was_closed_answers_no_later_lookup(stage: Stage, state: str) -> None:
    race, citizens = await stage.race(CALAMITIES[state], CITIZENS)
    await race.run(citizens, 1, lambda citizen: round_of(race, citizen))
    assert race.history.violations() == []
    assert await stage.notary.violations(race.history) == []
    assert len(race.history.withdrawals()) == CITIZENS
    closed = [lookup for lookup in race.history.lookups if not lookup.eligible]
    assert len(closed) >= CITIZENS * AFTER_WITHDRAWAL // 2, len(race.history.unanswered)
    left = "SELECT count(*) FROM citizen WHERE erased_at IS NULL OR wrapped_key IS NOT NULL"
    assert await stage.workers[0].owner.fetchval(left) == 0
    live = (
        "SELECT count(*) FROM (SELECT DISTINCT ON (id) status FROM consent"
        " ORDER BY id, version DESC) AS newest WHERE status <> 'withdrawn'"
    )
    assert await stage.workers[0].owner.fetchval(live) == 0


class SilentWriter(StandingWriter):
    """A control: changes what a standing is made of, and not the standing."""

    @asynccontextmanager
    async def change(self, *citizens: UUID, closed_too: bool = False) -> AsyncIterator[Connection]:
        async with self._database.transaction() as connection:
            await standings.lock(connection, citizens)
            yield connection


async def test_a_closing_that_leaves_the_standing_is_found_out(stage: Stage) -> None:
    race, citizens = await stage.race(CALAMITIES["healthy"], 3)
    city: Any = stage.workers[0].city
    silent = SilentWriter(city.database, city.cache, city.keys.standing_digest, lambda *_: 0)
    for citizen in citizens:
        await close(race, citizen, replace(city.closing, writer=silent))
        await race.lookups(citizen, AFTER_WITHDRAWAL)
    assert race.history.violations()
