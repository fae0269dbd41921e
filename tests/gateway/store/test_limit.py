"""The script in Valkey is the pure algorithm, on the server's clock, in the cache's round trip."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from redis.asyncio.connection import AbstractConnection

from gateway.clock import FixedClock, SystemClock
from gateway.gcra import Grant, Rate, charge
from gateway.ids import SystemIds
from gateway.local.valkey import Valkey
from gateway.store import limit
from gateway.store.cache import Cache
from gateway.store.limit import BODY, SCRIPT, Charge, arguments, grants, key
from tests.engines import Engines

NOW_US = 1_790_000_000_000_000

#: The same text with the time handed in; production has no way to say the time.
TIMED = "local now = tonumber(table.remove(ARGV))\n" + BODY

RATES = st.builds(Rate, st.integers(10, 10**9), st.integers(1, 1_000_000))
STEPS = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 1000), st.integers(0, 10**12), st.integers(-(10**7), 0)),
        st.lists(
            st.tuples(st.integers(1, 3), RATES, st.integers(1, 1_000_000)),
            min_size=1,
            max_size=3,
            unique_by=lambda charged: charged[0],
        ),
    ),
    min_size=1,
    max_size=12,
)


#: One fixture for all examples of a test: each begins with an empty server by itself.
ONE_SERVER = [HealthCheck.function_scoped_fixture]


@pytest.fixture
def server(valkey: Valkey) -> Iterator[Redis]:
    """All rights on Valkey."""
    with Redis.from_url(valkey.admin_url) as admin:
        yield admin


@pytest.fixture
async def cache(valkey: Valkey) -> AsyncIterator[Cache]:
    opened = new_cache(valkey)
    yield opened
    await opened.close()


def new_cache(valkey: Valkey) -> Cache:
    return Cache(valkey.url, timeout_s=1, ttl_s=60, clock=SystemClock(), ids=SystemIds())


def _equals_the_model(server: Redis, steps: list[tuple[int, list[tuple[int, Rate, int]]]]) -> None:
    server.flushall()
    held: dict[int, int] = {}
    now_us = NOW_US
    for pause_us, charged in steps:
        now_us += pause_us
        charges = [Charge(*each) for each in charged]
        words: list[Any] = [*arguments(0, charges), now_us]
        told = grants(server.eval(TIMED, *words))
        for each, grant in zip(charges, told, strict=True):
            held[each.party], expected = charge(
                held.get(each.party, 0), now_us, each.rate, each.count
            )
            assert grant == expected
            assert server.get(key(0, each.party)) == str(held[each.party]).encode()


@given(STEPS)
@settings(max_examples=150, deadline=None, suppress_health_check=ONE_SERVER)
def test_the_script_equals_the_model(
    server: Redis, steps: list[tuple[int, list[tuple[int, Rate, int]]]]
) -> None:
    _equals_the_model(server, steps)


@pytest.mark.nightly
@given(STEPS)
@settings(max_examples=10_000, deadline=None, suppress_health_check=ONE_SERVER)
def test_the_script_equals_the_model_on_ten_thousand_sequences(
    server: Redis, steps: list[tuple[int, list[tuple[int, Rate, int]]]]
) -> None:
    _equals_the_model(server, steps)


def test_the_served_script_is_the_tested_one_on_the_servers_clock() -> None:
    assert SCRIPT.endswith(BODY)
    assert TIMED.endswith(BODY)
    assert SCRIPT.count("now =") == TIMED.count("now =") == 1


@pytest.mark.parametrize(
    "poison", [b"", b"nan", b"inf", b"-1", b"0x7f", b"1e300", b"9" * 400, b"\xff", [b"list"]]
)
def test_whatever_lies_in_valkey_a_party_is_neither_unlimited_nor_locked_out(
    server: Redis, poison: bytes | list[bytes]
) -> None:
    server.flushall()
    if isinstance(poison, list):
        server.rpush(key(0, 1), *poison)
    else:
        server.set(key(0, 1), poison)
    rate = Rate(interval_us=1000, burst=4)
    for now_us, most in ((NOW_US, 4), (NOW_US + 4000, 4)):
        words: list[Any] = [*arguments(0, [Charge(1, rate, 9)]), now_us]
        (grant,) = grants(server.eval(TIMED, *words))
        assert 0 <= grant.admitted <= most
    assert grant.admitted == 4, "after a burst's time all of it is there again"


async def test_a_limit_is_forgotten_a_minute_after_it_is_whole_again(
    cache: Cache, server: Redis
) -> None:
    rate = Rate(interval_us=10_000, burst=100)
    await cache.get_limited([], [Charge(1, rate, 5)])
    left_ms = server.pttl(limit.key(cache.generation, 1))
    assert 59_000 < left_ms <= 60_050


async def test_several_parties_and_the_values_come_in_one_round_trip(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    await cache.put(b"gw:x", b"value", 60)
    charges = [Charge(1, Rate.of(1, 3), 5), Charge(2, Rate.of(1, 9), 5)]
    await cache.get_limited([], [Charge(3, Rate.of(1, 1), 1)])  # connected, the script is there
    sent = _count_sendings(monkeypatch)
    found, granted = await cache.get_limited([b"gw:x", b"gw:y"], charges)
    assert len(sent) == 1
    assert found == [b"value", None]
    assert granted is not None
    assert [(each.admitted, each.remaining) for each in granted] == [(3, 0), (5, 4)]


async def test_a_forgotten_script_is_loaded_and_nothing_is_charged_twice(
    cache: Cache, server: Redis
) -> None:
    wanted = [Charge(1, Rate.of(1, 3), 1)]
    await cache.put(b"gw:x", b"value", 60)
    for remaining in (2, 1, 0):
        server.script_flush()
        found, granted = await cache.get_limited([b"gw:x"], wanted)
        assert found == [b"value"]
        assert granted is not None
        assert (granted[0].admitted, granted[0].remaining) == (1, remaining)


async def test_without_valkey_there_are_no_grants_and_no_values(
    engines: Engines, valkey: Valkey
) -> None:
    cache = new_cache(valkey)
    await asyncio.to_thread(engines.valkey.stop)
    for _ in range(2):  # the second time it is not even asked
        found, granted = await cache.get_limited([b"gw:x"], [Charge(1, Rate.of(1, 3), 1)])
        assert (found, granted) == ([None], None)
    await cache.close()


async def test_four_clients_together_get_no_more_than_burst_and_rate(
    valkey: Valkey, server: Redis
) -> None:
    rate = Rate.of(400, 50)
    caches = [new_cache(valkey) for _ in range(4)]
    ends_at = asyncio.get_running_loop().time() + 0.6

    async def greedy(cache: Cache) -> int:
        admitted = 0
        while asyncio.get_running_loop().time() < ends_at:
            _, granted = await cache.get_limited([b"gw:x"], [Charge(1, rate, 7)])
            assert granted is not None
            admitted += granted[0].admitted
        return admitted

    began_us = _server_us(server)
    admitted = sum(await asyncio.gather(*map(greedy, caches)))
    took_s = (_server_us(server) - began_us) / 1e6
    for cache in caches:
        await cache.close()
    assert admitted <= rate.burst + 400 * took_s + 1
    assert admitted >= rate.burst + 400 * 0.4, "and those who ask for more get all there is"


def test_workers_clocks_do_not_matter(engines: Engines) -> None:
    """A worker whose clock stands, or runs an hour ahead, gets no more than the others."""
    valkey = engines.flushed()

    async def asked(clock: FixedClock) -> Grant:
        cache = Cache(valkey.url, timeout_s=1, ttl_s=60, clock=clock, ids=SystemIds())
        _, granted = await cache.get_limited([], [Charge(1, Rate.of(1, 3600), 1800)])
        await cache.close()
        assert granted is not None
        return granted[0]

    first = asyncio.run(asked(FixedClock(NOW_US)))
    ahead = asyncio.run(asked(FixedClock(NOW_US + 3600 * 10**6)))
    third = asyncio.run(asked(FixedClock(0)))
    assert [first.admitted, ahead.admitted] == [1800, 1800]
    assert third.admitted <= 5


def _server_us(server: Redis) -> int:
    seconds, micros = server.time()
    return int(seconds) * 10**6 + int(micros)


def _count_sendings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    sent: list[int] = []
    send = AbstractConnection.send_packed_command

    async def counting(self: AbstractConnection, *args: Any, **given: Any) -> None:
        sent.append(1)
        await send(self, *args, **given)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", counting)
    return sent
