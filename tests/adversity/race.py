"""A race: citizens withdraw and grant while parties ask about them on every worker.

Each round of a citizen: a withdrawal (sometimes beside another writer of the same standing), its
acknowledgement, at once the calamity's blow and lookups on every worker; then a grant and lookups
again. Other lookups go on all the time.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from math import inf
from typing import NamedTuple
from uuid import UUID

from redis.asyncio import Redis

from gateway.clock import SECOND_US
from gateway.decision import Answer
from gateway.errors import DependencyDown, OutcomeUnknown, Overloaded, StillRunning
from gateway.local.valkey import Valkey
from tests.adversity.calamities import Calamity
from tests.adversity.history import Change, History, Lookup
from tests.adversity.notary import Notary
from tests.gateway.city import HOUR_US, TestCity

#: What a party may hear instead of an answer: the 503s.
NO_ANSWER = (DependencyDown, OutcomeUnknown, Overloaded)

AFTER_WITHDRAWAL = 7
AFTER_GRANT = 3
WITNESSED_OF = 8
BACKGROUND = 2
LIFE_S = 0.06


class Abort(Exception):
    """A change fails before its commit."""


class Race:
    """One race of some workers, with its history."""

    def __init__(
        self, workers: Sequence[TestCity], calamity: Calamity, notary: Notary, *, seed: int = 7
    ) -> None:
        self.workers, self.calamity, self.notary = workers, calamity, notary
        self.history = History()
        self.random = random.Random(seed)
        self.consents: dict[UUID, tuple[UUID, int]] = {}
        self.witnessing = True
        self.open_since_us = 48 * HOUR_US  # how long before its expiry a consent began

    async def enrol(self, count: int) -> list[UUID]:
        """So many citizens with an open consent."""
        citizens = [await self.workers[0].citizen() for _ in range(count)]
        for citizen in citizens:
            await self.workers[0].commitment(citizen)
            self.consents[citizen] = self.workers[0].city.ids.random_uuid(), 0
            await self.change(citizen, opens=True)
            await self.calamity.observe(citizen)
        return citizens

    async def change(self, citizen: UUID, *, opens: bool) -> Change:
        """Grant or withdraw, on some worker; returns once it is acknowledged."""
        consent, version = self.consents[citizen]
        self.consents[citizen] = consent, version + 1
        change = Change(citizen, opens, time.monotonic())
        self.history.changed(change)
        while change.acked == inf:
            with suppress(StillRunning):  # the lock was not had in time: nothing happened yet
                await self.random.choice(self.workers).consent(
                    citizen,
                    consent=consent,
                    version=version + 1,
                    status="active" if opens else "withdrawn",
                    from_us=self.workers[0].city.clock.now_us() - 48 * HOUR_US,
                )
                change.acked = time.monotonic()
        return change

    async def ask(self, worker: TestCity, citizen: UUID, request_id: str | None = None) -> None:
        """One lookup, noted with its answer; some answers' records are looked for at once."""
        sent = time.monotonic()
        try:
            answer = await worker.ask(citizen, request_id=request_id, body_hash=b"same")
        except NO_ANSWER as refusal:
            self.history.unanswered.append(refusal)
            return
        self.history.lookups.append(Lookup(citizen, sent, time.monotonic(), answer))
        await self._released(answer)

    async def lookups(self, citizen: UUID, count: int, *, repeating: bool = False) -> None:
        """So many lookups at once, spread over the workers; one may repeat an earlier question."""
        start = self.random.randrange(len(self.workers))
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                worker = self.workers[(start + number) % len(self.workers)]
                name = f"case-{citizen}" if repeating and number == 0 else None
                group.create_task(self.ask(worker, citizen, name))

    async def round(self, citizen: UUID) -> None:
        """A withdrawal and a grant, each with lookups right after its acknowledgement."""
        await self.lookups(citizen, 1, repeating=True)
        async with asyncio.TaskGroup() as group:
            if self.random.random() < 0.5:
                group.create_task(self.unrelated(citizen))
            await self.change(citizen, opens=False)
            await self.calamity.strike(citizen)
            await self.lookups(citizen, AFTER_WITHDRAWAL, repeating=True)
        await self.change(citizen, opens=True)
        await self.lookups(citizen, AFTER_GRANT)
        await self.calamity.observe(citizen)

    async def unrelated(self, citizen: UUID) -> None:
        """Another change of the same standing that the answer does not depend on."""
        await asyncio.sleep(self.random.random() * 0.004)
        with suppress(StillRunning):
            await self.random.choice(self.workers).consent(citizen, scenario="library")

    async def aborted_round(self, citizen: UUID) -> None:
        """A withdrawal that fails before its commit is none: the consent stays open."""
        consent, version = self.consents[citizen]
        try:
            async with self.workers[0].city.writer.change(citizen) as connection:
                await connection.execute(WITHDRAW, consent, version + 1)
                raise Abort
        except Abort:
            pass
        await self.lookups(citizen, AFTER_GRANT)

    async def expiry_round(self, citizen: UUID) -> None:
        """A consent runs out, by PostgreSQL's clock; nobody writes anything."""
        consent, version = self.consents[citizen]
        self.consents[citizen] = consent, version + 1
        begun = time.monotonic()
        end, end_us = begun + LIFE_S, time.time_ns() // 1000 + int(LIFE_S * SECOND_US)
        grant = Change(citizen, True, begun)
        self.history.changed(grant)
        await self.workers[0].consent(
            citizen,
            consent=consent,
            version=version + 1,
            from_us=end_us - self.open_since_us,
            to_us=end_us,
        )
        grant.acked = time.monotonic()
        # From "begun" on: reading the two clocks one after the other leaves a moment between.
        self.history.changed(Change(citizen, False, end - 0.001, end + 0.001))
        await self.lookups(citizen, AFTER_GRANT)
        await asyncio.sleep(max(0.0, end + 0.002 - time.monotonic()))
        await self.lookups(citizen, AFTER_WITHDRAWAL)

    async def run(
        self, citizens: Sequence[UUID], rounds: int, one: Callable[[UUID], Awaitable[None]]
    ) -> None:
        """So many rounds of every citizen, the citizens side by side, with other lookups racing."""
        over = asyncio.Event()
        async with self.calamity.raging(), asyncio.TaskGroup() as noise:
            for _ in range(BACKGROUND):
                noise.create_task(self._background(citizens, over))
            try:
                async with asyncio.TaskGroup() as group:
                    for citizen in citizens:
                        group.create_task(self._rounds(citizen, rounds, one))
            finally:
                over.set()

    async def until_caught(
        self, citizens: Sequence[UUID], rounds: int, one: Callable[[UUID], Awaitable[None]]
    ) -> list[str]:
        """Rounds until the checker finds a violation, at most so many."""
        found: list[str] = []
        for _ in range(rounds):
            await self.run(citizens, 1, one)
            found = self.history.violations() + self.notary.missing
            if found:
                break
        return found

    async def _rounds(
        self, citizen: UUID, rounds: int, one: Callable[[UUID], Awaitable[None]]
    ) -> None:
        for _ in range(rounds):
            await one(citizen)

    async def _background(self, citizens: Sequence[UUID], over: asyncio.Event) -> None:
        while not over.is_set():
            await self.ask(self.random.choice(self.workers), self.random.choice(citizens))
            await asyncio.sleep(0.001)

    async def _released(self, answer: Answer) -> None:
        if self.witnessing and self.random.randrange(WITNESSED_OF) == 0:
            await self.notary.witness(answer)


class Stage(NamedTuple):
    """What a race needs: workers, the cache and its administrator, a notary."""

    workers: list[TestCity]
    valkey: Valkey
    cache_admin: Redis
    notary: Notary

    async def race(self, calamity: type[Calamity], citizens: int) -> tuple[Race, list[UUID]]:
        """A race in some state of the cache, and its citizens."""
        befalling = calamity(self.valkey, self.cache_admin, self.workers[0])
        race = Race(self.workers, befalling, self.notary)
        return race, await race.enrol(citizens)


WITHDRAW = """
INSERT INTO consent (id, version, citizen, recipient, scenario, purpose, fields, text_version,
  text_sha256, from_at, to_at, status)
SELECT id, $2, citizen, recipient, scenario, purpose, fields, text_version, text_sha256, from_at,
  to_at, 'withdrawn' FROM consent WHERE id = $1 ORDER BY version DESC LIMIT 1
"""
