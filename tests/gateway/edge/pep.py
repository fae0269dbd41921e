"""A party that speaks AuthZEN (a policy enforcement point), and knows nothing else of us."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx

from gateway.edge import authzen
from tests.gateway.callers import Callers
from tests.gateway.city import MERCHANT, TestCity

Json = dict[str, Any]


def subject(identifier: str) -> Json:
    return {"type": "citizen", "id": identifier}


def scenario(identifier: str) -> Json:
    return {"type": "scenario", "id": identifier}


USE: Json = {"name": "use"}


class Pep:
    """Asks as one party."""

    def __init__(
        self, callers: Callers, name: str = MERCHANT, *, scopes: list[str] | None = None
    ) -> None:
        self.town: TestCity = callers.town
        self.http: httpx.AsyncClient = callers.party(name, scopes=scopes)
        party = self.town.city.parties.get(name)
        assert party is not None
        self.party = party

    def name_of(self, citizen: UUID, scenario: str = "rent") -> str:
        """The subject that the gateway gave for a citizen."""
        sector = self.party.registrations[scenario].view.sector
        return self.town.city.pseudonyms.subject(citizen, sector)

    def facts(self, scenario: str = "rent") -> Json:
        """A context that suffices."""
        manifest = self.town.city.registry[scenario].manifest
        return manifest.example_at(self.town.city.clock.now_us())

    def ask(self, citizen: UUID, name: str = "rent", **changes: Any) -> Json:
        """A whole evaluation request; a member set to `...` is left out."""
        asked = {
            "subject": subject(self.name_of(citizen, name)),
            "action": USE,
            "resource": scenario(name),
            "context": self.facts(name),
        }
        return {key: value for key, value in (asked | changes).items() if value is not ...}

    def search(self, citizen: UUID, *names: str, **changes: Any) -> Json:
        """A whole search with what these scenarios need; a member set to `...` is left out."""
        context: Json = {}
        for name in names or tuple(self.party.registrations):
            context |= self.facts(name)
        first = next(iter(self.party.registrations))
        asked = {
            "subject": subject(self.name_of(citizen, first)),
            "action": USE,
            "resource": {"type": "scenario"},
            "context": context,
        }
        return {key: value for key, value in (asked | changes).items() if value is not ...}

    async def evaluation(self, request: Any, **given: Any) -> httpx.Response:
        return await self.http.post(authzen.EVALUATION, json=request, **given)

    async def evaluations(self, request: Any, **given: Any) -> httpx.Response:
        return await self.http.post(authzen.EVALUATIONS, json=request, **given)

    async def found(self, request: Any, **given: Any) -> httpx.Response:
        return await self.http.post(authzen.SEARCH_RESOURCE, json=request, **given)
