"""A party's limit over HTTP: told with every answer, counted on every route, never a stranger's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from gateway.edge.limits import fields
from gateway.gcra import Quota, Rate
from gateway.local.valkey import Valkey
from gateway.store.migrate import Connection
from tests.engines import Database
from tests.gateway.callers import Callers
from tests.gateway.city import TestCity, open_test_city
from tests.gateway.oauth.client import PartyClient

HOT = "/v1/scenarios/rent/eligibility"
QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded"


@pytest.fixture
async def callers(
    database: Database, valkey: Valkey, owner: Connection, tmp_path: Path
) -> AsyncIterator[Callers]:
    """A city whose parties may ask three times at once, and then once a minute."""
    urls = database.gateway_url, owner, valkey.url
    async with open_test_city(*urls, tmp_path) as town:
        town.city.parties._rate = Rate(interval_us=60_000_000, burst=3)
        await town.party()
        yield Callers(town)


async def question(town: TestCity) -> dict[str, Any]:
    principal = town.principal()
    citizen, sector = await town.ready(), principal.party.registrations["rent"].view.sector
    facts = town.city.registry["rent"].manifest.example_at(town.city.clock.now_us())
    return {"subject": town.city.pseudonyms.subject(citizen, sector), "facts": facts}


async def test_a_stranger_learns_no_limit_and_spends_none(callers: Callers) -> None:
    asked = await question(callers.town)
    for _ in range(5):
        answer = await callers.stranger().post(HOT, json=asked)
        assert answer.status_code == 401
        assert not [name for name in answer.headers if name.startswith("ratelimit")]
    assert (await callers.party().post(HOT, json=asked)).status_code == 200


async def test_an_answer_says_what_is_left_and_a_refusal_when_to_return(callers: Callers) -> None:
    asked, party = await question(callers.town), callers.party()
    answers = [await party.post(HOT, json=asked) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 2
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"party";q=3;w=180'}
    left = [answer.headers["ratelimit"] for answer in answers]
    assert left[0] == '"party";r=2;t=60'
    assert left[2:] == ['"party";r=0;t=60'] * 3
    problem = answers[-1].json()
    assert problem["type"] == QUOTA_EXCEEDED
    assert problem["violated-policies"] == ["party"]
    assert answers[-1].headers["content-type"] == "application/problem+json"
    assert int(answers[-1].headers["retry-after"]) >= 60


async def test_malformed_questions_cost_a_party_nothing_of_its_limit(callers: Callers) -> None:
    party = callers.party()
    for _ in range(5):
        assert (await party.post(HOT, json={})).status_code == 400
    assert (await party.post(HOT, json=await question(callers.town))).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/v1/decisions/{UUID(int=7)}"),
        ("GET", f"/v1/consent-requests/{UUID(int=7)}"),
        ("POST", "/v1/consent-requests"),
    ],
)
async def test_every_route_of_a_party_counts(callers: Callers, method: str, path: str) -> None:
    for _ in range(5):
        assert (await callers.stranger().request(method, path, json={})).status_code == 401
    party = callers.party()
    answers = [await party.request(method, path, json={}) for _ in range(5)]
    assert [answer.status_code for answer in answers[:3]] == [404 if method == "GET" else 400] * 3
    assert [answer.json()["type"] for answer in answers[3:]] == [QUOTA_EXCEEDED] * 2


async def test_a_citizens_reading_counts_against_no_party(callers: Callers) -> None:
    citizen = await callers.citizen(await callers.town.citizen())
    answers = [await citizen.get(f"/v1/decisions/{UUID(int=7)}") for _ in range(6)]
    assert {answer.status_code for answer in answers} == {404}


async def test_a_token_counts_once_it_is_known_whose(callers: Callers) -> None:
    """Assertions that prove nothing, in a party's name, do not use up its limit."""
    async with callers.stranger() as http:
        stranger, party = (PartyClient(callers.town, http) for _ in range(2))
        await party.enrol()
        for _ in range(5):
            assert (await stranger.ask()).status_code == 401
        statuses = [(await party.ask()).status_code for _ in range(5)]
        assert statuses == [200] * 3 + [429] * 2
        refused: httpx.Response = await party.ask()
    assert refused.json()["type"] == QUOTA_EXCEEDED


def test_the_answers_of_a_batch_share_their_fields() -> None:
    assert fields(Quota(4000, 2, 17, 1)) is fields(Quota(4000, 2, 17, 1))
