"""PostgreSQL and Valkey fail under load: no answer without its record, nothing acknowledged lost.

While PostgreSQL is away there is no answer at all, whatever the cache holds; what was in flight is
of unknown outcome, is never repeated, and is listed afterwards where its row exists.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from gateway.errors import DependencyDown, OutcomeUnknown
from scenarios.contract import Outcome
from tests.adversity.calamities import Calamity
from tests.adversity.history import Change
from tests.adversity.race import NO_ANSWER, Race, Stage
from tests.engines import Engines
from tests.gateway.city import TestCity

CITIZENS, ASKERS = 6, 9
FIRST_ANSWER_S = 5.0


class Load:
    """Lookups and changes without a pause, until it is over."""

    def __init__(self, race: Race, citizens: list[UUID]) -> None:
        self.race, self.citizens = race, citizens
        self.over = False
        self.unknown: list[Change] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Load from the beginning of the block to its end."""
        async with asyncio.TaskGroup() as group:
            for number in range(ASKERS):
                group.create_task(self._ask(number))
            for citizen in self.citizens[: CITIZENS // 2]:
                group.create_task(self._change(citizen))
            try:
                yield
            finally:
                self.over = True

    async def first_answer(self, since: float) -> float:
        """Seconds from then to the first answer to a question asked after it."""
        while True:
            for lookup in reversed(self.race.history.lookups):
                if lookup.sent >= since:
                    return lookup.answered - since
            assert time.monotonic() - since < FIRST_ANSWER_S, "no answer came"
            await asyncio.sleep(0.005)

    async def _ask(self, number: int) -> None:
        race = self.race
        while not self.over:
            worker = race.workers[number % len(race.workers)]
            await race.ask(worker, race.random.choice(self.citizens))
            await asyncio.sleep(0.001)

    async def _change(self, citizen: UUID) -> None:
        opens = False
        while not self.over:
            try:
                await self.race.change(citizen, opens=opens)
                opens = not opens
            except NO_ANSWER:
                # Not acknowledged: it may or may not have happened, and counts as possible.
                self.unknown.append(self.race.history.changes[citizen][-1])
                await asyncio.sleep(0.05)


async def loaded(stage: Stage) -> Load:
    """A load on a healthy cache, with every answer's record looked for at the end only."""
    race, citizens = await stage.race(Calamity, CITIZENS)
    race.witnessing = False
    return Load(race, citizens)


async def test_while_postgres_is_away_there_is_no_answer_and_afterwards_nothing_is_lost(
    stage: Stage, engines: Engines
) -> None:
    load = await loaded(stage)
    history = load.race.history
    async with load.running():
        await asyncio.sleep(0.4)
        engines.postgres.stop("immediate")
        down = time.monotonic()
        await asyncio.sleep(0.5)
        up = time.monotonic()
        engines.postgres.start()
        waited = await load.first_answer(up)
        await asyncio.sleep(0.3)
    while_down = [one for one in history.lookups if one.sent > down and one.answered < up]
    assert while_down == []
    assert waited <= FIRST_ANSWER_S
    assert any(isinstance(fault, OutcomeUnknown | DependencyDown) for fault in history.unanswered)
    assert history.violations() == []
    await everything_is_accounted_for(stage, load)
    print(
        f"{len(history.lookups)} answers, {len(history.unanswered)} without one,"
        f" {len(load.unknown)} changes unknown, first answer {waited:.3f} s after the start began"
    )


async def everything_is_accounted_for(stage: Stage, load: Load) -> None:
    """Each answer has its record; each record without an answer is listed as not delivered."""
    unknown = {
        identifier
        for worker in stage.workers
        for lost in worker.city.committer._unknown
        for identifier in lost.ids
    }
    marked = sum([await worker.city.committer.reconcile() for worker in stage.workers])
    assert [worker.city.committer._unknown for worker in stage.workers] == [[]] * 3
    connection = await stage.notary.again()
    answered = {lookup.answer.decision for lookup in load.race.history.lookups}
    recorded = {row["id"] for row in await connection.fetch("SELECT id FROM decision")}
    listed = {row["decision"] for row in await connection.fetch("TABLE decision_undelivered")}
    assert answered <= recorded
    assert recorded - answered == listed
    assert listed == recorded & unknown
    assert marked == len(listed)
    for citizen, changes in load.race.history.changes.items():
        acked = [change for change in changes if change not in load.unknown]
        acts = await connection.fetchval(
            "SELECT count(*) FROM consent WHERE citizen = $1 AND scenario = 'rent'", citizen
        )
        assert len(acked) <= acts <= len(changes)


async def test_a_frozen_server_process_says_nothing_and_its_late_row_is_listed(
    stage: Stage,
) -> None:
    worker = stage.workers[0]
    citizen = await worker.ready()
    async with worker.city._batch.connection() as connection:
        backend = connection.get_server_pid()
    os.kill(backend, signal.SIGSTOP)
    try:
        frozen = asyncio.gather(*(worker.ask(citizen) for _ in range(3)), return_exceptions=True)
        assert [type(fault) for fault in await frozen] == [OutcomeUnknown] * 3
        # Another connection serves meanwhile, and nothing is settled while the process lives.
        assert (await worker.ask(citizen)).outcome is Outcome.ELIGIBLE
        assert await worker.city.committer.reconcile() == 0
    finally:
        os.kill(backend, signal.SIGCONT)
    await gone(worker, backend)
    # Thawed, the process ran what it had been sent, or heeded the cancellation if that came first.
    late = await worker.owner.fetchval("SELECT count(*) FROM decision") - 1
    assert late in (0, 3)
    assert await worker.city.committer.reconcile() == late
    assert worker.city.counts.outcomes_unknown[()] == 3
    assert worker.city.counts.decisions_undelivered[()] == late
    assert await worker.owner.fetchval("SELECT count(*) FROM decision_undelivered") == late
    assert worker.city.committer._unknown == []


async def test_a_statement_that_takes_too_long_is_no_answer(stage: Stage) -> None:
    """A lock that no decision should meet holds it up: PostgreSQL gives up, and so does it."""
    worker = stage.workers[0]
    citizen = await worker.ready()
    async with worker.owner.transaction():
        await worker.owner.execute("LOCK TABLE decision_facts IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(NO_ANSWER):
            await worker.ask(citizen)
    assert (await worker.ask(citizen)).outcome is Outcome.ELIGIBLE
    await worker.city.committer.reconcile()
    assert await worker.owner.fetchval("SELECT count(*) FROM decision") == 1


async def test_a_dead_cache_costs_no_answer(stage: Stage) -> None:
    load = await loaded(stage)
    history = load.race.history
    async with load.running():
        await asyncio.sleep(0.3)
        stage.valkey.kill()
        dead = time.monotonic()
        await asyncio.sleep(0.5)
        answered = [lookup for lookup in history.lookups if lookup.sent > dead]
        stage.valkey.start()
        await asyncio.sleep(0.3)
    assert len(answered) > ASKERS
    assert history.violations() == []
    assert all(not isinstance(fault, DependencyDown) for fault in history.unanswered)
    await everything_is_accounted_for(stage, load)


async def gone(worker: TestCity, backend: int) -> None:
    """Until a server process has ended."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1"
    for _ in range(500):
        if await worker.owner.fetchval(query, backend) == 0:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the server process lives on")
