"""A party's own side of the token endpoint: its key, its assertions, its requests over HTTP."""

from __future__ import annotations

import itertools
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.clock import SECOND_US
from gateway.jwk import Alg, Key, public_jwk
from gateway.oauth.clients import ASSERTION_TYPE
from tests.gateway import forge
from tests.gateway.city import MERCHANT, TestCity

_numbers = itertools.count()


def jwk_of(kid: str, private: ec.EllipticCurvePrivateKey) -> str:
    """A public JWK as the parties' table holds it."""
    key = Key(kid, Alg.ES256, private.public_key())
    return msgspec.json.encode(public_jwk(key)).decode()


class PartyClient:
    """A party as a program that holds its own key; nothing of it comes from the gateway."""

    def __init__(
        self,
        town: TestCity,
        http: httpx.AsyncClient,
        *,
        name: str = MERCHANT,
        kid: str = "client-1",
    ) -> None:
        self.town, self.http, self.name, self.kid = town, http, name, kid
        self.private = ec.generate_private_key(ec.SECP256R1())

    async def enrol(self) -> None:
        """Have the operator add this client's key to its party."""
        await self.town.owner.execute(
            "INSERT INTO party_key (party, kid, jwk) SELECT num, $2, $3 FROM party WHERE id = $1",
            *(self.name, self.kid, jwk_of(self.kid, self.private)),
        )

    def assertion(self, *, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """An honest assertion with changes; a claim set to `...` is left out."""
        now_s = self.town.city.clock.now_us() // SECOND_US
        claims = {
            "iss": self.name,
            "sub": self.name,
            "aud": self.town.city.settings.issuer,
            "jti": f"assertion-{next(_numbers):08}",
            "iat": now_s,
            "exp": now_s + 60,
        }
        head = {"alg": "ES256", "typ": "JWT", "kid": self.kid} | (header or {})
        return forge.token(forge.dumps(head), forge.dumps(claims | changes), self.private)

    def form(self, assertion: str | None = None, **changes: Any) -> dict[str, Any]:
        """An honest form with changes; a parameter set to `...` is left out."""
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion or self.assertion(),
        }
        return {name: value for name, value in (form | changes).items() if value is not ...}

    async def ask(self, assertion: str | None = None, **changes: Any) -> httpx.Response:
        """Ask for a token."""
        return await self.http.post("/oauth/token", data=self.form(assertion, **changes))

    async def send(self, body: str, **headers: str) -> httpx.Response:
        """Send any body as a form."""
        given = {"content-type": "application/x-www-form-urlencoded"} | headers
        return await self.http.post("/oauth/token", content=body, headers=given)

    def body(self, **changes: Any) -> str:
        """An honest form as it travels."""
        return urlencode(self.form(**changes))

    async def token(self) -> str:
        """A token."""
        answer = await self.ask()
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token
