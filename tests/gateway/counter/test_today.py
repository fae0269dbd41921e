"""The day's list: what this party's staff asked, without the citizens."""

from __future__ import annotations

import pytest

from gateway.clock import DAY_US, shanghai_midnight_after
from tests.gateway.callers import Callers, body
from tests.gateway.city import TestCity
from tests.gateway.counter.customer import TODAY, Customer, ask, rental


@pytest.fixture
async def callers(town: TestCity) -> Callers:
    await town.party()
    await town.party("rival", entity="rival-house")
    return Callers(town)


async def test_a_stranger_sees_no_list(callers: Callers) -> None:
    for client in (callers.stranger(), callers.party()):
        assert (await client.get(TODAY)).status_code == 401


async def test_it_holds_the_own_partys_questions_and_nobodys_name(callers: Callers) -> None:
    town = callers.town
    clerk, mate = await callers.clerk(), await callers.clerk("wang.wei")
    rival = await callers.clerk("rival.one", party="rival")
    one = Customer(callers, await town.ready())
    told = body(await ask(clerk, town, code=await one.code(), reference="r-7"))
    body(await ask(mate, town, code=await one.code()))
    wanting = Customer(callers, await town.citizen())
    body(await ask(mate, town, code=await wanting.code()))
    page = body(await clerk.get(TODAY))
    lines = page["questions"]
    assert [line["outcome"] for line in lines] == ["waiting", "eligible", "eligible"]
    assert [line["staff"] for line in lines] == ["wang.wei", "wang.wei", "li.na"]
    assert [line["mine"] for line in lines] == [False, False, True]
    assert (lines[2]["reference"], lines[2]["decision_id"]) == ("r-7", told["decision_id"])
    assert page["next"] is None
    assert str(one.citizen) not in str(page)
    assert body(await rival.get(TODAY))["questions"] == []
    await wanting.decide(grant=False)
    assert body(await clerk.get(TODAY))["questions"][0]["outcome"] == "not_consented"


async def test_it_comes_in_pages_and_ends_at_midnight(callers: Callers) -> None:
    town = callers.town
    clerk = await callers.clerk()
    told = body(await ask(clerk, town, code=await Customer(callers, await town.ready()).code()))
    for deposit_fen in (20_001, 20_002, 20_003, 20_004):
        facts = rental(town, deposit_fen)
        await town.owner.execute("DELETE FROM miss")  # hours lie in between
        body(await ask(clerk, town, person=told["person"], facts=facts))
    seen, before = [], None
    for expected in (2, 2, 1):
        query = {"limit": "2"} | ({"before": before} if before else {})
        page = body(await clerk.get(TODAY, params=query))
        assert len(page["questions"]) == expected
        seen += [line["decision_id"] for line in page["questions"]]
        before = page["next"]
    assert before is None
    assert len(set(seen)) == 5
    midnight_us = shanghai_midnight_after(town.city.clock.now_us()) - DAY_US
    await town.owner.execute("UPDATE counter_question SET at = from_us($1)", midnight_us - 1)
    assert body(await clerk.get(TODAY))["questions"] == []
    await town.owner.execute("UPDATE counter_question SET at = from_us($1)", midnight_us)
    assert len(body(await clerk.get(TODAY))["questions"]) == 5


async def test_an_answer_that_never_came_is_listed_so(callers: Callers) -> None:
    town = callers.town
    clerk = await callers.clerk()
    body(await ask(clerk, town, code=await Customer(callers, await town.ready()).code()))
    await town.owner.execute("UPDATE counter_question SET decision = NULL")
    (line,) = body(await clerk.get(TODAY))["questions"]
    assert (line["outcome"], line["decision_id"]) == ("unanswered", None)


async def test_the_forms_are_those_of_the_partys_scenarios(callers: Callers) -> None:
    town = callers.town
    await town.party(
        "committee", kind="community", community="c-01", scenarios=["points"], entity="street"
    )
    (rent,) = body(await (await callers.clerk()).get("/v1/counter/scenarios"))["scenarios"]
    assert rent["id"] == "rent"
    deposit = next(fact for fact in rent["facts"] if fact["name"] == "deposit_fen")
    assert (deposit["unit"], deposit["min"], deposit["max"]) == ("fen", 1, 10_000_000)
    clerk = await callers.clerk("of.street", party="committee")
    (points,) = body(await clerk.get("/v1/counter/scenarios"))["scenarios"]
    community = next(fact for fact in points["facts"] if fact["name"] == "community")
    assert community["value"] == "c-01"
