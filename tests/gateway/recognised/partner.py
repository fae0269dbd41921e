"""Another city's backend as a program of its own: nothing of it comes from the gateway."""

from __future__ import annotations

import hashlib
import itertools
import secrets
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec

from gateway.clock import SECOND_US
from gateway.jwk import unb64url
from gateway.oauth.clients import ASSERTION_TYPE
from tests.gateway import forge
from tests.gateway.city import TestCity
from tests.gateway.recognised.others import Neighbours
from tests.gateway.recognition.region import new_key

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
JWT = "urn:ietf:params:oauth:token-type:jwt"
_numbers = itertools.count()


class Partner:
    """A city that visitors come to."""

    def __init__(self, town: TestCity, http: httpx.AsyncClient, code: str = "330200") -> None:
        self.town, self.http, self.code = town, http, code
        self.private, self.kid = new_key(), f"client-{code}"
        self.issuer = f"https://{code}.example"
        self.callback = f"{self.issuer}/recognition/callback"
        self.jkt = forge.b64(hashlib.sha256(code.encode()).digest())

    async def join(self, neighbours: Neighbours) -> None:
        """Enter the list, make an agreement, and be admitted as a party."""
        self.list_key(neighbours)
        neighbours.agree(self.code)
        await neighbours.publish()
        await self.town.party(
            f"city-{self.code}",
            scenarios=("recognition",),
            kind="city",
            entity=f"entity-{self.code}",
            city=self.code,
        )

    def list_key(self, neighbours: Neighbours) -> None:
        """Have the own key in the list, as the only one of a client."""
        city = neighbours.city(self.code)
        others = [key for key in city.keys if key[0] != "client"]
        city.keys = [("client", self.kid, self.private), *others]

    def assertion(self, **changes: Any) -> str:
        """An honest assertion with changes; a claim set to `...` is left out."""
        now_s = self.town.city.clock.now_us() // SECOND_US
        claims = {
            "iss": self.code,
            "sub": self.code,
            "aud": self.town.city.settings.issuer,
            "jti": f"city-assertion-{next(_numbers):08}",
            "iat": now_s,
            "exp": now_s + 60,
        }
        head = {"alg": "ES256", "typ": "client-authentication+jwt", "kid": self.kid}
        return forge.token(forge.dumps(head), forge.dumps(claims | changes), self.private)

    async def post(self, path: str, form: dict[str, Any]) -> httpx.Response:
        """A form with client authentication; a parameter set to `...` is left out."""
        signed = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.assertion()}
        sent = {name: value for name, value in (signed | form).items() if value is not ...}
        return await self.http.post(path, data=sent)

    async def push(self, attempt: Attempt | None = None, **changes: Any) -> httpx.Response:
        """Push a request."""
        attempt = attempt or Attempt()
        form = {
            "client_id": self.code,
            "response_type": "code",
            "redirect_uri": self.callback,
            "scope": "scenario:library scenario:rent",
            "state": attempt.state,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
            "cnf_jkt": self.jkt,
        }
        return await self.post("/oauth/par", form | changes)

    async def redeem(self, attempt: Attempt, **changes: Any) -> httpx.Response:
        """Redeem the code that an attempt brought back."""
        form = {
            "grant_type": "authorization_code",
            "code": attempt.code,
            "redirect_uri": self.callback,
            "code_verifier": attempt.verifier,
        }
        return await self.post("/oauth/token", form | changes)

    async def exchange(self, token: str, **changes: Any) -> httpx.Response:
        """Exchange what a code bought."""
        form = {
            "grant_type": EXCHANGE,
            "subject_token": token,
            "subject_token_type": ACCESS_TOKEN,
            "audience": self.issuer,
        }
        return await self.post("/oauth/token", form | changes)

    async def token(self, attempt: Attempt) -> str:
        """The token for a code."""
        answer = await self.redeem(attempt)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    async def grant(self, attempt: Attempt, **changes: Any) -> dict[str, Any]:
        """The claims of the grant that an attempt leads to."""
        answer = await self.exchange(await self.token(attempt), **changes)
        assert answer.status_code == 200, answer.text
        return claims_of(answer.json()["access_token"])


class Attempt:
    """One visitor's attempt at the visited city: what its browser brings back is checked here."""

    def __init__(self) -> None:
        self.state, self.verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(32)
        self.challenge = forge.b64(hashlib.sha256(self.verifier.encode()).digest())
        self.code = ""

    def came_back(self, address: str, partner: Partner) -> dict[str, str]:
        """What the redirect says; state and issuer are the attempt's own."""
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == partner.callback
        answer = dict(parse_qsl(parts.query, strict_parsing=True))
        assert answer["state"] == self.state
        assert answer["iss"] == partner.town.city.settings.issuer
        self.code = answer.get("code", "")
        return answer


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, unverified."""
    said: dict[str, Any] = msgspec.json.decode(unb64url(token.split(".")[1]))
    return said


def error(answer: httpx.Response, status: int = 400) -> str:
    """The OAuth error of a refusal."""
    assert answer.status_code == status, answer.text
    assert answer.headers["cache-control"] == "no-store"
    said = answer.json()
    assert set(said) == {"error", "error_description"}
    return str(said["error"])
