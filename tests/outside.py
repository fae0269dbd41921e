"""A running city as people's scripts see it: its `up.json`, its parties, its questions."""

from __future__ import annotations

from typing import Any

import httpx

from gateway.cli.assertion import assertion
from gateway.local.upfile import UpFile

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Outside:
    """The running city, seen from outside."""

    def __init__(self, up: UpFile) -> None:
        self.up = up
        self.base_url, self.identity_url = up.base_url, up.identity_url

    def party(self, client_id: str) -> httpx.Client:
        """A party with a fresh token for all its scopes."""
        party = self.up.party(client_id)
        granted = httpx.post(
            f"{self.base_url}/oauth/token",
            data={
                "grant_type": "client_credentials",
                "client_assertion_type": _ASSERTION,
                "client_assertion": assertion(self.base_url, party),
            },
        )
        assert granted.status_code == 200, granted.text
        token = granted.json()["access_token"]
        return httpx.Client(base_url=self.base_url, headers={"authorization": f"Bearer {token}"})

    def ask_consent(self, client_id: str, scenario: str, purpose: str, number: str) -> Any:
        """A party's request for a consent: `id`, `link` and so on."""
        body = {"scenario": scenario, "purpose": purpose, "out_request_no": number}
        with self.party(client_id) as party:
            asked = party.post("/v1/consent-requests", json=body)
        assert asked.status_code == 201, asked.text
        return asked.json()

    def answer(self, client_id: str, scenario: str, subject: str, **given: str) -> Any:
        """The answer to a party's question about a citizen, with the scenario's example facts."""
        facts = httpx.get(f"{self.base_url}/v1/scenarios/{scenario}").json()["example"]
        with self.party(client_id) as party:
            answer = party.post(
                f"/v1/scenarios/{scenario}/eligibility",
                json={"subject": subject, "facts": facts, **given},
            )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, client_id: str, scenario: str, subject: str, **given: str) -> str:
        """The same; the answer's id."""
        decision: str = self.answer(client_id, scenario, subject, **given)["decision_id"]
        return decision

    def subject(self, login: str, client_id: str) -> str:
        """A persona's name at a party that knows it."""
        (persona,) = (each for each in self.up.personas if each.login == login)
        return persona.subjects[client_id]
