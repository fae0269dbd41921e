"""GET /v1/recognition/agreements: what this city agreed on with others is open to everybody."""

from __future__ import annotations

from typing import Any

import httpx

from tests.gateway.apps import transport_of
from tests.gateway.city import TestCity
from tests.gateway.recognition.conftest import Pair
from tests.gateway.recognition.region import SCHEME, TERMS, City


async def seen(worker: TestCity) -> Any:
    """What a stranger reads there."""
    transport = transport_of(worker.city)
    base = worker.city.settings.issuer
    async with httpx.AsyncClient(transport=transport, base_url=base) as http:
        answer = await http.get("/v1/recognition/agreements")
    assert answer.status_code == 200
    return answer.json()


async def test_without_a_list_there_are_none(worker: TestCity) -> None:
    assert await seen(worker) == {"agreements": [], "until": None}


async def test_a_stranger_reads_this_citys_agreements_whatever_their_state(
    pair: Pair, worker: TestCity
) -> None:
    third = City("330300")
    region = pair.region
    region.cities.append(third)
    region.agree("b-c", pair.b, third, 100, **TERMS)
    said = pair.a.says(0, "sign", ["330100", "330300"], 100, agreement="a-c", **TERMS)
    region.agreements["a-c"] = [said]
    await worker.city.trust_fetcher.step()
    line = {
        "id": "a-b",
        "cities": ["330100", "330200"],
        "scenarios": ["library"],
        "scheme": SCHEME,
        **TERMS,
        "state": "in_force",
    }
    proposed = line | {"id": "a-c", "cities": ["330100", "330300"], "state": "proposed"}
    found = await seen(worker)
    assert found["agreements"] == [line, proposed]
    assert found["until"] is not None


async def test_when_the_list_is_over_none_is_claimed(pair: Pair, worker: TestCity) -> None:
    await worker.city.trust_fetcher.step()
    pair.clock.advance(seconds=60)
    assert await seen(worker) == {"agreements": [], "until": None}
