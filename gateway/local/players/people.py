"""The citizens' side: signing in, reading, consenting, promising, taking back.

Usage: `python -m gateway.local.players.people`, directed as gateway.local.players.stage says. Each
citizen has a cookie jar and a device key of their own; every signature is made here.
"""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.local.players.stage import Refused, perform

#: What a commitment says; the text itself travels as its hash.
_CLAIMS = (
    *("template", "template_version", "text_sha256", "scenario", "party", "subject"),
    *("nonce", "iat", "exp"),
)


#: What a player calls the device that it signs with.
_PHONE = "示例手机"


class Person:
    """One citizen with a browser and a device."""

    def __init__(self, base_url: str, login: str) -> None:
        self._client = httpx.Client(base_url=base_url, timeout=10)
        self._csrf = ""
        self._device: tuple[str, ec.EllipticCurvePrivateKey] | None = None
        self._sign_in(login)

    def authorise(self) -> str:
        """Read the notice, then let the score be computed."""
        notice = self._read("/v1/me/notice")
        word = {"status": "given", "text_sha256": notice["text_sha256"]}
        return str(self._write("/v1/me/score-authorisation", word)["status"])

    def consent(self, link: str) -> str:
        """Open the link, read who asks for what, and grant exactly that."""
        shown = self._request(link)
        text = {"text_sha256": shown["text"]["sha256"]}
        return str(self._write(shown["grant"], text)["status"])

    def decline(self, link: str) -> str:
        """Open the link, read it, and say no."""
        return str(self._write(self._request(link)["decline"], None)["status"])

    def change(self, how: str, recipient: str, scenario: str) -> str:
        """`withdraw`, `pause` or `resume` the consent given to a recipient for a scenario."""
        for held in self._read("/v1/me/consents")["consents"]:
            if held["recipient"]["name"] == recipient and held["scenario"] == scenario:
                return str(self._write(f"/v1/me/consents/{held['id']}/{how}", None)["status"])
        raise Refused(f"no consent to {recipient} for {scenario}")

    def sign(self, scenario: str) -> str:
        """Read the promise's text and sign it with the device's own key."""
        kid, key = self._device or self._register()
        draft = self._write("/v1/me/commitments/drafts", {"scenario": scenario})
        claims = {name: draft[name] for name in _CLAIMS if draft[name] is not None}
        signed = jwt.encode(
            claims,
            key,
            algorithm="ES256",
            headers={"typ": "qjf-commitment+jws", "kid": kid},
        )
        return str(self._write("/v1/me/commitments", {"jws": signed})["status"])

    def lookups(self) -> list[dict[str, Any]]:
        """Who asked about me."""
        found: list[dict[str, Any]] = self._read("/v1/me/lookups")["lookups"]
        return found

    def _sign_in(self, login: str) -> None:
        """The browser's way: to the identity provider, through its form, and back."""
        form = self._client.get("/v1/login?return_to=/v1/me", follow_redirects=True)
        if "<form" not in form.text:
            raise Refused(f"no form to sign in: {form.status_code}")
        back = self._client.post(form.url, data={"login": login}, follow_redirects=True)
        self._csrf = _wanted(back)["csrf_token"]

    def _register(self) -> tuple[str, ec.EllipticCurvePrivateKey]:
        key = ec.generate_private_key(ec.SECP256R1())
        public = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        jwk = {name: public[name] for name in ("kty", "crv", "x", "y")}
        self._stop_former()
        device = self._write("/v1/me/devices", {"name": _PHONE, "jwk": jwk})
        self._device = device["kid"], key
        return self._device

    def _stop_former(self) -> None:
        """The phones of days played before are gone with their keys; what they signed stands."""
        for device in self._read("/v1/me/devices")["devices"]:
            if device["name"] == _PHONE and device["revoked_at"] is None:
                self._write(f"/v1/me/devices/{device['id']}/revocation", {})

    def _request(self, link: str) -> dict[str, Any]:
        """What the page of a link shows, as data; the link ends in the request's token."""
        return self._read("/v1/me/consent-requests/" + link.rpartition("/")[2])

    def _read(self, path: str) -> dict[str, Any]:
        return _wanted(self._client.get(path))

    def _write(self, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        headers = {"x-csrf-token": self._csrf, "idempotency-key": f'"{uuid.uuid4().hex}"'}
        if body is None:
            return _wanted(self._client.post(path, headers=headers))
        return _wanted(self._client.post(path, json=body, headers=headers))


class People:
    """All citizens of the demo; each signs in when first needed."""

    def __init__(self) -> None:
        self._base_url = ""
        self._people: dict[str, Person] = {}

    def open(self, base_url: str) -> str:
        """Learn the city's address."""
        self._base_url = base_url
        return base_url

    def act(self, login: str, act: str, **given: str) -> Any:
        """Let one citizen do something."""
        if login not in self._people:
            self._people[login] = Person(self._base_url, login)
        return getattr(self._people[login], act)(**given)


def _wanted(answer: httpx.Response) -> dict[str, Any]:
    if not answer.is_success:
        raise Refused(f"{answer.request.url.path} answered {answer.status_code}: {answer.text}")
    document: dict[str, Any] = answer.json()
    return document


if __name__ == "__main__":
    people = People()
    perform({"open": people.open, "act": people.act})
