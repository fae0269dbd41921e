"""Property W between cities: a minute after a withdrawal at home no benefit is given elsewhere.

Two live cities, each of two workers with its background worker, over sockets; and a control that
the checker must catch: a visited city that does not look whether the home city's word is fresh.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from scenarios.contract import Outcome
from tests.adversity import sabotage
from tests.adversity.recognition import travel
from tests.adversity.recognition.league import League
from tests.adversity.recognition.lies import LIES
from tests.adversity.recognition.town import PARTY
from tests.adversity.recognition.travel import WAYS, Abroad
from tests.adversity.recognition.watch import Asked, Watched
from tests.gateway.city import TestCity
from tests.pair import Pair

BOUND_S = 60.0
STAY = 4


@pytest.mark.timeout(300)
@pytest.mark.parametrize("each", [4, pytest.param(20, marks=pytest.mark.nightly)])
def test_a_minute_after_a_withdrawal_at_home_nobody_is_given_a_benefit(
    pair: Pair, each: int, capsys: pytest.CaptureFixture[str]
) -> None:
    count = each * (len(WAYS) + 1) + STAY
    everybody = [Abroad(pair, login, n) for n, login in enumerate(pair.a.people(count, band=5))]
    facts = travel.settle(pair, everybody)
    stay, fall, leave = everybody[:STAY], everybody[STAY : STAY + each], everybody[STAY + each :]
    watched, over = Watched(), Event()
    with ThreadPoolExecutor(8) as threads:
        asking = threads.submit(
            lambda: asyncio.run(travel.ask(pair, everybody, facts, watched, over))
        )
        try:
            time.sleep(2)
            assert all(watched.last(who.number) for who in everybody), "all are eligible at first"
            acts = [threads.submit(_withdraw, watched, who, way)
                    for who, way in zip(leave, list(WAYS) * each, strict=True)]  # fmt: skip
            for act in acts:
                act.result()
            travel.publish_lower(pair.a, fall)
            watched.acked |= dict.fromkeys([who.number for who in fall], time.monotonic())
            end = time.monotonic() + BOUND_S + 10
            while any(watched.last(who) for who in watched.acked) and time.monotonic() < end:
                time.sleep(0.5)
            time.sleep(2)
        finally:
            over.set()
            for who in everybody:
                who.browser.http.close()
        asking.result()
    assert watched.late(BOUND_S) == []
    assert not any(watched.last(who) for who in watched.acked), "every withdrawal arrived"
    assert all(watched.last(who.number) for who in stay), "and nobody else's"
    lags = watched.lags()
    told = (
        f"{len(lags)} withdrawals, {len(watched.answers)} answers; seconds from the"
        f" acknowledgement to the last benefit: median {statistics.median(lags):.1f},"
        f" p90 {lags[int(len(lags) * 0.9)]:.1f}, most {lags[-1]:.1f}"
    )
    with capsys.disabled():
        print(f"\n{told}")


def _withdraw(watched: Watched, who: Abroad, way: str) -> None:
    WAYS[way](who)
    watched.acked[who.number] = time.monotonic()


async def test_without_the_freshness_predicate_the_checker_catches_it(league: League) -> None:
    """The home city is cut off right after it acknowledged. A bound of two seconds stands for the
    minute: the word that was heard last is moved to its end."""
    bound_s = 2.0
    home, here = league.a, league.b
    await home.person(1)
    visitor = league.visitor(1)
    citizen = await visitor.visit("library")
    await here.town.consent(citizen, recipient="library", scenario="library")
    await league.worker(here)
    sound, credulous = here.workers
    credulous.city.committer.__class__ = sabotage.CredulousCommitter
    (row,) = await home.rows("SELECT citizen, consent FROM recognition")
    await home.town.city.consents.withdraw(row["citizen"], row["consent"])
    runs = Watched(), Watched()
    for run in runs:
        run.acked[1] = time.monotonic()
    home.front.lie = await LIES["closed"](home, home)
    await here.owner.execute(
        "UPDATE issuer SET fresh_until = clock_timestamp() + interval '1 second'"
    )
    end = time.monotonic() + bound_s + 1.5
    while time.monotonic() < end:
        await here.town.city.status_reader.step()
        for worker, run in zip((sound, credulous), runs, strict=True):
            await _ask(worker, citizen, run)
        await asyncio.sleep(0.05)
    honest, caught = (run.late(bound_s) for run in runs)
    assert honest == []
    assert any(each.eligible for each in runs[0].answers), "it was eligible for a while"
    assert caught, "the checker can tell"


async def _ask(worker: TestCity, citizen: object, run: Watched) -> None:
    sent = time.monotonic()
    answer = await worker.ask(citizen, worker.principal(PARTY), scenario="library")  # type: ignore[arg-type]  # a UUID
    run.answers.append(Asked(1, sent, answer.outcome is Outcome.ELIGIBLE))
