"""The scenarios, open to everybody: rules, words, numbers and their sources (深圳 29, 39)."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from gateway.city import City
from gateway.edge.access import ACCESS, Access, city_of
from gateway.edge.answer import Policy
from gateway.errors import NotFound
from gateway.keys import b64url
from scenarios.compiler import Compiled
from scenarios.manifest import Text


class ScenarioSummary(msgspec.Struct, frozen=True):
    """A scenario in short; `live` says whether this city answers in it now."""

    id: str
    version: str
    status: str
    live: bool
    title: Text
    summary: Text
    policy: Policy


class ScenarioList(msgspec.Struct, frozen=True):
    """Every scenario of the city."""

    scenarios: list[ScenarioSummary]


@get("/v1/scenarios", opt={ACCESS: Access.PUBLIC}, sync_to_thread=False)
def scenarios(request: Request[Any, Any, Any]) -> ScenarioList:
    """What this city offers."""
    city = city_of(request)
    return ScenarioList([_summary(city, city.registry[name]) for name in city.registry])


@get("/v1/scenarios/{scenario:str}", opt={ACCESS: Access.PUBLIC}, sync_to_thread=False)
def scenario(request: Request[Any, Any, Any], scenario: FromPath[str]) -> dict[str, Any]:
    """One scenario whole: manifest, texts with their hashes, legal basis, and valid `example`
    facts to try it with."""
    city = city_of(request)
    compiled = city.registry.get(scenario)
    if compiled is None:
        raise NotFound
    manifest = compiled.manifest.public(city.clock.now_us())
    return manifest | {"live": _is_live(city, compiled), "policy": _policy(compiled)}


def _summary(city: City, compiled: Compiled) -> ScenarioSummary:
    manifest = compiled.manifest
    return ScenarioSummary(
        id=manifest.id,
        version=manifest.version,
        status=manifest.status,
        live=_is_live(city, compiled),
        title=manifest.title,
        summary=manifest.summary,
        policy=_policy(compiled),
    )


def _is_live(city: City, compiled: Compiled) -> bool:
    return city.policies.number(compiled.id) is not None


def _policy(compiled: Compiled) -> Policy:
    return Policy(compiled.id, b64url(compiled.revision))


HANDLERS: list[HTTPRouteHandler] = [scenarios, scenario]
