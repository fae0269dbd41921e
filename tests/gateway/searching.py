"""Searches as the gateway makes them, without HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from gateway.parties import Principal
from gateway.search import Found, Search
from tests.gateway.city import TestCity

Facts = dict[str, Any]


def enough(town: TestCity, principal: Principal) -> Facts:
    """What every scenario of a party needs."""
    facts: Facts = {}
    for name in principal.party.registrations:
        facts |= town.city.registry[name].manifest.example_at(town.city.clock.now_us())
    return facts


def search_of(
    town: TestCity,
    citizen: UUID,
    principal: Principal | None = None,
    *,
    facts: Facts | None = None,
    **given: Any,
) -> Search:
    """A search with facts that suffice, or others, at the party's first recipient."""
    caller = principal or town.principal()
    whole: dict[str, Any] = {
        "principal": caller,
        "place": town.city.searches.places.of(caller)[0],
        "citizen": citizen,
        "facts": msgspec.json.encode(enough(town, caller) if facts is None else facts),
        "received_us": town.city.clock.now_us(),
        "deadline": town.city.clock.monotonic() + 5,
    }
    return Search(**(whole | given))


async def search(
    town: TestCity, citizen: UUID, principal: Principal | None = None, **given: Any
) -> Found:
    """Make a search."""
    return await town.city.searches.search(search_of(town, citizen, principal, **given))
