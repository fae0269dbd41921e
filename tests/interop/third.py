"""A third city in the region of the live pair, whose programs are of another implementation."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import httpx
import msgspec

from gateway.local import alliance
from gateway.local.atlas import SUZHOU
from gateway.recognition.admitting import admit as admit_city
from gateway.recognition.entry import City
from gateway.recognition.schemes import publish
from tests.pair import Pair, Side
from tests.pair.sides import ROOT, aside
from tests.protocol import schemas
from tests.protocol.making import agreements
from tests.protocol.making.world import entry, key

CODE = SUZHOU.code
#: Within so many seconds every worker has what PostgreSQL has.
TICKS_S = 2.5
#: Where it would be served where it serves nothing.
NOWHERE = "http://127.0.0.5:9"


@contextmanager
def joined(
    pair: Pair, side: Side, issuer: str, keys: list[dict[str, Any]] | None = None
) -> Iterator[None]:
    """The city at an address is on the list, has an agreement with one city, and is known there."""
    _join(pair, side, issuer, keys)
    try:
        yield
    finally:
        pair.region.expel(CODE)


def _join(pair: Pair, side: Side, issuer: str, keys: list[dict[str, Any]] | None) -> None:
    region, scheme = pair.region.region, msgspec.to_builtins(alliance.SCHEMES[-1])
    raw = msgspec.json.encode(_entry(issuer, scheme, keys))
    city = region.admit(raw).city
    now_s = int(time.time())
    claims = alliance.statement(region.file.id, "sign", side.city, SUZHOU)
    for compact in alliance.said(side.data, side.base_url, claims, now_s):
        region.accept(compact)
    said = msgspec.to_builtins(msgspec.structs.replace(claims, iss=issuer, iat=now_s))
    for n in (1, 2):
        region.accept(agreements.statement(CODE, n, **said))
    aside(_admitted(side, city))
    _wait(lambda: side.rows("SELECT serial FROM trust_list")[0][0] >= region.file.serial)
    time.sleep(TICKS_S)


async def _admitted(side: Side, city: City) -> None:
    connection = await asyncpg.connect(side.owner_url)
    try:
        await admit_city(connection, city)
        for path in sorted((ROOT / "seeds" / "schemes").glob("*.toml")):
            await publish(connection, path.read_bytes())
    finally:
        await connection.close()


def _entry(issuer: str, scheme: Any, keys: list[dict[str, Any]] | None) -> dict[str, Any]:
    endpoints = {name: f"{issuer}/oauth/{name}" for name in ("par", "authorize", "token")}
    changes: dict[str, Any] = {
        "issuer": issuer,
        "endpoints": endpoints,
        "redirect_uris": [f"{issuer}/recognition/callback"],
        "schemes": [scheme],
    }
    return entry(CODE, **(changes | ({"keys": keys} if keys else {})))


def _wait(until: Any, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.2)


def scheme_of(side: Side) -> Any:
    """The scheme of the agreement, as the city publishes it."""
    name = alliance.SCHEMES[-1]
    found = httpx.get(f"{side.base_url}/v1/recognition/schemes/{name.id}/{name.version}").json()
    assert schemas.is_valid("scheme", found), found
    return found


def given(pair: Pair, side: Side, **more: Any) -> dict[str, Any]:
    """What either program is told."""
    region = {"region": msgspec.json.decode(pair.region.region.pinned()), "list": pair.region.url}
    common = {"schemas": str(schemas.FOLDER), "code": CODE, "scheme": scheme_of(side)}
    return common | region | more


def as_visited(pair: Pair, side: Side, scenarios: list[str]) -> dict[str, Any]:
    """What it is told as the visited city of a citizen of `side`."""
    return given(
        pair,
        side,
        home=side.code,
        issuer=NOWHERE,
        redirect_uri=f"{NOWHERE}/recognition/callback",
        client=key(CODE, "client").secret,
        scenarios=scenarios,
    )
