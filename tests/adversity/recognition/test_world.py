"""The league itself: honest citizens travel, or nothing that follows would say anything."""

from __future__ import annotations

from typing import Any

import pytest

from scenarios.contract import Outcome
from tests.adversity.recognition.kinds import Bench
from tests.adversity.recognition.league import League
from tests.adversity.recognition.town import PARTY


async def test_a_citizen_travels_and_is_answered(league: League) -> None:
    await league.a.person(1)
    visitor = league.visitor(1)
    citizen = await visitor.visit("library", "rent")
    town = league.b.town
    await town.consent(citizen, recipient="library", scenario="library")
    answer = await town.ask(citizen, town.principal(PARTY), scenario="library")
    assert answer.outcome is Outcome.ELIGIBLE
    assert (await league.a.refusals(), await league.b.refusals()) == ({}, {})
    await visitor.close()


class TestACrowd:
    """A city speaks for all its visitors, a party for itself."""

    @pytest.fixture
    def given(self) -> dict[str, Any]:
        return {"token_attempts_burst": 6, "token_attempts_per_s": 0.01}

    async def test_a_city_may_ask_for_more_people_than_a_party_for_tokens(
        self, league: League
    ) -> None:
        bench = Bench(league)
        await bench.settle()
        assert {(await bench.partner.push()).status_code for _ in range(40)} == {201}
        told = [(await bench.party.ask()).status_code for _ in range(7)]
        assert told == [200] * 6 + [429]
        # And not without end.
        assert {(await bench.partner.push()).status_code for _ in range(30)} == {201, 429}
