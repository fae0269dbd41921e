"""Ten minutes of a partner that is down, slow or lying: clean answers, own citizens as ever.

Visitors of that city go the ordinary way within a minute, those of another city notice nothing, and
when the city is well again so are its visitors. Time passes by moving clocks on and the database's
instants back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest

from gateway.recognition import home_city, status_fetch
from scenarios.contract import Outcome
from tests.adversity.recognition.front import Lie
from tests.adversity.recognition.league import League, Visitor
from tests.adversity.recognition.lies import LIES, moved
from tests.adversity.recognition.town import PARTY, Town, Wrong

ELIGIBLE, ORDINARY = Outcome.ELIGIBLE, Outcome.STANDARD_PATH
#: Seconds of one step, and of them all.
STEP_S, TEN_MINUTES_S = 61, 600
OWN_QUESTIONS = 40


@pytest.fixture
def cities() -> int:
    return 3


class Decade:
    """Ten minutes at the visited city: who is there, and what the time is."""

    def __init__(self, league: League) -> None:
        self.league, self.here = league, league.b
        self.liar, self.well = league.a, league.towns[2]
        self.passed_s = 0.0
        self.clock = Wrong()
        league.server.clock = self.clock

    async def settle(self) -> None:
        """A citizen of this city, and a visitor of each of the two others."""
        self.own = await self.here.person(9)
        await self.allow(self.own)
        self.visitors = [await self.visitor_of(town) for town in (self.liar, self.well)]
        await self.passes(0)  # all of it took a while, and the word of neither city is old

    async def visitor_of(self, town: Town) -> UUID:
        await town.person(1)
        visitor = self.league.visitor(1, home=town, at=self.here)
        citizen = await visitor.visit("library")
        await self.allow(citizen)
        await visitor.close()
        return citizen

    async def allow(self, citizen: UUID) -> None:
        """Consent to the library, and promise."""
        await self.here.town.consent(citizen, recipient="library", scenario="library")
        await self.here.town.commitment(citizen, scenario="library")

    async def asked(self, citizen: UUID) -> Outcome:
        here = self.here.town
        return (await here.ask(citizen, here.principal(PARTY), scenario="library")).outcome

    async def passes(self, seconds: float, lie: Lie | None = None) -> None:
        """So much time passes; then what is due is done, and the liar answers so, or honestly."""
        self.passed_s += seconds
        for clock in (self.clock, *(town.clock for town in self.league.towns)):
            clock.off_s = self.passed_s
        self.liar.front.lie = lie or moved(self.liar)
        self.well.front.lie = moved(self.well)
        await self.here.owner.execute(
            "UPDATE issuer SET fresh_until = fresh_until - $1 * interval '1 second'"
            " WHERE fresh_until > 'epoch'",
            seconds,
        )
        await self.league.publish()
        reader = self.here.town.city.status_reader
        for known in (reader._due, reader._tried):
            known.clear()
        await reader.step()


@pytest.fixture
async def decade(league: League, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Decade]:
    made = Decade(league)
    await made.settle()
    # Whoever is silent is left after a second instead of three, for it will be asked often.
    monkeypatch.setattr(home_city, "TIMEOUT_S", 1.0)
    monkeypatch.setattr(status_fetch, "FETCH_S", 1.0)
    yield made
    for town in league.towns:
        town.front.lie = None


def clean(answer: httpx.Response) -> bool:
    """A refusal in the gateway's own words."""
    types = ("application/problem+json", "application/json")
    return 400 <= answer.status_code < 500 and answer.headers["content-type"] in types


async def tried(visitor: Visitor) -> None:
    """A visitor of the liar begins, and presents what there is."""
    begun = await visitor.begin()
    # It may take the request: some lie about their lists alone.
    assert clean(begun) or begun.status_code == 201, begun.text
    shown = await visitor.present()
    assert clean(shown), shown.text


#: Those of every run, one of each family; the others come at night.
BY_DAY = ("silent", "HTML", "redirects", "another city's answers", "lists five minutes ahead")
EVERY = [pytest.param(what, marks=[] if what in BY_DAY else [pytest.mark.nightly]) for what in LIES]


@pytest.mark.parametrize("what", EVERY)
async def test_ten_bad_minutes_cost_the_citys_own_visitors_the_fast_way_and_nobody_else(
    decade: Decade, what: str
) -> None:
    theirs, others = decade.visitors
    assert [await decade.asked(each) for each in (theirs, others)] == [ELIGIBLE, ELIGIBLE]
    lie = await LIES[what](decade.liar, decade.well)
    here = decade.here
    # One who has a code already: the liar does not redeem it.
    await decade.liar.person(2)
    returning = decade.league.visitor(2, home=decade.liar, at=here)
    location = await returning.return_with_code("library")
    for number in range(TEN_MINUTES_S // STEP_S):
        await decade.passes(STEP_S, lie)
        assert await decade.asked(theirs) is ORDINARY, number
        assert await decade.asked(others) is ELIGIBLE, number
        assert await decade.asked(decade.own) is ELIGIBLE, number
        if number in (0, 5):
            await tried(decade.league.visitor(2, home=decade.liar, at=here))
        if number == 0:
            back = await returning.come_back(location)
            assert clean(back) or back.status_code == 303, back.text
            assert clean(await returning.present())
    await decade.passes(5)
    assert await decade.asked(theirs) is ELIGIBLE
    assert await here.rows("SELECT 1 FROM visit WHERE reason IS NOT NULL") == []
    assert len(await here.rows("SELECT 1 FROM visit")) == 2, "nobody came in meanwhile"


@pytest.mark.parametrize("what", ["silent", "trickling"])
async def test_no_question_waits_for_a_slow_partner(
    decade: Decade, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that waits for it waits, and meanwhile everybody else is answered."""
    for module, name in ((home_city, "TIMEOUT_S"), (status_fetch, "FETCH_S")):
        monkeypatch.setattr(module, name, 5.0)
    calm = await paces(decade)
    lie = await LIES[what](decade.liar, decade.well)
    decade.liar.front.lie = lie
    reader = decade.here.town.city.status_reader
    reader._due.clear()
    visitors = [decade.league.visitor(1, home=decade.liar, at=decade.here) for _ in range(8)]
    slow = [asyncio.create_task(visitor.begin()) for visitor in visitors]
    slow.append(asyncio.create_task(reader.step()))  # type: ignore[arg-type]  # likewise
    while len(decade.liar.front.asked) < 8:  # noqa: ASYNC110  # until all of them wait
        await asyncio.sleep(0.01)
    busy = await paces(decade)
    assert not any(task.done() for task in slow)
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)
    print(f"{what}: p99 {calm * 1000:.1f} ms without, {busy * 1000:.1f} ms with eight waiting")


async def paces(decade: Decade) -> float:
    """The slowest of some questions about own citizens, in seconds."""
    took = []
    for _ in range(OWN_QUESTIONS):
        began = time.monotonic()
        assert await decade.asked(decade.own) is ELIGIBLE
        took.append(time.monotonic() - began)
    return max(took)


async def test_a_region_that_is_silent_ends_every_visit_and_no_question(decade: Decade) -> None:
    server = decade.league.server
    honest, server.answer = server.answer, list
    await decade.passes(61)
    assert [await decade.asked(each) for each in decade.visitors] == [ORDINARY, ORDINARY]
    assert await decade.asked(decade.own) is ELIGIBLE
    begun = await decade.league.visitor(1, home=decade.liar, at=decade.here).begin()
    assert begun.status_code == 404
    server.answer = honest
    await decade.passes(5)
    assert [await decade.asked(each) for each in decade.visitors] == [ELIGIBLE, ELIGIBLE]
