"""Each rule of the protocol, taken out, is missed: the races of `test_freshness` can tell.

A control that the checker did not catch would say that the races prove nothing. Where one rule
stands behind another (the digest behind the version, the commit behind the cache), the test also
shows that the second holds when the first is broken.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

from tests.adversity import sabotage
from tests.adversity.calamities import Calamity, Flushed, Rewound
from tests.adversity.race import WITHDRAW, Race, Stage

CITIZENS, ROUNDS_MAX, SOUND_ROUNDS = 3, 40, 4


async def until_caught(
    race: Race, citizens: list[UUID], one: Callable[[UUID], Awaitable[None]] | None = None
) -> str:
    """What the checker has to say, after a bounded number of rounds at most."""
    found = await race.until_caught(citizens, ROUNDS_MAX, one or race.round)
    assert found, f"not caught in {len(race.history.lookups)} answers"
    print(f"caught after {len(race.history.withdrawals())} withdrawals: {found[0]}")
    return found[0]


async def sound(
    race: Race, citizens: list[UUID], one: Callable[[UUID], Awaitable[None]] | None = None
) -> None:
    """The checker has nothing to say."""
    assert await race.until_caught(citizens, SOUND_ROUNDS, one or race.round) == []


async def test_without_a_version_predicate_an_old_entry_answers(stage: Stage) -> None:
    race, citizens = await stage.race(Rewound, CITIZENS)
    for worker in stage.workers:
        worker.city.committer.__class__ = sabotage.BlindCommitter
    assert (await until_caught(race, citizens)).startswith("W")


async def test_a_check_in_an_earlier_transaction_misses_what_came_between(stage: Stage) -> None:
    race, citizens = await stage.race(Rewound, CITIZENS)
    for worker in stage.workers:
        worker.city.committer.__class__ = sabotage.EarlierCheckCommitter
    assert (await until_caught(race, citizens)).startswith("W")


async def test_a_body_rebuilt_in_the_bumping_update_brings_the_consent_back(stage: Stage) -> None:
    race, citizens = await stage.race(Calamity, CITIZENS)
    for worker in stage.workers:
        worker.city.writer.__class__ = sabotage.TearingWriter
    assert (await until_caught(race, citizens)).startswith("W")


async def test_a_loader_in_two_statements_is_caught_by_the_digest_alone(stage: Stage) -> None:
    race, citizens = await stage.race(Flushed, CITIZENS)
    for worker in stage.workers:
        worker.city.standings.__class__ = sabotage.TwoStatementReader
    await sound(race, citizens)
    race, citizens = await stage.race(Flushed, CITIZENS)
    for worker in stage.workers:
        worker.city.committer.__class__ = sabotage.VersionOnlyCommitter
    assert await until_caught(race, citizens)


async def test_a_reused_version_is_caught_by_the_digest_alone(stage: Stage) -> None:
    race, citizens = await stage.race(Calamity, CITIZENS)
    for worker in stage.workers:
        worker.city.writer.__class__ = sabotage.ReusingWriter

    async def one(citizen: UUID) -> None:
        await failing(race, citizen)
        await race.change(citizen, opens=False)
        await race.lookups(citizen, 4)
        await race.change(citizen, opens=True)

    await sound(race, citizens, one)
    for worker in stage.workers:
        worker.city.committer.__class__ = sabotage.VersionOnlyCommitter
    race, citizens = await stage.race(Calamity, CITIZENS)
    assert (await until_caught(race, citizens, one)).startswith("W")


async def test_without_the_interval_a_slow_clock_answers_from_an_expired_consent(
    stage: Stage,
) -> None:
    race, citizens = await stage.race(Calamity, CITIZENS)
    for worker in stage.workers:
        worker.city.decisions._clock = sabotage.ShiftedClock(-30)
    await sound(race, citizens, race.expiry_round)
    for worker in stage.workers:
        worker.city.committer.__class__ = sabotage.TimelessCommitter
    assert (await until_caught(race, citizens, race.expiry_round)).startswith("W")


async def test_an_answer_before_its_commit_is_untrue_and_has_no_record(stage: Stage) -> None:
    for calamity, property_ in ((Rewound, "W"), (Calamity, "R")):
        race, citizens = await stage.race(calamity, CITIZENS)
        for worker in stage.workers:
            worker.city.committer.__class__ = sabotage.HastyCommitter
        found = await race.until_caught(citizens, ROUNDS_MAX, race.round)
        await sabotage.HastyCommitter.settle()
        assert any(fault.startswith(property_) for fault in found), found


async def test_a_saved_answer_replayed_blindly_outlives_its_consent(stage: Stage) -> None:
    race, citizens = await stage.race(Calamity, CITIZENS)
    for worker in stage.workers:
        worker.city.decisions.__class__ = sabotage.ParrotDecisions
    assert (await until_caught(race, citizens)).startswith("W")


async def test_a_cache_told_before_the_commit_is_caught_by_the_commit_alone(stage: Stage) -> None:
    race, citizens = await stage.race(Calamity, CITIZENS)
    for worker in stage.workers:
        worker.city.writer.__class__ = sabotage.EarlyWriter

    async def one(citizen: UUID) -> None:
        await failing(race, citizen, WITHDRAW)
        await race.lookups(citizen, 3)

    await sound(race, citizens, one)
    for worker in stage.workers:
        worker.city.committer.__class__ = sabotage.BlindCommitter
    assert (await until_caught(race, citizens, one)).startswith("G")


async def test_a_cache_of_deletes_and_late_fillers_is_caught_by_the_commit_alone(
    stage: Stage,
) -> None:
    race, citizens = await stage.race(Calamity, CITIZENS)
    for worker in stage.workers:
        worker.city.cache.__class__ = sabotage.LastWriteCache
        worker.city.writer.__class__ = sabotage.DeletingWriter
    await sound(race, citizens)
    for worker in stage.workers:
        worker.city.committer.__class__ = sabotage.BlindCommitter
    assert await until_caught(race, citizens)


async def failing(race: Race, citizen: UUID, statement: str | None = None) -> None:
    """A change that the cache hears of and whose commit then fails."""
    consent, version = race.consents[citizen]
    sabotage.EarlyWriter.failing.add(citizen)
    with suppress(sabotage.CommitFailed):
        async with race.workers[0].city.writer.change(citizen) as connection:
            if statement is not None:
                await connection.execute(statement, consent, version + 1)
    sabotage.EarlyWriter.failing.discard(citizen)
