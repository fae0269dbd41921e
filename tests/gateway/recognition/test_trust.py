"""Whom this city trusts right now: keys, what is open, and whose word is still fresh."""

from __future__ import annotations

import asyncio
import datetime

import pytest

from gateway.claims import Kind
from gateway.clock import SECOND_US
from gateway.recognition import expelled
from gateway.recognition.agreements import State
from gateway.recognition.trust_list import RELIED_US
from tests.gateway.city import TestCity
from tests.gateway.recognition.conftest import Pair
from tests.gateway.recognition.region import TERMS, City, new_key

B = "330200"


async def renewed(worker: TestCity) -> None:
    await worker.city.trust_fetcher.step()


def opened(worker: TestCity, code: str = B) -> frozenset[str] | None:
    agreed = worker.city.trust.agreed(code, worker.city.clock.now_us())
    return agreed.scenarios if agreed else None


def state(worker: TestCity, name: str = "a-b") -> State | None:
    found = worker.city.trust.agreements(worker.city.clock.now_us())
    return next((each.state for each in found if each.id == name), None)


async def changed(pair: Pair, worker: TestCity) -> None:
    """The region publishes something new, and it arrives."""
    pair.region.serial += 1
    pair.clock.advance(seconds=9)
    await renewed(worker)


# ------------------------------------------------------------------ keys


async def test_a_key_signs_for_its_city_and_purpose_alone(pair: Pair, worker: TestCity) -> None:
    await renewed(worker)
    trust = worker.city.trust
    places = {
        Kind.ASSERTION: (pair.b.code, f"client-{B}"),
        Kind.RECOGNITION: (pair.b.issuer, f"grant-{B}"),
        Kind.STATUS_LIST: (pair.b.issuer, f"status-{B}"),
    }
    for kind in Kind:
        for issuer in (pair.b.code, pair.b.issuer, pair.b.issuer + "/", pair.a.issuer, ""):
            for kid in (f"client-{B}", f"grant-{B}", f"status-{B}", f"operator-{B}-0", ""):
                found = trust.find(kind, issuer, kid) is not None
                assert found == (places.get(kind) == (issuer, kid)), (kind, issuer, kid)


async def test_the_lists_end_is_judged_at_each_use(pair: Pair, worker: TestCity) -> None:
    await renewed(worker)
    trust = worker.city.trust
    pair.clock.advance(seconds=RELIED_US / SECOND_US - 0.000001)
    assert trust.city(B)
    assert trust.by_issuer(pair.b.issuer)
    assert trust.find(Kind.RECOGNITION, pair.b.issuer, f"grant-{B}")
    assert opened(worker)
    pair.clock.advance(seconds=0.000001)
    assert trust.city(B) is None
    assert trust.by_issuer(pair.b.issuer) is None
    assert trust.find(Kind.RECOGNITION, pair.b.issuer, f"grant-{B}") is None
    assert opened(worker) is None
    assert trust.partners(pair.clock.now_us()) == frozenset()


async def test_keys_change_with_an_overlap_and_the_old_one_is_dead_within_a_minute(
    pair: Pair, worker: TestCity, second: TestCity
) -> None:
    def good(kid: str) -> list[bool]:
        trusts = worker.city.trust, second.city.trust
        return [each.find(Kind.RECOGNITION, pair.b.issuer, kid) is not None for each in trusts]

    async def later(seconds: float) -> None:
        """Time passes as it does for a city: a fetch within ten seconds, a tick each second."""
        for _ in range(round(seconds // 10)):
            pair.clock.advance(seconds=10)
            await renewed(worker)
            await second.city.refresh()

    old = f"grant-{B}"
    await later(10)
    assert good(old) == [True, True]
    pair.b.keys.append(("grant", "grant-new", new_key()))
    pair.region.serial += 1
    await later(10)
    assert good(old) == good("grant-new") == [True, True], "both, while both are listed"
    pair.b.keys.remove(next(each for each in pair.b.keys if each[1] == old))
    pair.region.serial += 1
    await later(10)
    assert good(old) == [False, False]
    assert good("grant-new") == [True, True]


async def test_a_worker_cut_off_from_everything_believes_an_old_key_for_a_minute_at_most(
    pair: Pair, worker: TestCity, second: TestCity
) -> None:
    await renewed(worker)
    await second.city.refresh()
    pair.b.keys[1] = ("grant", "grant-new", new_key())
    pair.region.serial += 1
    # No tick and no fetch: what was read is all that this worker has.
    pair.clock.advance(seconds=60)
    assert second.city.trust.find(Kind.RECOGNITION, pair.b.issuer, f"grant-{B}") is None


# ------------------------------------------------------------------ what is open


async def test_what_is_open_is_what_the_agreement_and_both_cities_list(
    pair: Pair, worker: TestCity
) -> None:
    pair.region.agreements.clear()
    scenarios = ["library", "rent", "points"]
    pair.region.agree("a-b", pair.a, pair.b, 100, scenarios=scenarios, **TERMS)
    pair.a.changes = {"scenarios": ["library", "rent", "hospital"]}
    await renewed(worker)
    assert opened(worker) == frozenset({"library", "rent"})
    pair.b.changes = {"scenarios": ["rent", "points"]}
    await changed(pair, worker)
    assert opened(worker) == frozenset({"rent"})
    pair.b.changes = {"scenarios": ["points"]}
    await changed(pair, worker)
    assert opened(worker) is None


async def test_a_scheme_that_one_of_them_does_not_have_opens_nothing(
    pair: Pair, worker: TestCity
) -> None:
    for city in (pair.a, pair.b):
        city.changes = {"schemes": [{"id": "example-delta", "version": 2}]}
        await changed(pair, worker)
        assert opened(worker) is None
        city.changes = {}
        await changed(pair, worker)
        assert opened(worker)


async def test_nothing_is_open_to_a_stranger_a_third_city_or_oneself(
    pair: Pair, worker: TestCity
) -> None:
    third = City("330300")
    pair.region.cities.append(third)
    pair.region.agree("b-c", pair.b, third, 100, **TERMS)
    await renewed(worker)
    assert opened(worker, B) == frozenset({"library"})
    for code in ("330300", "330100", "999999", ""):
        assert opened(worker, code) is None
    assert worker.city.trust.partners(pair.clock.now_us()) == {B}
    assert [each.id for each in worker.city.trust.agreements(pair.clock.now_us())] == ["a-b"]


async def test_of_two_agreements_the_one_that_began_last_counts(
    pair: Pair, worker: TestCity
) -> None:
    later = {"from": "2026-02-01", "to": "2028-01-01"}
    pair.region.agree("a-b-again", pair.a, pair.b, 100, scenarios=["rent"], **later)
    await renewed(worker)
    agreed = worker.city.trust.agreed(B, pair.clock.now_us())
    assert agreed is not None
    assert (agreed.agreement, agreed.scenarios) == ("a-b-again", frozenset({"rent"}))


async def test_operators_suspend_resume_and_end_it(pair: Pair, worker: TestCity) -> None:
    region = pair.region
    await renewed(worker)
    assert state(worker) is State.IN_FORCE
    region.say("a-b", pair.b, "suspend", pair.now_s, operators=1)
    await changed(pair, worker)
    assert state(worker) is State.IN_FORCE
    assert opened(worker)
    region.say("a-b", pair.b, "suspend", pair.now_s)
    await changed(pair, worker)
    assert state(worker) is State.SUSPENDED
    assert opened(worker) is None
    region.say("a-b", pair.b, "resume", pair.now_s)
    await changed(pair, worker)
    assert state(worker) is State.IN_FORCE
    assert opened(worker)
    region.say("a-b", pair.a, "end", pair.now_s)
    await changed(pair, worker)
    assert state(worker) is State.ENDED
    assert opened(worker) is None


async def test_an_agreement_ends_with_its_last_day_though_no_list_says_so(
    pair: Pair, worker: TestCity
) -> None:
    tomorrow = datetime.datetime.fromtimestamp(pair.now_s + 86_400, datetime.UTC)
    shanghai = datetime.timezone(datetime.timedelta(hours=8))
    last = tomorrow.astimezone(shanghai).replace(hour=0, minute=0, second=0)
    pair.region.agreements.clear()
    terms = {"from": "2026-01-01", "to": last.date().isoformat()}
    pair.region.agree("a-b", pair.a, pair.b, 100, **terms)
    pair.clock.advance(seconds=last.timestamp() - 5 - pair.now_s)
    await renewed(worker)
    assert opened(worker)
    pair.clock.advance(seconds=4)
    assert opened(worker)
    pair.clock.advance(seconds=1)
    assert opened(worker) is None
    assert state(worker) is State.EXPIRED


# ------------------------------------------------------------------ whose word is fresh


async def _issuers(worker: TestCity, *codes: str) -> None:
    for code in codes:
        await worker.owner.execute("INSERT INTO issuer (code) VALUES ($1)", code)


async def _fresh(worker: TestCity) -> dict[str, bool]:
    rows = await worker.owner.fetch("SELECT code, fresh_until > 'epoch' AS fresh FROM issuer")
    return {row["code"]: row["fresh"] for row in rows}


async def _extend(worker: TestCity, code: str = B) -> bool:
    """As whoever read a city's status lists does."""
    now_us = worker.city.clock.now_us()
    async with worker.city.database.transaction() as connection:
        if not await expelled.still_agreed(connection, worker.city.trust, code, now_us):
            return False
        await connection.execute(
            "UPDATE issuer SET fresh_until = clock_timestamp() + interval '40 seconds'"
            " WHERE code = $1",
            code,
        )
        return True


async def test_a_citys_word_is_fresh_only_where_something_is_agreed(
    pair: Pair, worker: TestCity
) -> None:
    await _issuers(worker, B, "330300")
    assert not await _extend(worker), "no list, nothing is fresh"
    await renewed(worker)
    assert await _extend(worker)
    assert not await _extend(worker, "330300")
    assert await worker.city.trust_fetcher.step() == 0, "who is agreed with stays fresh"
    assert await _fresh(worker) == {B: True, "330300": False}


@pytest.mark.parametrize("how", ["expelled", "suspended", "ended", "key shared"])
async def test_who_is_out_stops_with_the_next_fetch(pair: Pair, worker: TestCity, how: str) -> None:
    await _issuers(worker, B, "330300")
    await renewed(worker)
    assert await _extend(worker)
    match how:
        case "expelled":
            pair.region.cities.remove(pair.b)
        case "key shared":
            pair.b.keys.append(("status", "again", pair.a.keys[0][2]))
        case _:
            act = {"suspended": "suspend", "ended": "end"}[how]
            pair.region.say("a-b", pair.b, act, pair.now_s)
    pair.region.serial += 1
    pair.clock.advance(seconds=9)
    assert await worker.city.trust_fetcher.step() == 1
    assert await _fresh(worker) == {B: False, "330300": False}
    assert not await _extend(worker)


async def test_an_older_judgement_never_makes_fresh_again_who_is_out(
    pair: Pair, worker: TestCity, second: TestCity
) -> None:
    """Another process has not heard yet, and says what it would have said a moment ago."""
    await _issuers(worker, B)
    await renewed(worker)
    await second.city.refresh()
    assert await _extend(second)
    pair.region.cities.remove(pair.b)
    await changed(pair, worker)
    assert opened(second), "it judges by the list before"
    assert not await _extend(second)
    assert await _fresh(worker) == {B: False}


async def test_judging_and_striking_off_at_once_leaves_it_struck_off(
    pair: Pair, worker: TestCity, second: TestCity
) -> None:
    """The list is being replaced just now: who extends waits, and then finds another list."""
    await _issuers(worker, B)
    await renewed(worker)
    await second.city.refresh()
    async with worker.city.database.transaction() as connection:
        await connection.execute("UPDATE trust_list SET content = sha256('another')")
        extending = asyncio.create_task(_extend(second))
        await asyncio.sleep(0.05)
        assert not extending.done()
    assert not await extending
    assert await _fresh(worker) == {B: False}


# ------------------------------------------------------------------ the party that a city is


async def test_a_city_is_found_by_its_code(worker: TestCity) -> None:
    parties = worker.city.parties
    assert parties.of_city(B) is None
    await worker.party(
        "example-city", kind="city", entity="city-one", city=B, scenarios=["recognition"]
    )
    found = parties.of_city(B)
    assert found is not None
    assert found.row.id == "example-city"
    await worker.party(B, kind="city", entity="city-two", city=B, scenarios=["recognition"])
    found = parties.of_city(B)
    assert found is not None
    assert found.row.id == B, "its own client id comes first"
    assert parties.of_city("330300") is None
