"""A repeated request gets the one answer it had, for as long as that answer is true."""

from __future__ import annotations

import asyncio

import pytest

from gateway.clock import MINUTE_US
from gateway.errors import IdempotencyMismatch
from scenarios.contract import Outcome
from tests.gateway.city import TestCity


async def test_a_repeated_request_gets_the_saved_answer_while_it_is_true(town: TestCity) -> None:
    await town.party()
    citizen = await town.ready()
    first = await town.ask(citizen, request_id="r-1", body_hash=b"same")
    again = await town.ask(citizen, request_id="r-1", body_hash=b"same")
    assert (again.decision, again.receipt) == (first.decision, first.receipt)
    assert await town.owner.fetchval("SELECT count(*) FROM decision") == 1


async def test_a_repeated_request_is_decided_anew_once_the_answer_is_untrue(town: TestCity) -> None:
    await town.party()
    citizen = await town.ready()
    first = await town.ask(citizen, request_id="r-1", body_hash=b"same")
    consent = await town.owner.fetchval("SELECT id FROM consent")
    await town.consent(citizen, consent=consent, version=2, status="withdrawn")
    again = await town.ask(citizen, request_id="r-1", body_hash=b"same")
    assert again.outcome is Outcome.STANDARD_PATH
    link = await town.owner.fetchval("SELECT repeat_of FROM decision WHERE id = $1", again.decision)
    assert link == first.decision
    third = await town.ask(citizen, request_id="r-1", body_hash=b"same")
    assert third.decision == again.decision


async def test_a_repeated_request_never_makes_an_answer_last_longer(town: TestCity) -> None:
    # Else one question, counted and shown to the citizen once, would be a window for a whole day.
    await town.party()
    citizen = await town.citizen()
    await town.commitment(citizen)
    await town.consent(citizen, frequency=1)
    first = await town.ask(citizen, request_id="r-1", body_hash=b"same")
    again = await town.ask(citizen, request_id="r-1", body_hash=b"same")
    assert again == first
    await town.owner.execute(
        "UPDATE decision SET at_us = at_us - $1, valid_until_us = valid_until_us - $1", MINUTE_US
    )
    later = await town.ask(citizen, request_id="r-1", body_hash=b"same")
    assert (first.outcome, later.outcome) == (Outcome.ELIGIBLE, Outcome.STANDARD_PATH)
    assert await town.owner.fetchval("SELECT count(*) FROM decision") == 2


async def test_a_repeat_of_what_no_longer_holds_is_answered_though_the_frequency_is_spent(
    town: TestCity,
) -> None:
    await town.party()
    citizen = await town.citizen()
    await town.commitment(citizen)
    await town.consent(citizen, frequency=1)
    first = await town.ask(citizen, request_id="r-1", body_hash=b"same")
    await town.commitment(citizen)  # anything that makes a new version of the standing
    again = await town.ask(citizen, request_id="r-1", body_hash=b"same")
    assert (first.outcome, again.outcome) == (Outcome.ELIGIBLE, Outcome.STANDARD_PATH)


async def test_one_request_id_with_two_bodies_is_refused(town: TestCity) -> None:
    await town.party()
    citizen = await town.ready()
    await town.ask(citizen, request_id="r-1", body_hash=b"one")
    with pytest.raises(IdempotencyMismatch):
        await town.ask(citizen, request_id="r-1", body_hash=b"two")
    assert await town.owner.fetchval("SELECT count(*) FROM decision") == 1


async def test_two_repeats_at_once_share_one_record(town: TestCity, other_worker: TestCity) -> None:
    principal = await town.party()
    await other_worker.city.parties.refresh()
    citizen = await town.ready()
    answers = await asyncio.gather(
        *(
            worker.ask(citizen, principal, request_id="r-1", body_hash=b"same")
            for worker in [town, other_worker] * 8
        )
    )
    assert len({answer.decision for answer in answers}) == 1
    assert await town.owner.fetchval("SELECT count(*) FROM decision") == 1


async def test_two_parties_may_use_one_request_id(town: TestCity) -> None:
    first = await town.party()
    second = await town.party("car-shop", entity="rent-a-car")
    citizen = await town.ready()
    one = await town.ask(citizen, first, request_id="r-1", body_hash=b"same")
    two = await town.ask(citizen, second, request_id="r-1", body_hash=b"same")
    assert one.decision != two.decision
