"""The published contract names every route, who may call it and the errors that are sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from gateway.app import Front
from gateway.edge import authzen, contract, twins
from gateway.edge.headers import HeaderGuard
from gateway.edge.problems import TABLE
from tests.gateway.apps import app_of, transport_of
from tests.gateway.city import TestCity

HOT = "/v1/scenarios/{scenario}/eligibility"
CALLBACK = "/v1/login/callback"


def framework(town: TestCity) -> Litestar:
    app = app_of(town.city)
    assert isinstance(app, HeaderGuard)
    front = app._app  # the layers of the application, from outside in
    assert isinstance(front, Front)
    return front.framework


@pytest.fixture
async def http(town: TestCity) -> AsyncIterator[httpx.AsyncClient]:
    transport = transport_of(town.city)
    async with httpx.AsyncClient(transport=transport, base_url=town.city.settings.issuer) as http:
        yield http


_drawn: dict[str, Any] = {}


@pytest.fixture
async def document(http: httpx.AsyncClient) -> dict[str, Any]:
    """The document, drawn once for this file: it depends on nothing that a test arranges."""
    if not _drawn:
        _drawn.update((await http.get(contract.PATH)).json())
    return _drawn


async def test_it_is_public_and_at_its_own_address_alone(http: httpx.AsyncClient) -> None:
    first, second = await http.get("/openapi.json"), await http.get("/openapi.json")
    elsewhere = [await http.get(path) for path in ("/openapi", "/schema", "/openapi.yaml")]
    assert first.status_code == 200
    assert first.headers["content-type"] == "application/json"
    assert first.content == second.content
    assert first.json()["openapi"].startswith("3.1")
    assert [answer.status_code for answer in elsewhere] == [404, 404, 404]


async def test_it_names_every_route_and_no_other(town: TestCity, document: dict[str, Any]) -> None:
    served = {
        (route.path_format, method.lower())
        for route in framework(town).routes
        if isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items()
        # Pages are for people: docs/citizens.md names them.
        if method != "OPTIONS" and handler.include_in_schema is not False
    }
    named = {(path, method) for path, item in document["paths"].items() for method in item}
    assert named == served | {(path, "post") for path in (HOT, *authzen.ROUTES)}
    assert ("/openapi.json", "get") in named


async def test_it_says_who_may_call(town: TestCity, document: dict[str, Any]) -> None:
    paths = document["paths"]
    assert paths["/healthz"]["get"]["security"] == []
    assert paths[HOT]["post"]["security"] == [{"party": []}, {"party-bound": []}]
    assert paths["/v1/me"]["get"]["security"] == [{"citizen": []}]
    assert paths["/v1/logout"]["post"]["security"] == [{"citizen": [], "csrf": []}]
    schemes = document["components"]["securitySchemes"]
    assert schemes["party"]["scheme"] == "bearer"
    assert schemes["party-bound"]["scheme"] == "dpop"
    assert schemes["citizen"]["name"] == town.city.sessions.cookie


async def test_every_error_is_a_problem(document: dict[str, Any]) -> None:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            answers = operation["responses"]
            assert answers["default"]["content"] == problem, (method, path)
            assert [status for status in answers if status.startswith(("4", "5"))] == []
            assert len(answers) > 1, "the answers themselves are still there"
    kinds = document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]
    assert {kind.type for kind in TABLE.values()} < set(kinds)


async def test_the_hot_route_has_one_question_for_each_scenario(
    town: TestCity, document: dict[str, Any]
) -> None:
    operation = document["paths"][HOT]["post"]
    choices = operation["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    assert len(choices) == len(town.city.registry)
    rent = document["components"]["schemas"]["RentQuestion"]
    assert set(rent["required"]) == {"subject", "facts"}
    facts = document["components"]["schemas"]["RentFacts"]
    example = town.city.registry["rent"].manifest.example_at(town.city.clock.now_us())
    assert example.keys() <= facts["properties"].keys()


async def test_the_hot_routes_answer_is_the_one_described(
    town: TestCity, http: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    caller = await town.party()
    citizen = await town.ready()
    sector = caller.party.registrations["rent"].view.sector
    example = town.city.registry["rent"].manifest.example_at(town.city.clock.now_us())
    token = town.city.tokens.issue(caller.party, "k1", ["scenario:rent"]).token
    answer = await http.post(
        HOT.format(scenario="rent"),
        content=msgspec.json.encode(
            {"subject": town.city.pseudonyms.subject(citizen, sector), "facts": example}
        ),
        headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
    )
    told = msgspec.json.decode(answer.content, type=twins.EligibilityAnswer)
    assert told.outcome == "eligible"
    schema = document["components"]["schemas"]["EligibilityAnswer"]
    assert answer.json().keys() == schema["properties"].keys() == set(schema["required"])


async def test_bodies_take_no_unknown_members(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name in ("RentQuestion", "RentFacts", "ConsentAsk", "Grant"):
        assert schemas[name]["additionalProperties"] is False, name
    assert "additionalProperties" not in schemas["EligibilityAnswer"], "answers may grow"


async def test_authzens_bodies_may_hold_what_nobody_knows(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for path in authzen.ROUTES:
        (content,) = document["paths"][path]["post"]["requestBody"]["content"].values()
        asked = schemas[content["schema"]["$ref"].rpartition("/")[2]]
        assert {"subject", "action", "resource", "context"} <= asked["properties"].keys()
        assert "additionalProperties" not in asked
    assert schemas["EvaluationsRequest"]["properties"]["evaluations"]["maxItems"] == 100
    assert schemas["EvaluationsRequest"]["required"] == []


@pytest.mark.parametrize("dialect", ["\\A", "\\Z", "(?P<"])
async def test_patterns_are_in_every_languages_dialect(
    document: dict[str, Any], dialect: str
) -> None:
    def patterns(node: Any) -> list[str]:
        match node:
            case {"pattern": str(pattern)}:
                return [pattern]
            case dict():
                return [found for value in node.values() for found in patterns(value)]
            case list():
                return [found for value in node for found in patterns(value)]
        return []

    found = patterns(document)
    assert found
    assert [pattern for pattern in found if dialect in pattern] == []
