"""Asking at the counter: the party's answer and no more, by a code that the citizen shows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from gateway.clock import SECOND_US, to_us
from gateway.counter.questions import AGAIN_LIFE_S
from gateway.probing import ProbeWatch
from tests.gateway.callers import Callers, body
from tests.gateway.city import TestCity
from tests.gateway.counter.customer import QUESTIONS, Customer, ask, rental
from tests.gateway.desks import open_desk

DESK = "123456"


@pytest.fixture
async def callers(town: TestCity) -> Callers:
    await town.party()
    return Callers(town)


async def customer(callers: Callers) -> Customer:
    return Customer(callers, await callers.town.ready())


# ------------------------------------------------------------------ strangers


async def test_a_stranger_and_a_program_may_not_ask_here(callers: Callers) -> None:
    for client in (callers.stranger(), callers.party()):
        assert (await ask(client, callers.town, code="A" * 32)).status_code == 401


async def test_a_question_needs_the_pages_name_for_it_and_one_person(callers: Callers) -> None:
    clerk, town = await callers.clerk(), callers.town
    asked: dict[str, Any] = {"scenario": "rent", "facts": rental(town)}
    assert (await clerk.post(QUESTIONS, json=asked | {"code": "A" * 32})).status_code == 400
    assert (await ask(clerk, town)).status_code == 400
    assert (await ask(clerk, town, code="A" * 32, person="x")).status_code == 400


async def test_scenarios_that_are_not_the_partys_are_closed(callers: Callers) -> None:
    clerk, town = await callers.clerk(), callers.town
    code = await (await customer(callers)).code()
    facts = {"items": 1}
    assert (await ask(clerk, town, scenario="library", facts=facts, code=code)).status_code == 403
    assert (await ask(clerk, town, scenario="nothing", code=code)).status_code == 404
    # The code is as good as before.
    assert body(await ask(clerk, town, code=code))["outcome"] == "eligible"


@pytest.mark.parametrize(
    ("facts", "pointer"),
    [
        ({"deposit_fen": 0}, "/facts/deposit_fen"),
        ({"deposit_fen": "1"}, "/facts/deposit_fen"),
        ({"due_at": "tomorrow"}, "/facts/due_at"),
        ({"nobody_knows": 1}, "/facts/nobody_knows"),
    ],
)
async def test_what_was_filled_in_wrongly_is_named_before_the_code_is_used(
    callers: Callers, facts: dict[str, Any], pointer: str
) -> None:
    clerk, town = await callers.clerk(), callers.town
    code = await (await customer(callers)).code()
    answer = await ask(clerk, town, code=code, facts=rental(town) | facts)
    assert answer.status_code == 400
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]
    assert (await ask(clerk, town, code=code)).status_code == 200


# ------------------------------------------------------------------ the answer


async def test_a_code_gets_the_partys_answer_once_and_the_citizen_sees_who_asked(
    callers: Callers,
) -> None:
    clerk, town = await callers.clerk(), callers.town
    one = await customer(callers)
    code = await one.code()
    told = body(await ask(clerk, town, code=code, reference="r-7"))
    assert (told["status"], told["outcome"]) == ("answered", "eligible")
    assert told["obligations"][0]["id"] == "no_deposit"
    assert told.keys() == {
        *("status", "decision_id", "outcome", "obligations"),
        *("valid_until", "receipt", "person"),
    }
    party = town.principal().party
    subject = town.city.pseudonyms.subject(one.citizen, party.registrations["rent"].view.sector)
    assert subject not in str(told)
    assert str(one.citizen) not in str(told)
    assert (await ask(clerk, town, code=code)).status_code == 404
    me = await callers.citizen(one.citizen)
    (line,) = body(await me.get("/v1/me/lookups"))["lookups"]
    assert (line["staff"], line["reference"]) == ("li.na", "r-7")
    assert line["decision_id"] == told["decision_id"]


async def test_a_withdrawal_binds_the_next_question(callers: Callers) -> None:
    clerk, town = await callers.clerk(), callers.town
    one = await customer(callers)
    told = body(await ask(clerk, town, code=await one.code()))
    assert told["outcome"] == "eligible"
    me = await callers.citizen(one.citizen)
    (consent,) = body(await me.get("/v1/me/consents"))["consents"]
    body(await me.post(f"/v1/me/consents/{consent['id']}/withdraw"))
    again = body(await ask(clerk, town, person=told["person"]))
    assert again["outcome"] == "standard_path"
    assert again.keys() == told.keys()


async def test_facts_that_do_not_suffice_say_so(callers: Callers) -> None:
    clerk, town = await callers.clerk(), callers.town
    told = body(await ask(clerk, town, code=await (await customer(callers)).code(), facts={}))
    assert told["outcome"] == "cannot_assess"


async def test_a_repeat_of_the_pages_request_is_the_same_answer(callers: Callers) -> None:
    clerk, town = await callers.clerk(), callers.town
    code = await (await customer(callers)).code()
    facts = rental(town)
    first = body(await ask(clerk, town, code=code, facts=facts, name="once"))
    again = body(await ask(clerk, town, code=code, facts=facts, name="once"))
    assert first["decision_id"] == again["decision_id"]
    other = await ask(clerk, town, code=code, facts=rental(town, 30_000), name="once")
    assert other.status_code == 422
    assert await town.owner.fetchval("SELECT count(*) FROM decision") == 1
    assert await town.owner.fetchval("SELECT count(*) FROM counter_question") == 1


# ------------------------------------------------------------------ the same person again


async def test_another_amount_may_be_tried_for_minutes_in_this_session_alone(
    callers: Callers,
) -> None:
    clerk, town = await callers.clerk(), callers.town
    told = body(await ask(clerk, town, code=await (await customer(callers)).code()))
    too_much = body(await ask(clerk, town, person=told["person"], facts=rental(town, 9_000_000)))
    assert too_much["outcome"] == "standard_path"
    assert too_much["decision_id"] != told["decision_id"]
    for other in (await callers.clerk(), await callers.clerk("wang.wei")):
        assert (await ask(other, town, person=told["person"])).status_code == 400
    for broken in (told["person"][:-2] + "AA", "x", told["person"] + "A"):
        assert (await ask(clerk, town, person=broken)).status_code == 400


async def test_a_handle_is_over_after_five_minutes(
    callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk, town = await callers.clerk(), callers.town
    told = body(await ask(clerk, town, code=await (await customer(callers)).code()))
    clock = town.city.tickets._clock
    now_us = clock.now_us()
    monkeypatch.setattr(type(clock), "now_us", lambda _: now_us + 301_000_000)
    assert (await ask(clerk, town, person=told["person"])).status_code == 400


@pytest.mark.parametrize("pending", [False, True])
async def test_no_question_and_no_repeat_prolongs_what_a_code_opened(
    callers: Callers, monkeypatch: pytest.MonkeyPatch, pending: bool
) -> None:
    clerk, town = await callers.clerk(), callers.town
    one = await (wanting if pending else customer)(callers)
    code, now_us, facts = await one.code(), town.city.clock.now_us(), rental(town)
    lives_s = AGAIN_LIFE_S
    first = await ask(clerk, town, code=code, name="once", facts=facts)
    if pending:
        lives_s += (to_us(datetime.fromisoformat(body(first)["expires_at"])) - now_us) // SECOND_US
        await one.decide(grant=True)
    clock = type(town.city.tickets._clock)
    monkeypatch.setattr(clock, "now_us", lambda _: now_us + (lives_s - 10) * SECOND_US)
    person = body(first)["person"]
    late = body(await ask(clerk, town, person=person))["person"]
    repeated = body(await ask(clerk, town, code=code, name="once", facts=facts))["person"]
    monkeypatch.setattr(clock, "now_us", lambda _: now_us + (lives_s + 10) * SECOND_US)
    for handle in (person, late, repeated):
        assert (await ask(clerk, town, person=handle)).status_code == 400
    assert (await ask(clerk, town, code=code, name="once", facts=facts)).status_code == 404


async def test_a_used_code_is_worth_nothing_to_a_later_session_that_knows_its_key(
    callers: Callers,
) -> None:
    clerk, town = await callers.clerk(), callers.town
    code, facts = await (await customer(callers)).code(), rental(town)
    assert (await ask(clerk, town, code=code, name="once", facts=facts)).status_code == 200
    assert (await ask(clerk, town, code=code, name="once", facts=facts)).status_code == 200
    later = await callers.clerk()
    assert (await ask(later, town, code=code, name="once", facts=facts)).status_code == 404


async def test_trying_amounts_is_watched_like_any_partys(callers: Callers) -> None:
    clerk, town = await callers.clerk(), callers.town
    told = body(await ask(clerk, town, code=await (await customer(callers)).code()))
    for deposit_fen in range(20_001, 20_010):
        await town.owner.execute("DELETE FROM miss")  # hours lie in between
        told = body(await ask(clerk, town, person=told["person"], facts=rental(town, deposit_fen)))
        assert told["outcome"] == "eligible"
    city = town.city
    watch = ProbeWatch(city.database, city.writer, city.clock, most=city.settings.amounts_max)
    assert await watch.step() == 1
    told = body(await ask(clerk, town, person=told["person"]))
    assert told["outcome"] == "standard_path"


# ------------------------------------------------------------------ a typed code, at its desk


async def test_eight_digits_work_at_their_desk_alone(callers: Callers) -> None:
    town = callers.town
    await open_desk(town, DESK)
    await open_desk(town, "654321")
    await town.party("rival", entity="rival-house")
    await open_desk(town, "111111", party="rival")
    clerk, rival = await callers.clerk(), await callers.clerk("rival.one", party="rival")
    one = await customer(callers)
    code = await one.code(DESK)
    assert (await ask(clerk, town, code=code)).status_code == 400, "at no desk"
    for client, desk, status in (
        (clerk, "111111", 404),
        (clerk, "000000", 404),
        (rival, DESK, 404),
        (rival, "111111", 204),
        (clerk, "654321", 204),
    ):
        seated = await client.post("/v1/counter/desk", json={"desk": desk})
        assert seated.status_code == status, desk
    assert (await ask(clerk, town, code=code)).status_code == 404
    assert (await ask(rival, town, code=code)).status_code == 404
    assert (await clerk.post("/v1/counter/desk", json={"desk": DESK})).status_code == 204
    assert body(await ask(clerk, town, code=code))["outcome"] == "eligible"
    assert body(await clerk.get("/v1/counter/me"))["desk"]["number"] == DESK


async def test_the_only_counter_of_a_party_is_chosen_by_itself(callers: Callers) -> None:
    town = callers.town
    await open_desk(town, DESK)
    clerk = await callers.clerk()
    assert body(await clerk.get("/v1/counter/me"))["desk"]["number"] == DESK
    await open_desk(town, "654321")
    another = await callers.clerk("wang.wei")
    assert body(await another.get("/v1/counter/me"))["desk"] is None
    desks = body(await another.get("/v1/counter/desks"))["desks"]
    assert [desk["number"] for desk in desks] == [DESK, "654321"]
    await town.owner.execute("UPDATE desk SET closed_at = clock_timestamp()")
    assert body(await clerk.get("/v1/counter/me"))["desk"] is None


# ------------------------------------------------------------------ a consent that is wanting


async def wanting(callers: Callers) -> Customer:
    """Somebody who promised and never consented to this shop."""
    town = callers.town
    citizen = await town.citizen()
    await town.commitment(citizen)
    return Customer(callers, citizen)


async def test_a_wanting_consent_is_asked_for_in_the_citizens_app(callers: Callers) -> None:
    clerk, town = await callers.clerk(), callers.town
    one = await wanting(callers)
    waiting = body(await ask(clerk, town, code=await one.code()))
    assert waiting["status"] == "waiting"
    assert waiting.keys() == {"status", "person", "expires_at"}
    assert body(await ask(clerk, town, person=waiting["person"]))["status"] == "waiting"
    assert await town.owner.fetchval("SELECT count(*) FROM decision") == 0
    await one.decide(grant=True)
    told = body(await ask(clerk, town, person=waiting["person"]))
    assert (told["status"], told["outcome"]) == ("answered", "eligible")
    more = body(await ask(clerk, town, person=waiting["person"], facts=rental(town, 30_000)))
    assert more["outcome"] == "eligible"
    assert await town.owner.fetchval("SELECT count(*) FROM counter_question") == 2


async def test_who_declines_gets_the_ordinary_way_and_nothing_is_recorded(
    callers: Callers,
) -> None:
    clerk, town = await callers.clerk(), callers.town
    one = await wanting(callers)
    waiting = body(await ask(clerk, town, code=await one.code()))
    await one.decide(grant=False)
    told = body(await ask(clerk, town, person=waiting["person"]))
    assert told == {"status": "not_consented"}
    assert await town.owner.fetchval("SELECT count(*) FROM decision") == 0


async def test_a_request_that_nobody_decides_ends(callers: Callers) -> None:
    clerk, town = await callers.clerk(), callers.town
    waiting = body(await ask(clerk, town, code=await (await wanting(callers)).code()))
    await town.owner.execute("UPDATE consent_request SET expires_at = clock_timestamp()")
    told = body(await ask(clerk, town, person=waiting["person"]))
    assert told == {"status": "not_consented"}


# ------------------------------------------------------------------ the party behind the clerk


async def test_a_change_of_the_party_is_learnt_and_a_suspension_ends_it(callers: Callers) -> None:
    clerk, town = await callers.clerk(), callers.town
    one = await customer(callers)
    told = body(await ask(clerk, town, code=await one.code()))
    # Its revision moves: the commit finds the worker's copy stale, and it is read again.
    await town.owner.execute("UPDATE party SET rate_per_s = 100, rate_burst = 100")
    assert body(await ask(clerk, town, person=told["person"]))["outcome"] == "eligible"
    await town.owner.execute("DELETE FROM party_scenario")
    assert (await ask(clerk, town, person=told["person"])).status_code == 403
    await town.owner.execute("UPDATE party SET status = 'suspended'")
    assert (await ask(clerk, town, person=told["person"])).status_code == 401


async def test_the_partys_own_limit_counts_here_too(callers: Callers) -> None:
    clerk, town = await callers.clerk(), callers.town
    told = body(await ask(clerk, town, code=await (await customer(callers)).code()))
    await town.owner.execute("UPDATE party SET rate_per_s = 1, rate_burst = 1")
    await town.city.parties.refresh(force=True)
    statuses = {(await ask(clerk, town, person=told["person"])).status_code for _ in range(4)}
    assert 429 in statuses
