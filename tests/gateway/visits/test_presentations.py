"""One grant shown a thousand times at once, over all workers: PostgreSQL accepts one."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from redis.asyncio import Redis

from gateway.errors import GatewayError
from gateway.local.valkey import Valkey
from gateway.recognition.acceptance import Accepted
from gateway.recognition.presentation import Presented
from tests.gateway.city import TestCity
from tests.gateway.visits.border import Border, Visitor

MANY = 1_000
ATTEMPTS = 20
#: What they are told for whom it is too late; on a slow machine the minute is over meanwhile.
LATE = ("attempt", "replayed", "expired")


async def emptied(valkey: Valkey, stop: asyncio.Event) -> None:
    """Empty the cache again and again."""
    async with Redis.from_url(valkey.admin_url) as cache:
        while not stop.is_set():
            await cache.flushall()
            await asyncio.sleep(0.02)


async def shown(border: Border, visitor: Visitor, secret: str, number: int) -> str:
    """One presentation at one of the workers, by what came of it."""
    worker = border.workers[number % len(border.workers)]
    proof = [(b"dpop", visitor.proof().encode())]
    presented = Presented(border.own.code, secret, proof, visitor.grant)
    try:
        answer = await worker.city.visiting.acceptance.accept(presented)
    except GatewayError as fault:
        return type(fault).__name__
    return "accepted" if isinstance(answer, Accepted) else answer.reason


@pytest.mark.parametrize("attempts", [1, ATTEMPTS])
async def test_of_a_thousand_at_once_over_all_workers_one_is_accepted(
    border: Border, other_worker: TestCity, valkey: Valkey, attempts: int
) -> None:
    """By one attempt, and by many attempts of the one browser that has the key."""
    visitor = border.browser()
    await visitor.arrive()
    secrets = [visitor.secret]
    for _ in range(attempts - 1):
        another = border.browser()
        another.key = visitor.key
        await another.begin()
        another.home.next_grant = visitor.grant
        await another.come_back()
        secrets.append(another.secret)
    stop = asyncio.Event()
    emptying = asyncio.create_task(emptied(valkey, stop))
    outcomes = Counter(
        await asyncio.gather(
            *(shown(border, visitor, secrets[n % attempts], n) for n in range(MANY))
        )
    )
    stop.set()
    await emptying
    assert outcomes["accepted"] == 1, outcomes
    # Who came later was late, or is told to come again, and is late then.
    busy = {"StillRunning", "Overloaded", "DependencyDown"}
    assert outcomes.keys() <= {"accepted", *LATE, *busy}, outcomes
    assert sum(outcomes[reason] for reason in LATE) > 0
    counted = "SELECT (SELECT count(*) FROM visit), (SELECT count(*) FROM visit_token)"
    assert tuple(await border.town.owner.fetchrow(counted) or ()) == (1, 1)
    for number, secret in enumerate(secrets):
        assert await shown(border, visitor, secret, number) in LATE


async def test_two_first_visits_at_once_are_of_one_visitor(
    border: Border, other_worker: TestCity
) -> None:
    browsers = [border.browser(worker=border.workers[n % 2]) for n in range(8)]
    for browser in browsers:
        await browser.arrive()
    answers = await asyncio.gather(*(browser.present() for browser in browsers))
    accepted = [answer for answer in answers if answer.status_code == 200]
    assert accepted
    owner = border.town.owner
    assert await owner.fetchval("SELECT count(*) FROM visitor") == 1
    assert await owner.fetchval("SELECT count(*) FROM citizen") == 1
    assert await owner.fetchval("SELECT count(*) FROM visit") == len(accepted)
    assert await owner.fetchval("SELECT count(*) FROM visit WHERE ended_on IS NULL") == 1


async def test_a_flood_at_the_door_ends_in_refusals(border: Border, other_worker: TestCity) -> None:
    """Over HTTP: whoever holds the browser's secret and key gains nothing by trying often."""
    visitor = border.browser()
    await visitor.arrive()
    pages = [border.callers(worker).stranger() for worker in border.workers]
    for page in pages:
        page.cookies.set("qianjiang-visit", visitor.secret)
    answers = await asyncio.gather(
        *(
            pages[n % 2].post("/v1/visits/token", headers={"dpop": visitor.proof()})
            for n in range(200)
        )
    )
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses[200] == 1
    assert statuses.keys() <= {200, 400, 409}, statuses
