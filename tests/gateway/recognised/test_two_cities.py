"""Two gateways and the whole way: from the visited city's page to a visit, and its end at home."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import httpx
import pytest

from gateway.local.valkey import Valkey
from gateway.recognition.home_city import CALLBACK
from gateway.recognition.visit_sessions import SESSION_PATH
from tests.engines import Database
from tests.gateway.apps import transport_of
from tests.gateway.city import TestCity, open_test_city
from tests.gateway.prover import Prover
from tests.gateway.recognised.conftest import SETTINGS
from tests.gateway.recognised.home import REQUESTS, Citizen
from tests.gateway.recognised.others import Neighbours
from tests.gateway.recognised.partner import error
from tests.gateway.recognition.region import City

LIVING = "SELECT count(*) FROM visit WHERE ended_on IS NULL"
VISITED = "http://127.0.0.1:8800"


class Away(NamedTuple):
    """The visited city, and a visitor's browser in front of it with a key of its own."""

    town: TestCity
    page: httpx.AsyncClient
    key: Prover

    def proof(self, path: str, **given: Any) -> str:
        now_s = self.town.city.clock.now_us() // 1_000_000
        return self.key.proof("POST", VISITED + path, now_s, **given)


def _signs_as(city: City, town: TestCity) -> None:
    """Let a city's entry name the keys that its gateway really has."""
    keys = town.city.keys
    rings = ("client", keys.city_client), ("grant", keys.city_grant), ("status", keys.city_status)
    city.keys = [(purpose, kid, key) for purpose, ring in rings for kid, key in ring.items()]


@pytest.fixture
async def away(
    town: TestCity,
    neighbours: Neighbours,
    site: httpx.ASGITransport,
    fresh_database: Database,
    valkey: Valkey,
    tmp_path: Path,
) -> AsyncIterator[Away]:
    owner = await asyncpg.connect(fresh_database.owner_url)
    await owner.execute("INSERT INTO realm (city) VALUES ('330200')")
    given = SETTINGS | {
        "trust_list_keys": str(neighbours.pinned),
        "issuer": VISITED,
        "city": "330200",
    }
    (tmp_path / "visited").mkdir()
    urls = fresh_database.gateway_url, owner, valkey.url
    async with open_test_city(*urls, tmp_path / "visited", **given) as visited:
        other = neighbours.city("330200")
        other.issuer = VISITED
        other.changes["redirect_uris"] = [VISITED + CALLBACK]
        _signs_as(neighbours.own, town)
        _signs_as(other, visited)
        neighbours.agree("330200")
        await neighbours.settle(visited)
        await neighbours.publish()
        await town.party("city-330200", scenarios=("recognition",), kind="city", city="330200")
        transport = transport_of(visited.city)
        async with (
            httpx.AsyncClient(transport=site) as wire,
            httpx.AsyncClient(transport=site) as lists,
            httpx.AsyncClient(transport=transport, base_url=VISITED) as page,
        ):
            visited.city.visiting.homes._opened = wire
            visited.city.status_reader._fetch._client = lists
            yield Away(visited, page, Prover())
    await owner.close(timeout=5)


async def test_a_citizen_is_recognised_there_until_it_is_taken_back_here(
    town: TestCity, away: Away, citizen: Citizen
) -> None:
    wish = {"home": "330100", "scenarios": ["library", "rent"], "jkt": away.key.jkt}
    begun = await away.page.post("/v1/visits", json=wish)
    assert begun.status_code == 201, begun.text
    back = await _allowed(citizen, begun.json()["location"])
    arrived = await away.page.get(back)
    assert arrived.status_code == 303, arrived.text
    await town.city.status_lists.step()
    shown = await away.page.post("/v1/visits/token", headers={"dpop": away.proof("/oauth/token")})
    assert shown.status_code == 200, shown.text
    token = shown.json()["access_token"]
    proof = away.proof(SESSION_PATH, token=token)
    headers = {"authorization": f"DPoP {token}", "dpop": proof}
    entered = await away.page.post(SESSION_PATH, headers=headers)
    assert entered.status_code == 204, entered.text
    visit = (await away.page.get("/v1/me/visit")).json()
    assert sorted(each["id"] for each in visit["scenarios"]) == ["library", "rent"]
    (mine,) = (await citizen.page.get("/v1/me/recognitions")).json()["recognitions"]
    assert (await citizen.post(mine["withdraw"])).status_code == 200
    await town.city.status_lists.step()
    for _ in range(20):  # a worker at home serves what it read for half a second
        await asyncio.sleep(0.2)
        await away.town.city.status_reader._read("330100", None)
        if await away.town.owner.fetchval(LIVING) == 0:
            return
    pytest.fail("the visit goes on")


async def test_who_declines_is_not_let_in(town: TestCity, away: Away, citizen: Citizen) -> None:
    wish = {"home": "330100", "scenarios": ["library"], "jkt": away.key.jkt}
    begun = await away.page.post("/v1/visits", json=wish)
    page = await _led(citizen, begun.json()["location"])
    declined = await citizen.post(f"{page}/decline")
    await away.page.get(declined.json()["location"])
    shown = await away.page.post("/v1/visits/token", headers={"dpop": away.proof("/oauth/token")})
    assert error(shown) == "invalid_grant"
    assert await away.town.owner.fetchval(LIVING) == 0


async def _led(citizen: Citizen, location: str) -> str:
    """Follow a city's address home and sign in; the request's path on the API."""
    opened = await citizen.page.get(location)
    assert opened.status_code == 303, opened.text
    page = await citizen.follow(opened.headers["location"])
    return f"{REQUESTS}/{page.rpartition('/')[2]}"


async def _allowed(citizen: Citizen, location: str) -> str:
    """Allow what a city asks; the address that leads back there."""
    answer = await citizen.allow(await _led(citizen, location))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["location"])
