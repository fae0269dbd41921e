"""The league itself: an honest citizen travels, or nothing that follows would say anything."""

from __future__ import annotations

from scenarios.contract import Outcome
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
