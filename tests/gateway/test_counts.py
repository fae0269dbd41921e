"""What is counted is what happened: no more, no less, and nothing of whom it happened to."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Sequence
from functools import reduce
from itertools import permutations
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from gateway.batching import Batcher
from gateway.clock import FixedClock
from gateway.counts import PREMISES, SECONDS, SIZES, Counts, Histogram, Series, merged
from gateway.decision import TRIES
from gateway.errors import Overloaded
from gateway.local.valkey import Valkey
from gateway.standing import Standing, Wanted
from gateway.store.decision import Outcome as Committed
from gateway.store.decision import Proposal
from scenarios.contract import Outcome
from tests.gateway.callers import Callers
from tests.gateway.city import TestCity

# ------------------------------------------------------------------ numbers

finite = st.floats(min_value=0, max_value=1e6, allow_nan=False)


@given(st.lists(finite), st.sampled_from([SECONDS, SIZES]))
def test_a_histogram_counts_each_value_once_below_the_first_end_that_reaches_it(
    values: list[float], bounds: tuple[float, ...]
) -> None:
    made = Histogram(bounds)
    for value in values:
        made.observe(value)
    assert sum(made.buckets) == len(values)
    assert made.total == pytest.approx(sum(values))
    for number, end in enumerate(bounds):
        below = sum(value <= end for value in values)
        assert sum(made.buckets[: number + 1]) == below


events = st.lists(
    st.one_of(
        st.tuples(
            st.just("decided"), st.sampled_from(["rent", "library"]), st.sampled_from(Outcome)
        ),
        st.tuples(st.just("answered"), st.sampled_from([200, 503]), finite),
        st.tuples(st.just("sent"), st.integers(1, 300), st.just(0)),
    ),
    max_size=20,
)


def counted(happened: Sequence[tuple[Any, ...]]) -> Series:
    counts = Counts(FixedClock(0))
    for what, first, second in happened:
        if what == "decided":
            counts.decided(first, "merchant", second)
        elif what == "answered":
            counts.route("eligibility").answered(first, second)
        else:
            counts.queue("commit").sent([0.0] * first)
    return counts.series()


@given(st.lists(events, min_size=1, max_size=3))
def test_several_processes_together_count_what_one_would_have_counted(
    shares: list[list[tuple[Any, ...]]],
) -> None:
    together = counted([event for share in shares for event in share])
    for order in permutations(shares):
        total = reduce(merged, map(counted, order))
        assert total.keys() == together.keys()
        for key, numbers in total.items():
            assert numbers == pytest.approx(together[key])


def test_what_has_another_form_begins_anew() -> None:
    older: Series = {("batch_size", "commit"): [1, 2, 3], ("gone",): [7]}
    newer: Series = {("batch_size", "commit"): [1, 2]}
    assert merged(older, newer) == {("batch_size", "commit"): [1, 2], ("gone",): [7]}


def test_known_causes_are_there_before_anything_happens() -> None:
    series = Counts().series()
    assert series["outcomes_unknown",] == series["stale_checks", "party"] == [0]
    assert {key[1] for key in series if key[0] == "token_checks"} == {
        *("remembered", "verified", "refused")
    }


# ------------------------------------------------------------------ queues


def test_a_batch_says_how_long_its_oldest_item_waited_and_all_on_average() -> None:
    clock = FixedClock(0)
    counts = Counts(clock)
    queue = counts.queue("commit")
    arrivals = []
    for seconds in (0.2, 0.2, 0.02):
        arrivals.append(queue.now())
        clock.advance(seconds=seconds)
    queue.sent(arrivals)
    for wait, seconds in (
        (counts.queue_wait_oldest_seconds, 0.42),
        (counts.queue_wait_mean_seconds, (0.42 + 0.22 + 0.02) / 3),
    ):
        held = wait["commit",]
        assert held.buckets.index(1) == bisect_left(SECONDS, seconds)
        assert held.total == pytest.approx(seconds)
    assert counts.batch_size["commit",].total == 3


async def test_every_item_of_a_batcher_is_in_one_batch_or_refused() -> None:
    counts = Counts()
    gate = asyncio.Event()

    async def run(batch: Sequence[int]) -> Sequence[int]:
        await gate.wait()
        return batch

    batcher: Batcher[int, int] = Batcher(
        run, batch_max=4, waiting_max=10, queue=counts.queue("commit")
    )
    futures = [batcher.submit(item) for item in range(10)]
    with pytest.raises(Overloaded):
        batcher.submit(10)
    futures[7].cancel()
    gate.set()
    await asyncio.gather(*futures, return_exceptions=True)
    sizes = counts.batch_size["commit",]
    assert (sizes.total, sum(sizes.buckets)) == (9, 3)  # 4, 4 without the one who left, 1
    assert counts.requests_limited["commit_queue",] == 1


# ------------------------------------------------------------------ decisions


async def test_an_answer_counts_for_its_scenario_its_kind_of_party_and_its_outcome(
    town: TestCity,
) -> None:
    await town.party()
    clinic = await town.party("clinic", kind="hospital", entity="clinic-house")
    citizen = await town.ready()
    await town.ask(citizen)
    await town.ask(citizen)
    await town.ask(citizen, clinic)
    assert dict(town.city.counts.decisions) == {
        ("rent", "merchant", Outcome.ELIGIBLE): 2,
        ("rent", "hospital", Outcome.STANDARD_PATH): 1,
    }
    assert town.city.counts.series()["decisions", "rent", "merchant", "eligible"] == [2]
    assert sum(town.city.counts.commit_seconds["batch",].buckets) == 3


async def test_where_standings_came_from_is_counted(town: TestCity, valkey: Valkey) -> None:
    await town.party()
    citizen = await town.ready()
    await town.ask(citizen)
    with Redis.from_url(valkey.admin_url) as admin:
        admin.set(town.city.cache.key(citizen), b"no entry")
        await town.ask(citizen)
        await town.city.standings.settled()
        admin.flushall()
        await town.ask(citizen)
    reads = town.city.counts.standing_reads
    assert (reads["cache",], reads["absent",], reads["unusable",]) == (1, 1, 1)
    assert sum(town.city.counts.mget_seconds[()].buckets) == 3


async def test_a_changed_standing_is_a_stale_check_and_a_decision_made_again(
    town: TestCity, other_worker: TestCity
) -> None:
    await town.party()
    citizen = await town.citizen()
    await town.commitment(citizen)
    consent = await town.consent(citizen)
    (held,) = await town.city.standings.read_many([Wanted(citizen)])
    assert isinstance(held, Standing)
    assert held.cached
    await other_worker.consent(citizen, consent=consent, version=2, status="withdrawn")
    await town.city.cache._redis.set(town.city.cache.key(citizen), held.cached)
    assert (await town.ask(citizen)).outcome is Outcome.STANDARD_PATH
    assert _stale(town) == {"standing": 1}
    assert town.city.counts.decisions_retried[()] == 1
    assert sum(town.city.counts.decisions.values()) == 1


def _stale(town: TestCity) -> dict[str, int]:
    counts = town.city.counts.stale_checks
    return {str(labels[0]): int(n) for labels, n in counts.items() if n}


async def test_each_other_premise_has_its_own_count(town: TestCity) -> None:
    await town.party()
    citizen = await town.ready()
    await town.owner.execute("UPDATE party SET name = 'new', revision = revision + 1")
    await town.ask(citizen)
    assert _stale(town) == {"party": 1}
    limited = await town.citizen()
    await town.commitment(limited)
    await town.consent(limited, frequency=1)
    await town.ask(limited)
    await town.ask(limited)
    assert _stale(town) == {"party": 1, "used_up": 1}
    again = town.city.counts.decisions_retried[()]
    for _ in range(2):
        await town.ask(citizen, request_id="r-1", body_hash=b"b" * 32)
    assert _stale(town) == {"party": 1, "used_up": 1, "request_id": 1}
    assert town.city.counts.decisions_retried[()] == again == 2, "a repeat is not decided again"


async def test_a_question_past_its_deadline_is_counted_among_the_limited(town: TestCity) -> None:
    await town.party()
    question = town.question(await town.ready())
    with pytest.raises(Overloaded):
        await town.city.decisions.decide(msgspec.structs.replace(question, deadline=0.0))
    assert town.city.counts.requests_limited["deadline",] == 1
    assert not town.city.counts.decisions


async def test_a_question_whose_premises_never_hold_is_limited_after_three_tries(
    town: TestCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.party()
    citizen = await town.ready()

    async def always_late(proposals: list[Proposal], _: Any) -> list[Committed]:
        return [changed(time_holds=False)] * len(proposals)

    monkeypatch.setattr(town.city.committer, "_send", always_late)
    with pytest.raises(Overloaded):
        await town.ask(citizen)
    counts = town.city.counts
    assert _stale(town) == {"time": TRIES}
    assert counts.decisions_retried[()] == TRIES - 1
    assert counts.requests_limited["tries",] == 1


def changed(**what: bool) -> Committed:
    """What the commit says of a proposal of which this no longer holds."""
    held = {f"{name}_holds": True for name in ("standing", "party", "policy", "time", "issuer")}
    rest: dict[str, Any] = {"valid_until_us": None, "receipt": None, "used_up": False}
    rest |= {"true_version": None, "true_body": None}
    return Committed(at_us=1_800_000_000_000_000, **(held | rest | what))


def test_every_premise_that_a_commit_finds_changed_has_a_name() -> None:
    named = {
        "standing": {"standing_holds": False},
        "party": {"party_holds": False},
        "policy": {"policy_holds": False},
        "time": {"time_holds": False},
        "issuer": {"issuer_holds": False},
        "used_up": {"used_up": True},
        "request_id": {},
    }
    assert tuple(named) == PREMISES
    for premise, what in named.items():
        assert changed(**what).changed == [premise]
    assert changed(party_holds=False, time_holds=False).changed == ["party", "time"]


# ------------------------------------------------------------------ requests


@pytest.fixture
def callers(town: TestCity) -> Callers:
    return Callers(town)


def requests(town: TestCity) -> dict[tuple[Any, ...], int]:
    return {labels: int(n) for labels, n in town.city.counts.requests.items()}


async def test_every_request_counts_once_in_its_class_with_its_status(
    town: TestCity, callers: Callers
) -> None:
    await town.party()
    hot = "/v1/scenarios/rent/eligibility"
    async with callers.stranger() as stranger, callers.party() as party:
        citizen = await callers.citizen(await town.citizen())
        for client, method, path in (
            (stranger, "POST", hot),
            (party, "POST", hot),
            (party, "POST", "/v1/scenarios/nothing/eligibility"),
            (stranger, "GET", "/healthz"),
            (stranger, "GET", "/metrics"),
            (stranger, "GET", "/v1/me"),
            (citizen, "GET", "/v1/me/consents"),
            (stranger, "POST", "/oauth/token"),
            (stranger, "OPTIONS", "/healthz"),
        ):
            await client.request(method, path)
        await citizen.aclose()
        other = httpx.Request("GET", "http://elsewhere.example/healthz")
        await stranger.send(other)
    assert requests(town) == {
        ("eligibility", 401): 1,
        ("eligibility", 415): 1,
        ("eligibility", 404): 1,
        ("public", 200): 1,
        ("none", 404): 1,
        ("none", 405): 1,
        ("citizen", 401): 1,
        ("citizen", 200): 1,
        ("token", 400): 1,
        ("refused", 400): 1,
    }
    series = town.city.counts.series()
    assert sum(series["request_seconds", "eligibility"][:-1]) == 3


async def test_tokens_are_verified_once_and_then_remembered(
    town: TestCity, callers: Callers
) -> None:
    await town.party()
    path = "/v1/scenarios/rent/eligibility"
    async with callers.party() as party:
        for _ in range(3):
            await party.post(path)
    async with callers.stranger(authorization="Bearer nonsense") as stranger:
        await stranger.post(path)
    async with callers.stranger() as stranger:
        await stranger.post(path)  # no token is none that was refused
    checks = town.city.counts.token_checks
    assert (checks["verified",], checks["remembered",], checks["refused",]) == (1, 2, 1)
