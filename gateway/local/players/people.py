"""The citizens' side: signing in, reading, consenting, promising, visiting, taking back.

Usage: `python -m gateway.local.players.people`, directed as gateway.local.players.stage says. Each
citizen has a cookie jar and a device key of their own; every signature is made here.
"""

from __future__ import annotations

import time
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.local.players.account import Account, through_form
from gateway.local.players.stage import Refused, perform
from gateway.local.players.visitor import Journey

#: What a commitment says; the text itself travels as its hash.
_CLAIMS = (
    *("template", "template_version", "text_sha256", "scenario", "party", "subject"),
    *("nonce", "iat", "exp"),
)


#: What a player calls the device that it signs with.
_PHONE = "示例手机"

#: How long a visitor waits for the home city's word, in seconds: two rounds of reading.
_ASSURED_S = 25.0


class Person:
    """Somebody with a browser and a device, who is signed in at the city."""

    def __init__(self, account: Account, home: Account | None = None) -> None:
        self._account, self._home = account, home
        self._device: tuple[str, ec.EllipticCurvePrivateKey] | None = None

    def authorise(self) -> str:
        """Read the notice, then let the score be computed."""
        notice = self._account.read("/v1/me/notice")
        word = {"status": "given", "text_sha256": notice["text_sha256"]}
        return str(self._account.write("/v1/me/score-authorisation", word)["status"])

    def consent(self, link: str) -> str:
        """Open the link, read who asks for what, and grant exactly that."""
        shown = self._request(link)
        text = {"text_sha256": shown["text"]["sha256"]}
        return str(self._account.write(shown["grant"], text)["status"])

    def decline(self, link: str) -> str:
        """Open the link, read it, and say no."""
        return str(self._account.write(self._request(link)["decline"])["status"])

    def change(self, how: str, recipient: str, scenario: str) -> str:
        """`withdraw`, `pause` or `resume` the consent given to a recipient for a scenario."""
        for held in self._account.read("/v1/me/consents")["consents"]:
            if held["recipient"]["name"] == recipient and held["scenario"] == scenario:
                path = f"/v1/me/consents/{held['id']}/{how}"
                return str(self._account.write(path)["status"])
        raise Refused(f"no consent to {recipient} for {scenario}")

    def sign(self, scenario: str) -> str:
        """Read the promise's text and sign it with the device's own key."""
        kid, key = self._device or self._register()
        draft = self._account.write("/v1/me/commitments/drafts", {"scenario": scenario})
        claims = {name: draft[name] for name in _CLAIMS if draft[name] is not None}
        signed = jwt.encode(
            claims,
            key,
            algorithm="ES256",
            headers={"typ": "qjf-commitment+jws", "kid": kid},
        )
        return str(self._account.write("/v1/me/commitments", {"jws": signed})["status"])

    def lookups(self) -> list[dict[str, Any]]:
        """Who asked about me."""
        found: list[dict[str, Any]] = self._account.read("/v1/me/lookups")["lookups"]
        return found

    def visit(self) -> dict[str, Any]:
        """What is open to me here, where I am a visitor."""
        return self._account.read("/v1/me/visit")

    def leave(self) -> str:
        """End my visit here."""
        self._account.write("/v1/me/visit/end")
        return "left"

    def take_back(self, city: str) -> str:
        """At home, withdraw the consent by which the city of this code recognises me."""
        if self._home is None:
            raise Refused("no visitor, who has a home city elsewhere")
        for held in self._home.read("/v1/me/recognitions")["recognitions"]:
            if held["city"] == city and held["withdraw"]:
                return str(self._home.write(held["withdraw"])["status"])
        raise Refused(f"not recognised in {city}")

    def _register(self) -> tuple[str, ec.EllipticCurvePrivateKey]:
        key = ec.generate_private_key(ec.SECP256R1())
        public = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        jwk = {name: public[name] for name in ("kty", "crv", "x", "y")}
        self._stop_former()
        device = self._account.write("/v1/me/devices", {"name": _PHONE, "jwk": jwk})
        self._device = device["kid"], key
        return self._device

    def _stop_former(self) -> None:
        """The phones of days played before are gone with their keys; what they signed stands."""
        for device in self._account.read("/v1/me/devices")["devices"]:
            if device["name"] == _PHONE and device["revoked_at"] is None:
                self._account.write(f"/v1/me/devices/{device['id']}/revocation", {})

    def _request(self, link: str) -> dict[str, Any]:
        """What the page of a link shows, as data; the link ends in the request's token."""
        return self._account.read("/v1/me/consent-requests/" + link.rpartition("/")[2])


class People:
    """All citizens of the demo who are at one city; each signs in when first needed."""

    def __init__(self) -> None:
        self._base_url = ""
        self._people: dict[str, Person] = {}

    def open(self, base_url: str) -> str:
        """Learn the city's address."""
        self._base_url = base_url
        return base_url

    def act(self, login: str, act: str, **given: str) -> Any:
        """Let one of them do something."""
        if login not in self._people:
            self._people[login] = self._signed_in(login)
        return getattr(self._people[login], act)(**given)

    def travel(self, login: str, home: str, scenarios: list[str], *, allows: bool) -> str:
        """Let a citizen of the city of this code come and be a visitor from then on, or turn back;
        how it went."""
        browser = httpx.Client(timeout=10)
        journey = Journey(browser, self._base_url)
        journey.go(home, login, scenarios, allows=allows)
        if journey.outcome == "arrived":
            visitor = Person(Account(browser, self._base_url), journey.home)
            self._people[login] = visitor
            _assured(visitor)
        return journey.outcome

    def _signed_in(self, login: str) -> Person:
        """The browser's way: to the identity provider, through its form, and back."""
        browser = httpx.Client(timeout=10)
        through_form(browser, f"{self._base_url}/v1/login?return_to=/v1/me", login)
        return Person(Account(browser, self._base_url))


def _assured(visitor: Person) -> None:
    """Wait until the home city's word is fresh, as the visitor's page shows it. It is at once, but
    where earlier visits from there name a list that cannot be read any more."""
    deadline = time.monotonic() + _ASSURED_S
    while not visitor.visit()["fresh"]:
        if time.monotonic() > deadline:
            raise Refused("the home city's word is not fresh")
        time.sleep(0.5)


if __name__ == "__main__":
    people = People()
    perform({"open": people.open, "act": people.act, "travel": people.travel})
