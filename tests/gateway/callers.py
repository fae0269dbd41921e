"""Callers over HTTP: a stranger, parties with tokens, citizens and parties' staff with sessions; no
server between."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx

from gateway.counter import staff
from gateway.sessions import CSRF_HEADER, csrf_token
from tests.gateway.apps import transport_of
from tests.gateway.city import MERCHANT, TestCity

CHALLENGE = 'Bearer error="invalid_token", DPoP algs="ES256 EdDSA"'
"""What a 401 asks for: the same whatever the cause."""


class Callers:
    """Makes clients of one application."""

    def __init__(self, town: TestCity) -> None:
        self.town = town
        self._transport = transport_of(town.city)

    def stranger(self, **headers: str) -> httpx.AsyncClient:
        """A client that proves nothing."""
        issuer = self.town.city.settings.issuer
        return httpx.AsyncClient(transport=self._transport, base_url=issuer, headers=headers)

    def party(self, name: str = MERCHANT, *, scopes: list[str] | None = None) -> httpx.AsyncClient:
        """A party with a fresh token for all its scenarios, or for other scopes."""
        party = self.town.city.parties.get(name)
        assert party is not None
        wanted = [f"scenario:{each}" for each in party.registrations] if scopes is None else scopes
        token = self.town.city.tokens.issue(party, "k1", wanted).token
        return self.stranger(authorization=f"Bearer {token}")

    async def citizen(self, citizen: UUID) -> httpx.AsyncClient:
        """A signed-in citizen whose page sends the CSRF token."""
        sessions = self.town.city.sessions
        session = await sessions.begin(citizen)
        client = self.stranger(**{CSRF_HEADER: csrf_token(session)})
        client.cookies.set(sessions.cookie, session)
        return client

    async def clerk(self, login: str = "li.na", *, party: str = MERCHANT) -> httpx.AsyncClient:
        """A signed-in member of a party's staff, at an account of that login; new if it is."""
        city, owner = self.town.city, self.town.owner
        if await owner.fetchval("SELECT true FROM counter_staff WHERE login = $1", login) is None:
            await staff.add(owner, city.ids, party, login, login)
        account = await owner.fetchval("SELECT id FROM counter_staff WHERE login = $1", login)
        async with city.database.transaction() as connection:
            session = await city.counter_sessions.begin(
                connection, account, instead_of=None, desk=None
            )
        client = self.stranger(**{CSRF_HEADER: csrf_token(session)})
        client.cookies.set(city.counter_sessions.cookie, session)
        return client


def key(text: str) -> dict[str, str]:
    """The header field of an idempotency key."""
    return {"idempotency-key": f'"{text}"'}


def body(response: httpx.Response, status: int = 200) -> Any:
    """The JSON of an answer that must have this status."""
    assert response.status_code == status, response.text
    return response.json()
