"""Properties W, G and R on real engines, whatever befalls the cache.

W: once a withdrawal is acknowledged, no lookup that starts after it answers from the consent.
G: once a grant is acknowledged, a lookup that starts after it sees it.
R: every answer released has exactly one record, there when it is released; an acknowledged write
is never lost.
"""

from __future__ import annotations

import pytest

from gateway.local.valkey import Valkey
from tests.adversity.calamities import CALAMITIES, names
from tests.adversity.notary import Notary
from tests.adversity.race import Race
from tests.gateway.city import TestCity

CITIZENS, ROUNDS = 5, 17
WITHDRAWALS_MIN, PROMPT_MIN, PROMPT_S = 75, 5, 0.020


@pytest.mark.parametrize("state", names())
async def test_an_acknowledged_change_binds_every_later_lookup(
    workers: list[TestCity], valkey: Valkey, notary: Notary, state: str
) -> None:
    race = Race(workers, CALAMITIES[state](valkey, workers[0], seed=7), notary)
    citizens = await race.enrol(CITIZENS)
    await race.run(citizens, ROUNDS, race.round)
    history = race.history
    assert history.violations() == []
    assert await notary.violations(history) == []
    probed = [
        change
        for change in history.withdrawals()
        if history.promptly(change, PROMPT_S) >= PROMPT_MIN
    ]
    told = (
        f"{state}: {len(history.withdrawals())} withdrawals, {len(probed)} of them with"
        f" {PROMPT_MIN} or more answered lookups within 20 ms, {len(history.lookups)} answers,"
        f" {notary.at_release} of them checked at release, {len(history.unanswered)} unanswered"
    )
    print(told)
    assert len(probed) >= WITHDRAWALS_MIN, told
    assert len(history.unanswered) * 20 <= len(history.lookups), told
