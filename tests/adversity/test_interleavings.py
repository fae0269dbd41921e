"""Every order of the steps of two lookups and two changes, and a sample of them on real engines.

The model (`model.py`) walks through all 14! / (6! 6!) = 168,168 orders. The replay takes orders
drawn with a seed and makes the real components take the same steps one by one: cache, loader,
filler, decision, commit statement. What they answer and record, after how many tries, and what
the cache holds in the end must be what the model says.
"""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from gateway.proposer import Premises, Question
from gateway.standing import Standing, Wanted
from gateway.store import standing as rows
from gateway.store.cache import Entry as CacheEntry
from gateway.store.decision import Proposal
from scenarios.contract import Outcome
from tests.adversity.model import READER_STEPS, TRIES, Entry, Model, Rules, walk, walk_states
from tests.adversity.race import Stage
from tests.gateway.city import TestCity

ORDERS = 168_168
EMPTY, CURRENT, REWOUND = None, Entry(2, True), Entry(1, False)
CACHES = {"empty": EMPTY, "current": CURRENT, "rewound": REWOUND}

SAMPLE = int(os.environ.get("QIANJIANG_SAMPLE", "60"))
SEED = int(os.environ.get("QIANJIANG_SEED", "7"))


def test_no_order_of_two_lookups_and_two_changes_breaks_a_property() -> None:
    model = Model(Rules())
    found = walk(model, model.start(EMPTY))
    assert found == (ORDERS, frozenset())


@pytest.mark.parametrize("cached", CACHES)
@pytest.mark.parametrize("tell", [False, True])
def test_nor_does_it_with_any_cache_or_with_writers_that_tell_it(cached: str, tell: bool) -> None:
    model = Model(Rules(), tell=tell)
    found = walk_states(model, model.start(CACHES[cached]))
    assert found == (ORDERS * 60 if tell else ORDERS, frozenset())


@pytest.mark.parametrize(
    ("rules", "broken"),
    [
        (Rules(predicate=False), {"W", "G", "T"}),
        (Rules(check_before=True), {"T"}),
        (Rules(answer_first=True), {"W", "G", "R"}),
    ],
)
def test_a_rule_taken_out_of_the_model_is_missed(rules: Rules, broken: set[str]) -> None:
    model = Model(rules)
    assert walk_states(model, model.start(EMPTY)) == (ORDERS, frozenset(broken))


@pytest.mark.nightly
def test_nor_does_any_order_of_three_changes_that_tell_the_cache() -> None:
    model = Model(Rules(), writers=3, tell=True)
    found = walk_states(model, model.start(REWOUND))
    assert found == (1_543_782_240, frozenset())


async def test_the_real_components_do_what_the_model_does(stage: Stage) -> None:
    chance = random.Random(SEED)
    tries = 0
    for number in range(SAMPLE):
        cached = chance.choice(list(CACHES))
        replay = Replay(stage, CACHES[cached])
        await replay.arrange()
        order = [0] * READER_STEPS + [1] * READER_STEPS + [2, 3]
        chance.shuffle(order)
        for actor in order:
            await replay.step(actor)
        told = f"order {number} of seed {SEED}, cache {cached}: {order}"
        assert await replay.seen() == replay.expected(), told
        tries += sum(reader.tried for reader in replay.world.readers)
    print(f"{SAMPLE} orders replayed, {tries} commits for {2 * SAMPLE} answers")
    assert tries > 2 * SAMPLE, "no order needed a second try: the sample shows nothing"


class RealReader:
    """A lookup of a worker, taken apart into the model's steps."""

    def __init__(self, worker: TestCity, citizen: UUID) -> None:
        self.worker, self.citizen = worker, citizen
        self.decisions, self.committer = worker.city.decisions, worker.city.committer
        self.question: Question = worker.question(citizen)
        self.at_us = self.question.received_us
        self.standing: Standing | None = None
        self.premises: Premises | None = None
        self.proposal: Proposal | None = None
        self.tried, self.recorded = 0, False

    def steps(self) -> AsyncIterator[None]:
        """One step each time it is advanced."""
        return self._steps()

    async def _steps(self) -> AsyncIterator[None]:
        city = self.worker.city
        (value,) = await city.cache.get([city.cache.key(self.citizen)])
        entry = city.cache.unpack(self.citizen, value) if value else None
        yield
        loaded = entry is None
        if entry is None:
            async with city.database.connection() as connection:
                entry = (await rows.load(connection, [self.citizen]))[self.citizen]
        yield
        if loaded:
            await city.cache.offer([(entry, b"")])
        yield
        cached = b"" if loaded else value or b""
        standing = Standing(self.citizen, entry.version, entry.body, cached=cached)
        self.premises = self.decisions._proposer.usable(standing)
        self._propose()
        yield
        await self._commit()
        yield
        while not self.recorded and self.tried < TRIES:
            self._propose()
            await self._commit()
        yield

    def _propose(self) -> None:
        assert self.premises is not None
        self.proposal = self.decisions._proposer.propose(
            self.question, self.premises, self.at_us, None, used_up=False
        )

    async def _commit(self) -> None:
        assert self.premises is not None
        assert self.proposal is not None
        outcome = await self.committer.record(self.proposal, self.question.deadline)
        self.tried += 1
        self.recorded = outcome.receipt is not None
        if not self.recorded:
            self.at_us = outcome.at_us
            self.premises = await self.decisions._corrected(self.question, self.premises, outcome)
        healing = self.worker.city.standings._fills._runner
        if healing is not None:
            await healing  # the model heals the cache in the same step


class Replay:
    """One order of steps, on the model and on the engines at once."""

    def __init__(self, stage: Stage, cached: Entry | None) -> None:
        self.stage, self.cached = stage, cached
        self.model = Model(Rules())
        self.world = self.model.start(cached)
        self.versions: list[int] = []
        self.consent = self.writer.city.ids.random_uuid()

    @property
    def writer(self) -> TestCity:
        """The worker that writes: cut off from the cache, like the model's."""
        return self.stage.workers[2]

    async def arrange(self) -> None:
        """A citizen whose consent was closed, then open; and the cache as wanted."""
        self.writer.city.cache._resting_until = float("inf")
        self.citizen = await self.writer.citizen()
        await self.writer.commitment(self.citizen)
        old = await self._change(opens=False)
        current = await self._change(opens=True)
        cache = self.stage.workers[0].city.cache
        if self.cached is not None:
            entry = old if self.cached == REWOUND else current
            await cache.put(cache.key(self.citizen), cache.pack(entry), 60)
        self.readers = [RealReader(worker, self.citizen) for worker in self.stage.workers[:2]]
        self.running = [reader.steps() for reader in self.readers]

    async def step(self, actor: int) -> None:
        """The actor's next step, in both."""
        self.world, fault = self.model.step(self.world, actor)
        assert fault == ""
        if actor < len(self.running):
            await anext(self.running[actor])
        else:
            await self._change(opens=actor == 3)

    async def seen(self) -> list[object]:
        """Of each reader its answer, the version recorded and the tries; then what is cached."""
        notary = self.stage.notary.connection
        found: list[object] = []
        for reader in self.readers:
            assert reader.proposal is not None
            row = await notary.fetchrow(
                "SELECT outcome, standing_version FROM decision WHERE id = $1",
                reader.proposal.record.id,
            )
            assert row is not None, "an answer without its record"
            version = self.versions.index(row["standing_version"]) + 1
            found.append((row["outcome"] == Outcome.ELIGIBLE, version, reader.tried))
        cache = self.stage.workers[0].city.cache
        (value,) = await cache.get([cache.key(self.citizen)])
        entry = cache.unpack(self.citizen, value) if value else None
        return [*found, self.versions.index(entry.version) + 1 if entry else None]

    def expected(self) -> list[object]:
        """The same of the model."""
        readers = self.world.readers
        answers = [(r.answer, r.recorded.version, r.tried) for r in readers if r.recorded]
        return [*answers, self.world.cache.version if self.world.cache else None]

    async def _change(self, *, opens: bool) -> CacheEntry:
        number = len(self.versions) + 1
        status = "active" if opens else "withdrawn"
        await self.writer.consent(self.citizen, consent=self.consent, version=number, status=status)
        stored = await self.writer.city.standings.read_stored(Wanted(self.citizen))
        self.versions.append(stored.version)
        return CacheEntry(self.citizen, stored.version, stored.body)
