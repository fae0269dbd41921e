"""Trying amounts about one citizen: a shop's second and third, and no search for a limit."""

from __future__ import annotations

import asyncio

import httpx

from gateway.counter.trials import DIFFERENT
from tests.gateway.callers import Callers, body
from tests.gateway.city import TestCity
from tests.gateway.counter.customer import Customer, ask, rental


async def met(callers: Callers, clerk: httpx.AsyncClient, citizen: Customer) -> str:
    """The handle after a first question, about the amount of the example."""
    told = body(await ask(clerk, callers.town, code=await citizen.code()))
    return str(told["person"])


async def tried(clerk: httpx.AsyncClient, town: TestCity, person: str, fen: int) -> httpx.Response:
    return await ask(clerk, town, person=person, facts=rental(town, fen))


async def spend(clerk: httpx.AsyncClient, town: TestCity, person: str) -> None:
    """Try different amounts until no more are let through."""
    for n in range(1, DIFFERENT.burst):
        assert (await tried(clerk, town, person, 20_000 + n)).status_code == 200


async def test_a_search_over_two_workers_at_once_gets_no_more_answers_than_are_allowed(
    town: TestCity, other_worker: TestCity
) -> None:
    await town.party()
    here, there = Callers(town), Callers(other_worker)
    clerk, one = await here.clerk(), Customer(here, await town.ready())
    await other_worker.city.parties.refresh(force=True)
    twin = there.stranger(**{"x-csrf-token": clerk.headers["x-csrf-token"]})
    twin.cookies = clerk.cookies
    person = await met(here, clerk, one)
    answers = await asyncio.gather(
        *(tried((clerk, twin)[n % 2], town, person, 30_000 + n) for n in range(17))
    )
    assert sorted({each.status_code for each in answers}) == [200, 429]
    # The first question was one of them.
    assert len([each for each in answers if each.status_code == 200]) == DIFFERENT.burst - 1
    decided = await town.owner.fetchval("SELECT count(*) FROM decision")
    assert decided == DIFFERENT.burst
    listed = await town.owner.fetchval("SELECT count(*) FROM counter_question")
    assert listed == DIFFERENT.burst


async def test_a_refusal_says_when_to_come_back_and_nothing_of_the_citizen(town: TestCity) -> None:
    await town.party()
    callers = Callers(town)
    clerk = await callers.clerk()
    without = Customer(callers, await town.ready(band=1))
    refusals = []
    for one in (Customer(callers, await town.ready()), without):
        person = await met(callers, clerk, one)
        await spend(clerk, town, person)
        refusals.append(await tried(clerk, town, person, 9_000_000))
    assert refusals[0].content == refusals[1].content
    for refused in refusals:
        assert refused.status_code == 429
        assert refused.json()["type"] == "urn:qianjiang:problem:too-many-requests"
        # Waits are spread, up to twice as long.
        assert 240 < int(refused.headers["retry-after"]) <= 600


async def test_the_same_amount_again_costs_nothing_and_another_citizen_none_of_it(
    town: TestCity,
) -> None:
    await town.party()
    callers = Callers(town)
    clerk, one = await callers.clerk(), Customer(callers, await town.ready())
    person = await met(callers, clerk, one)
    await spend(clerk, town, person)
    for _ in range(3):
        assert (await tried(clerk, town, person, 20_001)).status_code == 200
    # Neither another code, nor another member of staff, brings more.
    assert (await tried(clerk, town, person, 50_000)).status_code == 429
    fresh = await ask(clerk, town, code=await one.code(), facts=rental(town, 50_000))
    assert fresh.status_code == 429
    colleague = await callers.clerk("wang.wei")
    fresh = await ask(colleague, town, code=await one.code(), facts=rental(town, 50_000))
    assert fresh.status_code == 429
    other = Customer(callers, await town.ready())
    assert (await ask(clerk, town, code=await other.code())).status_code == 200


async def test_one_more_is_let_through_when_its_time_has_come(town: TestCity) -> None:
    await town.party()
    callers = Callers(town)
    clerk, one = await callers.clerk(), Customer(callers, await town.ready())
    person = await met(callers, clerk, one)
    await spend(clerk, town, person)
    assert (await tried(clerk, town, person, 50_000)).status_code == 429
    await town.owner.execute("UPDATE miss SET full_at_us = full_at_us - $1", DIFFERENT.interval_us)
    assert (await tried(clerk, town, person, 50_000)).status_code == 200
    assert (await tried(clerk, town, person, 50_001)).status_code == 429


async def test_what_is_counted_names_neither_the_citizen_nor_the_amount(town: TestCity) -> None:
    await town.party()
    callers = Callers(town)
    clerk, one = await callers.clerk(), Customer(callers, await town.ready())
    await met(callers, clerk, one)
    names = [row["name"] for row in await town.owner.fetch("SELECT name FROM miss")]
    assert len(names) == 2
    for name in names:
        assert name.startswith("trial/")
        assert len(name) == len("trial/") + 32
        assert one.citizen.hex not in name
