"""Properties W, G and R on real engines, whatever befalls the cache.

W: once a withdrawal is acknowledged, no lookup that starts after it answers from the consent.
G: once a grant is acknowledged, a lookup that starts after it sees it.
R: every answer released has exactly one record, there when it is released; an acknowledged write
is never lost.
"""

from __future__ import annotations

import pytest

from tests.adversity.calamities import CALAMITIES, names
from tests.adversity.race import Stage

CITIZENS, ROUNDS = 5, 17
WITHDRAWALS_MIN, PROMPT_MIN, PROMPT_S = 75, 5, 0.020


@pytest.mark.parametrize("state", names())
async def test_an_acknowledged_change_binds_every_later_lookup(stage: Stage, state: str) -> None:
    race, citizens = await stage.race(CALAMITIES[state], CITIZENS)
    await race.run(citizens, ROUNDS, race.round)
    history = race.history
    assert history.violations() == []
    assert await stage.notary.violations(history) == []
    probed = [
        change
        for change in history.withdrawals()
        if history.promptly(change, PROMPT_S) >= PROMPT_MIN
    ]
    told = (
        f"{state}: {len(history.withdrawals())} withdrawals, {len(probed)} of them with"
        f" {PROMPT_MIN} or more answered lookups within 20 ms, {len(history.lookups)} answers,"
        f" {stage.notary.at_release} of them checked at release,"
        f" {len(history.unanswered)} unanswered"
    )
    print(told)
    assert len(probed) >= WITHDRAWALS_MIN, told
    assert len(history.unanswered) * 20 <= len(history.lookups), told
