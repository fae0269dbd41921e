"""A party that proves its key with every request (RFC 9449), and the places where it may do so."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

from gateway.clock import SECOND_US
from tests.gateway.city import MERCHANT, TestCity
from tests.gateway.oauth.client import PartyClient
from tests.gateway.prover import Prover


class Place(msgspec.Struct, frozen=True):
    """An address that a proof is made for."""

    method: str
    path: str
    body: dict[str, Any] | None = None
    is_resource: bool = True


TOKEN = Place("POST", "/oauth/token", is_resource=False)


class BoundClient:
    """A party's program with a key for its proofs beside the one that it authenticates with."""

    def __init__(self, party: PartyClient, prover: Prover | None = None) -> None:
        self.party, self.prover = party, prover or Prover()
        self.town, self.http = party.town, party.http
        self.token = ""
        self.places: list[Place] = [TOKEN]

    @property
    def resources(self) -> list[Place]:
        """The hot route, AuthZEN and an ordinary route, each with a request that succeeds."""
        return [place for place in self.places if place.is_resource]

    async def begin(self, town: TestCity) -> None:
        """Get a bound token and an answer to read back."""
        answer = await self.ask_token()
        assert answer.status_code == 200, answer.text
        assert answer.json()["token_type"] == "DPoP"
        self.token = answer.json()["access_token"]
        party = town.city.parties.get(MERCHANT)
        assert party is not None
        view = party.registrations["rent"].view
        subject = town.city.pseudonyms.subject(await town.ready(), view.sector)
        now_us = town.city.clock.now_us()
        facts = msgspec.to_builtins(town.city.registry["rent"].manifest.example_at(now_us))
        hot = Place("POST", "/v1/scenarios/rent/eligibility", {"subject": subject, "facts": facts})
        self.places.append(hot)
        evaluation = {
            "subject": {"type": "citizen", "id": subject},
            "action": {"name": "use"},
            "resource": {"type": "scenario", "id": "rent"},
            "context": facts,
        }
        self.places.append(Place("POST", "/access/v1/evaluation", evaluation))
        asked = await self.send(hot)
        assert asked.status_code == 200, asked.text
        self.places.append(Place("GET", f"/v1/decisions/{asked.json()['decision_id']}"))

    def proof(self, place: Place, *, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """An honest proof for a place, with changes."""
        url = self.town.city.settings.issuer + place.path
        now_s = self.town.city.clock.now_us() // SECOND_US
        token = self.token if place.is_resource else None
        return self.prover.proof(place.method, url, now_s, token=token, header=header, **changes)

    async def ask_token(self, proof: str | None = "", **fields: str) -> httpx.Response:
        """Ask for a token, with an honest proof, another or none."""
        given = self.proof(TOKEN) if proof == "" else proof
        headers = fields if given is None else {"dpop": given} | fields
        return await self.http.post("/oauth/token", data=self.party.form(), headers=headers)

    async def send(
        self,
        place: Place,
        *proofs: str,
        scheme: str = "DPoP",
        token: str | None = None,
        name: str = "dpop",
        http: httpx.AsyncClient | None = None,
    ) -> httpx.Response:
        """Send a place's request with these proofs, by default with an honest one."""
        fields = [(name, proof) for proof in proofs or (self.proof(place),) if proof]
        if not place.is_resource:
            form = self.party.form()
            return await (http or self.http).post(place.path, data=form, headers=fields)
        fields.append(("authorization", f"{scheme} {token or self.token}"))
        return await (http or self.http).request(
            place.method, place.path, json=place.body, headers=fields
        )
