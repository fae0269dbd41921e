"""Properties W, G and R of searches: what binds a question binds a search, by the same check."""

from __future__ import annotations

import time
from typing import ClassVar
from uuid import UUID

import pytest

from gateway.decision import Answer
from gateway.search_committer import SearchCommitter
from gateway.store import search as rows
from gateway.store.search import SearchOutcome, SearchProposal
from gateway.store.sql import read_queries
from scenarios.contract import Outcome
from tests.adversity.calamities import CALAMITIES, Rewound
from tests.adversity.history import Lookup
from tests.adversity.race import NO_ANSWER, Race, Stage
from tests.adversity.sabotage import ShiftedClock
from tests.gateway.city import TestCity
from tests.gateway.searching import search

CITIZENS, ROUNDS, ROUNDS_MAX = 4, 6, 40

_RECORD = read_queries("search")["record"]


def without(fragment: str, instead: str) -> str:
    """The commit statement with a fragment replaced, which it must hold exactly once."""
    assert _RECORD.count(fragment) == 1, "the commit statement has changed"
    return _RECORD.replace(fragment, instead)


class SearchRace(Race):
    """A race whose lookups are searches."""

    witnessing = False

    async def ask(self, worker: TestCity, citizen: UUID, request_id: str | None = None) -> None:
        sent = time.monotonic()
        try:
            found = await search(worker, citizen)
        except NO_ANSWER as refusal:
            self.history.unanswered.append(refusal)
            return
        answer = Answer(
            decision=found.search,
            outcome=Outcome.ELIGIBLE if "rent" in found.scenarios else Outcome.STANDARD_PATH,
            at_us=found.at_us,
            valid_until_us=found.valid_until_us,
            receipt=found.receipt,
            score_as_of=found.score_as_of,
        )
        self.history.lookups.append(Lookup(citizen, sent, time.monotonic(), answer))


async def race_of(stage: Stage, state: str | type[Rewound]) -> tuple[SearchRace, list[UUID]]:
    calamity = CALAMITIES[state] if isinstance(state, str) else state
    befalling = calamity(stage.valkey, stage.cache_admin, stage.workers[0])
    race = SearchRace(stage.workers, befalling, stage.notary)
    race.witnessing = False
    return race, await race.enrol(CITIZENS)


async def unrecorded(stage: Stage, race: SearchRace) -> list[str]:
    """Answers released without exactly their record."""
    connection = await stage.notary.again()
    found = await connection.fetch("SELECT id, found, receipt FROM search")
    held = {row["id"]: (bool(row["found"]), row["receipt"]) for row in found}
    released = [lookup.answer for lookup in race.history.lookups]
    assert len(released) == len({answer.decision for answer in released})
    return [
        str(answer.decision)
        for answer in released
        if held.get(answer.decision) != (answer.outcome is Outcome.ELIGIBLE, answer.receipt)
    ]


@pytest.mark.parametrize("state", ["healthy", "rewound"])
async def test_an_acknowledged_change_binds_every_later_search(stage: Stage, state: str) -> None:
    race, citizens = await race_of(stage, state)
    await race.run(citizens, ROUNDS, race.round)
    assert race.history.violations() == []
    assert await unrecorded(stage, race) == []
    assert len(race.history.withdrawals()) >= CITIZENS * ROUNDS
    assert len(race.history.unanswered) * 10 <= len(race.history.lookups)


async def test_a_consent_begins_and_ends_by_the_databases_clock(stage: Stage) -> None:
    for worker, seconds in zip(stage.workers, (-30, 0, 30), strict=True):
        worker.city.searches._clock = ShiftedClock(seconds)
    race, citizens = await race_of(stage, "healthy")
    await race.run(citizens, 4, race.expiry_round)
    assert race.history.violations() == []


class _Altered(SearchCommitter):
    """Sends another statement."""

    statement: ClassVar[str]

    async def _send(self, proposals: list[SearchProposal]) -> list[SearchOutcome]:
        async with self._database.connection() as connection:
            return await rows.record(
                connection,
                proposals,
                answer_ttl_us=self._answer_ttl_us,
                statement=self.statement,
            )


class BlindSearchCommitter(_Altered):
    """Does not ask whether the standing still holds."""

    statement = without(
        "CASE WHEN a.version = 0 THEN s.citizen IS NULL\n"
        "              ELSE s.version = a.version AND s.digest = a.digest END IS TRUE",
        "true",
    )


class TimelessSearchCommitter(_Altered):
    """Does not ask whether the interval still holds."""

    statement = without("\n             AND c.since_us <= c.at_us AND c.at_us < c.until_us", "")


async def test_without_a_version_predicate_an_old_entry_answers(stage: Stage) -> None:
    race, citizens = await race_of(stage, Rewound)
    for worker in stage.workers:
        worker.city.search_committer.__class__ = BlindSearchCommitter
    found = await race.until_caught(citizens, ROUNDS_MAX, race.round)
    assert found, "not caught"
    assert found[0].startswith("W")


async def test_without_the_interval_a_slow_clock_finds_an_expired_consent(stage: Stage) -> None:
    race, citizens = await race_of(stage, "healthy")
    for worker in stage.workers:
        worker.city.searches._clock = ShiftedClock(-30)
        worker.city.search_committer.__class__ = TimelessSearchCommitter
    found = await race.until_caught(citizens, ROUNDS_MAX, race.expiry_round)
    assert found, "not caught"
    assert found[0].startswith("W")
