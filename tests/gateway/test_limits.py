"""A party's own limit: the same at every worker, never unlimited, never about a citizen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis import Redis

from gateway import limits, onboarding
from gateway.clock import FixedClock
from gateway.decision import Answer
from gateway.errors import QuotaExceeded
from gateway.gcra import Quota, Rate
from gateway.limits import LocalLimits
from gateway.local.valkey import Valkey
from gateway.onboarding import OnboardingRefused
from gateway.parties import Principal
from gateway.store.limit import Charge
from gateway.store.migrate import Connection
from tests.engines import Database, Engines
from tests.gateway.city import MERCHANT, TestCity, open_test_city

#: Three at once and then one a minute: slower than any test, and than a setting may be.
SLOW = Rate(interval_us=60_000_000, burst=3)


@pytest.fixture
async def slow(
    database: Database, valkey: Valkey, owner: Connection, tmp_path: Path
) -> AsyncIterator[TestCity]:
    """A worker of a city whose parties may ask three times at once."""
    urls = database.gateway_url, owner, valkey.url
    async with open_test_city(*urls, tmp_path, workers=2) as town:
        town.city.parties._rate = SLOW
        await town.party()
        yield town


@pytest.fixture
async def other_slow(
    slow: TestCity, database: Database, valkey: Valkey, tmp_path: Path
) -> AsyncIterator[TestCity]:
    """The same city's other worker."""
    urls = database.gateway_url, slow.owner, valkey.url
    async with open_test_city(*urls, tmp_path, workers=2) as town:
        town.city.parties._rate = SLOW
        await town.city.parties.refresh(force=True)
        yield town


async def together(
    towns: Sequence[TestCity], times: int, principal: Principal | None = None
) -> list[Answer | BaseException]:
    """Ask so many times at once, in turns at each worker, about one citizen."""
    citizen = await towns[0].ready()
    asked = [towns[n % len(towns)].ask(citizen, principal) for n in range(times)]
    return await asyncio.gather(*asked, return_exceptions=True)


def refusals(answers: list[Answer | BaseException]) -> list[QuotaExceeded]:
    refused = [answer for answer in answers if isinstance(answer, QuotaExceeded)]
    assert len(refused) == sum(not isinstance(answer, Answer) for answer in answers), answers
    return refused


# ---------------------------------------------------------------- with Valkey


async def test_beyond_its_burst_a_party_is_told_when_to_return(slow: TestCity) -> None:
    answers = await together([slow], 8)
    refused = refusals(answers)
    assert len(refused) == 5
    assert {(each.retry_after_s, each.quota, each.window_s) for each in refused} == {(60, 3, 180)}
    assert slow.city.counts.requests_limited["party_quota",] == 5
    # A batch is granted from its beginning: who came first is answered.
    assert [isinstance(answer, Answer) for answer in answers] == [True] * 3 + [False] * 5


async def test_what_is_refused_leaves_no_record_and_what_is_answered_has_one(
    slow: TestCity,
) -> None:
    answers = await together([slow], 6)
    recorded = {row["id"] for row in await slow.owner.fetch("SELECT id FROM decision")}
    assert recorded == {each.decision for each in answers if isinstance(each, Answer)}


async def test_two_workers_keep_one_limit(slow: TestCity, other_slow: TestCity) -> None:
    assert len(refusals(await together([slow, other_slow], 12))) == 9


async def test_a_limit_is_one_partys_and_no_others(slow: TestCity) -> None:
    other = await slow.party("other-shop")
    assert len(refusals(await together([slow], 8))) == 5
    assert len(refusals(await together([slow], 3, other))) == 0


async def test_a_citizen_whose_asker_is_refused_is_nowhere_in_the_refusal(slow: TestCity) -> None:
    """Known or not, consenting or not: the refusal is the party's and reads alike."""
    await together([slow], 3)
    told = set()
    for citizen in (await slow.ready(), await slow.citizen(band=0), slow.city.ids.random_uuid()):
        with pytest.raises(QuotaExceeded) as caught:
            await slow.ask(citizen)
        told.add((str(caught.value), *sorted(vars(caught.value).items())))
    assert len(told) == 1


async def test_the_limit_comes_back_at_its_rate(slow: TestCity) -> None:
    await onboarding.limit(slow.owner, MERCHANT, (2, 2))
    await slow.city.parties.refresh()
    party = slow.principal().party
    charged = [slow.city.limits.charge(party) for _ in range(10)]
    assert any(await asyncio.gather(*charged, return_exceptions=True))
    await asyncio.sleep(0.55)
    await slow.city.limits.charge(party)


async def test_a_repeat_counts_as_a_question_does(slow: TestCity) -> None:
    citizen = await slow.ready()
    given: dict[str, Any] = {"request_id": "r1", "body_hash": b"x" * 32}
    answers = [await slow.ask(citizen, **given) for _ in range(3)]
    assert len({answer.decision for answer in answers}) == 1
    with pytest.raises(QuotaExceeded):
        await slow.ask(citizen, **given)


async def test_a_partys_own_limit_goes_before_the_settings_and_holds_at_once(
    slow: TestCity,
) -> None:
    before = slow.principal()
    await onboarding.limit(slow.owner, MERCHANT, (1, 6))
    await slow.city.parties.refresh()
    party = slow.principal().party
    assert party.rate == Rate.of(1, 6)
    assert party.row.revision > before.party.row.revision
    assert len(refusals(await together([slow], 8, slow.principal()))) == 2
    await onboarding.limit(slow.owner, MERCHANT, None)
    await slow.city.parties.refresh()
    assert slow.principal().party.rate == SLOW


async def test_a_question_by_the_former_limit_is_asked_again_and_answered(slow: TestCity) -> None:
    """The limit moves the party's revision; a worker that did not hear of it yet still answers."""
    former, citizen = slow.principal(), await slow.ready()
    await onboarding.limit(slow.owner, MERCHANT, (5, 10))
    answer = await slow.ask(citizen, former)
    revision = await slow.owner.fetchval("SELECT party_revision FROM decision")
    assert revision == slow.principal().party.row.revision
    assert answer.decision


@pytest.mark.parametrize("rate", [(0, 5), (5, 4), (200_000, 200_000), (1, 2_000_000), (-1, 1)])
async def test_a_limit_that_is_none_is_refused(slow: TestCity, rate: tuple[int, int]) -> None:
    with pytest.raises(OnboardingRefused):
        await onboarding.limit(slow.owner, MERCHANT, rate)
    with pytest.raises(OnboardingRefused, match="no such party"):
        await onboarding.limit(slow.owner, "nobody", (1, 1))


# ---------------------------------------------------------------- without Valkey


async def test_without_valkey_each_worker_keeps_its_share(
    slow: TestCity, other_slow: TestCity, engines: Engines
) -> None:
    citizen = await slow.ready()
    await asyncio.to_thread(engines.valkey.stop)
    answers = await asyncio.gather(
        *[town.ask(citizen) for town in (slow, other_slow) * 6], return_exceptions=True
    )
    assert len(refusals(answers)) == 12 - 2, "a burst of three is one for each of two workers"


async def test_a_valkey_that_forgot_everything_grants_no_more_than_a_burst(
    slow: TestCity, valkey: Valkey
) -> None:
    assert len(refusals(await together([slow], 5))) == 2
    with Redis.from_url(valkey.admin_url) as admin:
        admin.flushall()
    assert len(refusals(await together([slow], 5))) == 2


def test_the_local_limit_is_the_share_of_the_rate_on_the_workers_clock() -> None:
    clock = FixedClock(10**15)
    local = LocalLimits(clock, workers=4)
    wanted = [Charge(1, Rate.of(100, 200), 1000), Charge(2, Rate.of(4, 8), 1)]
    assert [grant.admitted for grant in local.charge(wanted)] == [50, 1]
    clock.advance(seconds=1)
    assert [grant.admitted for grant in local.charge(wanted)] == [25, 1]


def test_the_local_limits_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REMEMBERED", 2)
    local = LocalLimits(FixedClock(0), workers=1)

    def admitted(party: int) -> int:
        return local.charge([Charge(party, Rate.of(1, 1), 1)])[0].admitted

    assert [admitted(party) for party in (1, 2, 1, 3)] == [1, 1, 0, 1]
    assert admitted(1) == 0  # 2 was silent for longer
    assert admitted(2) == 1


# ---------------------------------------------------------------- what is told


async def test_where_a_party_stands_is_remembered_for_the_answer(slow: TestCity) -> None:
    party = slow.principal().party
    assert slow.city.limits.quota(party) == Quota(3, 180, 3, 0)
    await slow.city.limits.charge(party)
    assert slow.city.limits.quota(party) == Quota(3, 180, 2, 60)
    await slow.city.limits.charge(party)
    await slow.city.limits.charge(party)
    assert slow.city.limits.quota(party) == Quota(3, 180, 0, 60)


async def test_what_is_remembered_of_parties_is_bounded(
    slow: TestCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REMEMBERED", 2)
    party = slow.principal().party
    for number in range(1, 5):
        row = msgspec.structs.replace(party.row, num=number)
        await slow.city.limits.charge(msgspec.structs.replace(party, row=row))
    assert len(slow.city.limits._quotas) == 2


async def test_askers_without_a_party_are_nobodys_charge(slow: TestCity) -> None:
    party = slow.principal().party
    found, refused = await slow.city.limits.get([b"gw:a", b"gw:b"], [None, None])
    assert (found, refused) == ([None, None], [None, None])
    _, refused = await slow.city.limits.get([b"gw:a"], [party, None, *[party] * 4])
    assert [each is None for each in refused] == [True, True, True, True, False, False]


async def test_requests_of_one_moment_are_charged_in_one_exchange(
    town: TestCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hundreds that took turns with Valkey would time out, and be taken for its end."""
    await town.party()
    party = town.city.parties.get(MERCHANT)
    assert party is not None
    asked: list[int] = []
    ordinary = town.city.cache.get_limited

    async def counted(keys: Any, charges: Any) -> Any:
        asked.append(sum(charge.count for charge in charges))
        return await ordinary(keys, charges)

    monkeypatch.setattr(town.city.cache, "get_limited", counted)
    await asyncio.gather(*(town.city.limits.charge(party) for _ in range(200)))
    assert asked == [200]
