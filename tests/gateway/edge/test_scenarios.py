"""The scenarios are open to everybody, and their example is one that can be asked with."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from gateway.keys import b64url
from tests.gateway.callers import Callers, body
from tests.gateway.city import TestCity


@pytest.fixture
async def callers(town: TestCity) -> Callers:
    return Callers(town)


async def test_everybody_may_read_what_the_city_offers(callers: Callers) -> None:
    listed = body(await callers.stranger().get("/v1/scenarios"))["scenarios"]
    registry = callers.town.city.registry
    assert [each["id"] for each in listed] == list(registry)
    for each in listed:
        assert each["live"] is True
        assert each["policy"]["revision"] == b64url(registry[each["id"]].revision)


async def test_a_scenario_shows_rule_words_numbers_and_sources(callers: Callers) -> None:
    registry = callers.town.city.registry
    for name in registry:
        shown = body(await callers.stranger().get(f"/v1/scenarios/{name}"))
        assert shown["id"] == name
        assert shown["legal_basis"]
        assert len(shown["clauses"]) == len(registry[name].manifest.clauses)
        words = f"{shown['consent']['version']}\n{shown['consent']['zh']}"
        hashed = hashlib.sha256(words.encode()).hexdigest()
        assert shown["consent"]["text_sha256"] == hashed
        raw = msgspec.json.encode(shown["example"])
        msgspec.json.decode(raw, type=registry[name].facts_type)


async def test_an_unknown_scenario_is_not_found(callers: Callers) -> None:
    assert (await callers.stranger().get("/v1/scenarios/no-such")).status_code == 404


async def test_a_retired_scenario_says_that_it_does_not_answer(callers: Callers) -> None:
    town = callers.town
    await town.owner.execute("UPDATE policy SET live = false WHERE scenario = 'rent'")
    await town.city.policies.refresh()
    assert body(await callers.stranger().get("/v1/scenarios/rent"))["live"] is False
