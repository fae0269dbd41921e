"""A citizen who visits another city: to the home city's page and back, with a key of this browser.

What the pages `/app/visit`, `/app/recognition/…` and `/app/visit/arrive` do is done here by the
contract alone: docs/protocol/recognition.md, section 6, and the routes in docs/citizens.md.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.local.players.account import Account, through_form, wanted
from gateway.local.players.stage import Refused

#: The members of a public key that its thumbprint is made of (RFC 7638 3.2).
_MEMBERS = ("crv", "kty", "x", "y")
_SESSION = "/v1/visits/session"


class VisitKey:
    """The key of one visit: it never leaves this process."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        public = jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        self._jwk = {name: public[name] for name in _MEMBERS}

    @property
    def thumbprint(self) -> str:
        """RFC 7638, SHA-256."""
        return _hash(json.dumps(self._jwk, separators=(",", ":"), sort_keys=True))

    def proof(self, url: str, token: str | None = None) -> str:
        """A DPoP proof for a POST to this address (RFC 9449 4.2), with a token or for one."""
        claims: dict[str, Any] = {"jti": str(uuid.uuid4()), "htm": "POST", "htu": url}
        claims["iat"] = int(time.time())
        if token is not None:
            claims["ath"] = _hash(token)
        headers = {"typ": "dpop+jwt", "jwk": self._jwk}
        return jwt.encode(claims, self._key, algorithm="ES256", headers=headers)


class Journey:
    """From a visited city to the home city and back.

    `outcome` is `arrived`, `declined` by the citizen, or `nothing_open` where the home city has
    nothing to say about the citizen for these scenarios.
    """

    def __init__(self, browser: httpx.Client, visited: str) -> None:
        self._browser, self._visited = browser, visited
        self._key = VisitKey()
        self.home: Account | None = None
        self.outcome = ""

    def go(self, home: str, login: str, scenarios: list[str], *, allows: bool) -> None:
        """The whole way; `home` is the city's code."""
        wish = {"home": home, "scenarios": scenarios, "jkt": self._key.thumbprint}
        begun = wanted(self._post("/v1/visits", json=wish), 201)
        page = through_form(self._browser, begun["location"], login)
        back = self._decided(page, allows=allows)
        answer = self._browser.get(back)
        place = urlsplit(answer.headers.get("location", ""))
        if place.path == "/app/visit/arrive":
            self._arrive()
            self.outcome = "arrived"
        elif parse_qs(place.query).get("refused") != ["declined"]:
            raise Refused(f"came back, and was answered {answer.status_code}: {place.geturl()}")

    def _decided(self, page: httpx.Response, *, allows: bool) -> str:
        """Read the home city's request and decide it; the address that leads back."""
        origin = urlsplit(str(page.url))
        self.home = Account(self._browser, f"{origin.scheme}://{origin.netloc}")
        request = "/v1/me/recognition-requests/" + origin.path.rpartition("/")[2]
        shown = self.home.read(request)
        if allows and shown["allow"]:
            text = {"text_sha256": shown["text"]["sha256"]}
            return str(self.home.write(shown["allow"], text)["location"])
        self.outcome = "declined" if shown["allow"] else "nothing_open"
        return str(self.home.write(shown["decline"])["location"])

    def _arrive(self) -> None:
        """Show the key twice: for the token, and for the session."""
        metadata = wanted(
            self._browser.get(f"{self._visited}/.well-known/oauth-authorization-server")
        )
        proof = self._key.proof(metadata["token_endpoint"])
        token = wanted(self._post("/v1/visits/token", headers={"dpop": proof}))["access_token"]
        proof = self._key.proof(self._visited + _SESSION, token)
        headers = {"authorization": f"DPoP {token}", "dpop": proof}
        wanted(self._post(_SESSION, headers=headers))

    def _post(
        self, path: str, json: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        own = {"origin": self._visited, **(headers or {})}
        return self._browser.post(self._visited + path, json=json, headers=own)


def _hash(text: str) -> str:
    """SHA-256 in base64url without padding."""
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
