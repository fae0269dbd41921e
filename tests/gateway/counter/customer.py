"""A customer with a telephone, as the counter's tests need one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx

from gateway.sessions import hash_of
from tests.gateway.callers import Callers, body, key
from tests.gateway.city import TestCity

QUESTIONS, TODAY = "/v1/counter/questions", "/v1/counter/today"


def rental(town: TestCity, deposit_fen: int = 20_000) -> dict[str, Any]:
    """The facts of a rental."""
    example = town.city.registry["rent"].manifest.example_at(town.city.clock.now_us())
    return example | {"deposit_fen": deposit_fen}


class Customer:
    """A signed-in citizen who shows codes and decides what is asked."""

    def __init__(self, callers: Callers, citizen: UUID) -> None:
        self.callers, self.town, self.citizen = callers, callers.town, citizen

    async def code(self, desk: str | None = None) -> str:
        """A code to show: one to scan, or one to read aloud at a desk."""
        city = self.town.city
        session = await city.sessions.begin(self.citizen)
        return (await city.credit_codes.show(self.citizen, hash_of(session), desk)).code

    async def decide(self, *, grant: bool) -> None:
        """Decide the request that waits, as the app does."""
        me = await self.callers.citizen(self.citizen)
        (waiting,) = body(await me.get("/v1/me/consent-requests"))["requests"]
        word = {"text_sha256": waiting["text"]["sha256"]} if grant else None
        act = waiting["grant"] if grant else waiting["decline"]
        answer = await me.post(act, json=word, headers=key("decide"))
        assert answer.status_code in (200, 204), answer.text


_numbers = iter(range(1, 1_000_000))


async def ask(clerk: httpx.AsyncClient, town: TestCity, **given: Any) -> httpx.Response:
    """Ask about a rental; `name` is the page's own name for the question."""
    name = given.pop("name", f"q-{next(_numbers)}")
    asked = {"scenario": "rent", "facts": rental(town)} | given
    return await clerk.post(QUESTIONS, json=asked, headers=key(name))
