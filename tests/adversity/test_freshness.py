"""Properties W, G and R on real engines, whatever befalls the cache.

W: once a withdrawal is acknowledged, no lookup that starts after it answers from the consent.
G: once a grant is acknowledged, a lookup that starts after it sees it.
R: every answer released has exactly one record, there when it is released; an acknowledged write
is never lost.
"""

from __future__ import annotations

import pytest

from gateway.clock import SECOND_US
from tests.adversity.calamities import CALAMITIES, names
from tests.adversity.history import Change, History
from tests.adversity.race import LIFE_S, Stage
from tests.adversity.sabotage import ShiftedClock

CITIZENS, ROUNDS, EXTRA_MAX = 5, 17, 4
WITHDRAWALS_MIN, PROMPT_MIN, PROMPT_S = 75, 5, 0.020


@pytest.mark.parametrize("state", names())
async def test_an_acknowledged_change_binds_every_later_lookup(stage: Stage, state: str) -> None:
    race, citizens = await stage.race(CALAMITIES[state], CITIZENS)
    history = race.history
    await race.run(citizens, ROUNDS, race.round)
    for _ in range(EXTRA_MAX):
        # A busy machine may not send five lookups in 20 ms: such a withdrawal does not count.
        if len(probed(history)) < WITHDRAWALS_MIN:
            await race.run(citizens, 4, race.round)
    assert history.violations() == []
    assert await stage.notary.violations(history) == []
    told = (
        f"{state}: {len(history.withdrawals())} withdrawals, {len(probed(history))} of them with"
        f" {PROMPT_MIN} or more answered lookups within 20 ms, {len(history.lookups)} answers,"
        f" {stage.notary.at_release} of them checked at release,"
        f" {len(history.unanswered)} unanswered"
    )
    print(told)
    assert len(probed(history)) >= WITHDRAWALS_MIN, told
    assert len(history.unanswered) * 10 <= len(history.lookups), told


def probed(history: History) -> list[Change]:
    """The withdrawals with enough answered lookups sent promptly after them."""
    return [
        change
        for change in history.withdrawals()
        if history.promptly(change, PROMPT_S) >= PROMPT_MIN
    ]


async def test_a_consent_begins_and_ends_by_the_databases_clock_whatever_the_workers_say(
    stage: Stage,
) -> None:
    for worker, seconds in zip(stage.workers, (-30, 0, 30), strict=True):
        worker.city.decisions._clock = ShiftedClock(seconds)
    race, citizens = await stage.race(CALAMITIES["healthy"], CITIZENS)
    race.open_since_us = int(LIFE_S * SECOND_US)
    await race.run(citizens, 6, race.expiry_round)
    assert race.history.violations() == []
    assert await stage.notary.answers(race.history) == []


async def test_a_dump_of_the_whole_cache_from_before_answers_nothing(stage: Stage) -> None:
    """The engine itself is killed and comes back with every entry of an open consent."""
    race, citizens = await stage.race(CALAMITIES["healthy"], CITIZENS)
    await stage.cache_admin.save()
    for citizen in citizens:
        await race.change(citizen, opens=False)
    await stage.cache_admin.connection_pool.disconnect()
    stage.valkey.kill()
    stage.valkey.start()
    for worker in stage.workers:
        worker.city.cache._resting_until = 0.0
    key = stage.workers[0].city.cache.key(citizens[0])
    assert await stage.cache_admin.get(key) == race.calamity.open[citizens[0]][0]
    for citizen in citizens:
        await race.lookups(citizen, 6)
    stage.valkey.forget_dump()
    answers = [lookup for lookup in race.history.lookups if not lookup.eligible]
    assert len(answers) == 6 * CITIZENS
    assert race.history.violations() == []
