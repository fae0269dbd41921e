"""The published contract names the errors that are really sent."""

from __future__ import annotations

import msgspec
import pytest
from litestar import Litestar, get, post
from litestar.openapi import OpenAPIConfig
from litestar.params import FromQuery, JSONBody

from gateway.edge.contract import state_problems
from gateway.edge.problems import TABLE, TYPE_PREFIX


class Thing(msgspec.Struct):
    name: str


@post("/things")
async def make(data: JSONBody[Thing]) -> Thing:
    return data


@get("/things")
async def show(limit: FromQuery[int] = 1) -> list[Thing]:
    return []


@pytest.fixture(scope="module")
def app() -> Litestar:
    made = Litestar([make, show], openapi_config=OpenAPIConfig(title="t", version="1"))
    state_problems(made.openapi_schema)
    state_problems(made.openapi_schema)
    return made


@pytest.mark.parametrize("method", ["get", "post"])
def test_every_error_is_a_problem(app: Litestar, method: str) -> None:
    document = app.openapi_schema.to_schema()
    responses = document["paths"]["/things"][method]["responses"]
    assert not [status for status in responses if status.startswith(("4", "5"))]
    assert responses["default"]["content"] == {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
    }
    assert {"200", "201"} & set(responses), "the answers themselves are still there"


def test_the_types_are_those_of_the_table(app: Litestar) -> None:
    document = app.openapi_schema.to_schema()
    problem = document["components"]["schemas"]["Problem"]
    types = set(problem["properties"]["type"]["enum"])
    assert {TYPE_PREFIX + kind.slug for kind in TABLE.values()} < types
    assert {"type", "status", "title"} == set(problem["required"])
    assert "Thing" in str(document["components"]["schemas"])
