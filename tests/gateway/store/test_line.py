"""One connection to Valkey: replies belong to the commands of their own exchange."""

from __future__ import annotations

import asyncio

import pytest
from redis import Redis
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as ValkeyTimeoutError

from gateway.local.valkey import Valkey
from gateway.store.line import Line


async def test_replies_come_in_the_order_of_the_commands(valkey: Valkey) -> None:
    line = Line(valkey.admin_url, timeout_s=1)
    assert await line.exchange((b"SET", b"a", b"1"), (b"GET", b"a"), (b"MGET", b"a", b"b")) == [
        b"OK",
        b"1",
        [b"1", None],
    ]
    await line.close()


async def test_a_refused_command_is_its_own_reply_and_costs_the_others_nothing(
    valkey: Valkey,
) -> None:
    line = Line(valkey.admin_url, timeout_s=1)
    await line.exchange((b"SET", b"a", b"text"))
    refused, held = await line.exchange((b"INCR", b"a"), (b"GET", b"a"))
    assert isinstance(refused, ResponseError)
    assert held == b"text"
    await line.close()


async def test_a_late_reply_is_never_taken_for_the_next_one(valkey: Valkey) -> None:
    line = Line(valkey.admin_url, timeout_s=0.1)
    await line.exchange((b"SET", b"a", b"old"), (b"SET", b"b", b"new"))
    with Redis.from_url(valkey.admin_url) as admin:
        admin.execute_command("CLIENT", "PAUSE", "300", "ALL")
    with pytest.raises(ValkeyTimeoutError):
        await line.exchange((b"GET", b"a"))
    await asyncio.sleep(0.4)
    assert await line.exchange((b"GET", b"b")) == [b"new"]
    await line.close()


async def test_an_asker_that_was_cancelled_leaves_no_reply_behind(valkey: Valkey) -> None:
    line = Line(valkey.admin_url, timeout_s=5)
    await line.exchange((b"SET", b"a", b"old"), (b"SET", b"b", b"new"))
    with Redis.from_url(valkey.admin_url) as admin:
        admin.execute_command("CLIENT", "PAUSE", "200", "ALL")
    asked = asyncio.create_task(line.exchange((b"GET", b"a")))
    await asyncio.sleep(0.05)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await asyncio.sleep(0.3)
    assert await line.exchange((b"GET", b"b")) == [b"new"]
    await line.close()


async def test_a_restarted_server_is_reached_again(valkey: Valkey) -> None:
    line = Line(valkey.admin_url, timeout_s=1)
    assert await line.exchange((b"PING",)) == [b"PONG"]
    with Redis.from_url(valkey.admin_url) as admin:
        admin.client_kill_filter(_type="normal", skipme=True)
    with pytest.raises(RedisError):
        await line.exchange((b"PING",))
    assert await line.exchange((b"PING",)) == [b"PONG"]
    await line.close()
