"""Keys of others: fetched seldom, trusted for a while, never emptied by a fault."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.claims import Kind
from gateway.clock import FixedClock
from gateway.jose import Passed, kid_of, verify
from gateway.jwk import Alg, Key, public_jwk
from gateway.jwks import RemoteKeys
from tests.gateway import forge

URL = "https://issuer.example/jwks"
KEYS = {
    kid: public_jwk(Key(kid, Alg.ES256, ec.generate_private_key(ec.SECP256R1()).public_key()))
    for kid in ("old", "new")
}


class Issuer(httpx.AsyncBaseTransport):
    """An identity provider whose key set and health the test sets."""

    def __init__(self) -> None:
        self.kids = ["old"]
        self.down = False
        self.fetches = 0
        self.extra: list[dict[str, Any]] = []
        self.body: bytes | None = None
        self.pause_s = 0.0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.fetches += 1
        await asyncio.sleep(self.pause_s)
        if self.down:
            return httpx.Response(503)
        body = json.dumps({"keys": [KEYS[kid] for kid in self.kids] + self.extra}).encode()
        return httpx.Response(200, stream=httpx.ByteStream(self.body or body))


class World:
    """A clock, an issuer and the gateway's view of its keys."""

    def __init__(self) -> None:
        self.clock = FixedClock(forge.NOW_S * 1_000_000)
        self.issuer = Issuer()
        self.keys = RemoteKeys(
            kind=Kind.ID,
            issuer=forge.ISSUER,
            url=URL,
            client=httpx.AsyncClient(transport=self.issuer),
            clock=self.clock,
        )

    async def ask(self, kid: str) -> Key | None:
        await self.keys.prepare(kid)
        return self.keys.find(Kind.ID, forge.ISSUER, kid)


@pytest.fixture
def world() -> World:
    return World()


async def test_an_unknown_kid_is_not_trusted_and_costs_one_fetch_in_30_s(world: World) -> None:
    for second in range(90):
        found = await asyncio.gather(*(world.ask(f"invented-{second}-{n}") for n in range(50)))
        assert found == [None] * 50
        world.clock.advance(seconds=1)
    assert world.issuer.fetches == 3


async def test_a_thousand_askers_share_one_fetch(world: World) -> None:
    world.issuer.pause_s = 0.01
    found = await asyncio.gather(*(world.ask("old") for _ in range(1000)))
    assert all(found)
    assert world.issuer.fetches == 1


async def test_an_asker_who_leaves_takes_nobody_along(world: World) -> None:
    world.issuer.pause_s = 0.01
    leader = asyncio.create_task(world.ask("old"))
    followers = [asyncio.create_task(world.ask("old")) for _ in range(5)]
    await asyncio.sleep(0.002)
    leader.cancel()
    assert all(await asyncio.gather(*followers))


async def test_a_new_key_is_seen_and_a_removed_one_is_dead_within_60_s(world: World) -> None:
    assert await world.ask("old")
    world.issuer.kids = ["new"]
    world.clock.advance(seconds=31)
    assert await world.ask("new")
    assert await world.ask("old") is None

    other = World()
    assert await other.ask("old")
    other.issuer.kids = []
    other.clock.advance(seconds=61)
    assert await other.ask("old") is None


async def test_a_silent_issuer_is_trusted_for_an_hour_and_no_longer(world: World) -> None:
    assert await world.ask("old")
    world.issuer.down = True
    for _ in range(59):
        world.clock.advance(seconds=60)
        assert await world.ask("old"), "a fault emptied the set"
    world.clock.advance(seconds=61)
    assert await world.ask("old") is None
    world.issuer.down = False
    world.clock.advance(seconds=30)
    assert await world.ask("old")
    assert world.keys.last_fault is None


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b'{"keys":[]',
        b" " * 65_537,
        json.dumps({"keys": [KEYS["old"]] * 2}).encode(),
        json.dumps({"keys": [{**KEYS["old"], "d": "AA"}]}).encode(),
    ],
    ids=["html", "torn", "huge", "kid twice", "private"],
)
async def test_a_bad_set_changes_nothing(world: World, body: bytes) -> None:
    assert await world.ask("old")
    world.issuer.body = body
    world.clock.advance(seconds=61)
    assert await world.ask("old")
    assert world.keys.last_fault is not None


async def test_the_keys_serve_one_kind_and_one_issuer(world: World) -> None:
    assert await world.ask("old")
    assert world.keys.find(Kind.ASSERTION, forge.ISSUER, "old") is None
    assert world.keys.find(Kind.ID, "https://other.example", "old") is None


async def test_an_id_token_passes_the_guard_with_a_fetched_key(world: World) -> None:
    signer = Key(forge.KID, Alg.ES256, forge.PRIVATE.public_key())
    world.issuer.extra = [public_jwk(signer)]
    compact = forge.honest(Kind.ID)
    await world.keys.prepare(kid_of(compact) or "")
    answer = verify(
        compact,
        Kind.ID,
        world.keys,
        issuer=forge.ISSUER,
        audience=forge.AUDIENCE,
        now_us=world.clock.now_us(),
    )
    assert isinstance(answer, Passed)
