"""The parties' side: tokens bought with their own keys, consents asked for, questions asked.

Usage: `python -m gateway.local.players.counter`, directed as gateway.local.players.stage says.
"""

from __future__ import annotations

import time
import uuid
from typing import Any

import httpx
import jwt

from gateway.local.players.account import wanted
from gateway.local.players.stage import perform

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Counter:
    """All the parties of the demo, each with a private key that the gateway never saw."""

    def __init__(self) -> None:
        self._client = httpx.Client(timeout=10)
        self._keys: dict[str, dict[str, Any]] = {}
        self._tokens: dict[str, str] = {}

    def open(self, base_url: str, parties: list[dict[str, Any]]) -> int:
        """Learn the city's address and the parties' client ids and private keys."""
        self._client.base_url = httpx.URL(base_url)
        self._keys = {party["client_id"]: party["jwk"] for party in parties}
        metadata = self._client.get("/.well-known/oauth-authorization-server").json()
        self._issuer, self._token_url = metadata["issuer"], metadata["token_endpoint"]
        return len(self._keys)

    def ask_consent(self, party: str, scenario: str) -> dict[str, Any]:
        """Create a consent request; the link in it is for the citizen."""
        purpose = self._scenario(scenario)["purposes"][0]
        body = {"scenario": scenario, "purpose": purpose, "out_request_no": uuid.uuid4().hex}
        return wanted(self._post(party, "/v1/consent-requests", body), 201)

    def collect(self, party: str, request: str) -> dict[str, Any]:
        """Look how a consent request ended; a granted one names the subject."""
        answer = self._client.get(f"/v1/consent-requests/{request}", headers=self._bearer(party))
        return wanted(answer, 200)

    def ask(
        self, party: str, scenario: str, subject: str, facts: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Ask for eligibility, with the scenario's own example where no facts are given."""
        facts = facts if facts is not None else self.example(scenario)
        path = f"/v1/scenarios/{scenario}/eligibility"
        self._bearer(party)
        started = time.perf_counter()
        answer = self._post(party, path, {"subject": subject, "facts": facts})
        took_ms = (time.perf_counter() - started) * 1000
        return {**wanted(answer, 200), "took_ms": took_ms}

    def example(self, scenario: str) -> dict[str, Any]:
        """The valid facts that the scenario's own description offers."""
        facts: dict[str, Any] = self._scenario(scenario)["example"]
        return facts

    def _scenario(self, scenario: str) -> dict[str, Any]:
        return wanted(self._client.get(f"/v1/scenarios/{scenario}"), 200)

    def _post(self, party: str, path: str, body: dict[str, Any]) -> httpx.Response:
        return self._client.post(path, json=body, headers=self._bearer(party))

    def _bearer(self, party: str) -> dict[str, str]:
        if party not in self._tokens:
            self._tokens[party] = self._buy(party)
        return {"authorization": f"Bearer {self._tokens[party]}"}

    def _buy(self, party: str) -> str:
        """A token for a client assertion (RFC 7523) signed with the party's own key."""
        jwk = self._keys[party]
        now = int(time.time())
        claims = {
            "iss": party,
            "sub": party,
            "aud": self._issuer,
            "jti": uuid.uuid4().hex,
            "iat": now,
            "exp": now + 60,
        }
        key = jwt.PyJWK(jwk, algorithm="ES256").key
        assertion = jwt.encode(claims, key, algorithm="ES256", headers={"kid": jwk["kid"]})
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": _ASSERTION,
            "client_assertion": assertion,
        }
        token: str = wanted(self._client.post(self._token_url, data=form), 200)["access_token"]
        return token


if __name__ == "__main__":
    counter = Counter()
    perform(
        {
            "open": counter.open,
            "ask_consent": counter.ask_consent,
            "collect": counter.collect,
            "ask": counter.ask,
        }
    )
