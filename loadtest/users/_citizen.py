"""What a citizen does: sign in through the identity provider, read, write, sign with a device."""

from __future__ import annotations

import time
import uuid
from typing import Any
from urllib.parse import urljoin

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from loadtest.users._city import login
from loadtest.users._party import PartyUser

#: What a commitment says; the text itself travels as its hash.
CLAIMS = (
    *("template", "template_version", "text_sha256", "scenario", "party", "subject"),
    *("nonce", "iat", "exp"),
)

#: A session is begun anew after so long; the gateway keeps it for half an hour.
SESSION_S = 1500


class CitizenUser(PartyUser):
    """A user who is one citizen, nobody else's of its class. Parties it meets are played along."""

    abstract = True
    promising = False
    """Whether the citizen has signed the promise to bring back what is rented."""

    def on_start(self) -> None:
        """Become somebody."""
        number = self.city.next_citizen(promising=self.promising, kind=type(self).__name__)
        if number is None:
            self.give_up("no citizen is left; bring the city up with more --citizens")
        else:
            self.number = number

    def begin(self) -> None:
        """Sign in."""
        self.sign_in()

    def sign_in(self) -> None:
        """The browser's way: to the identity provider, through its form, and back."""
        self.client.cookiejar.clear()
        begun = self._sent_on("GET", "/v1/login?return_to=/v1/me", "a citizen: to sign in")
        self.expect(200, "GET", begun, "identity provider: form")
        form = {"login": login(self.number)}
        back = self._sent_on("POST", begun, "identity provider: who it is", data=form)
        home = self._sent_on("GET", back, "a citizen: back, signed in")
        self._csrf = self.told(200, "GET", home, "a citizen: me")["csrf_token"]
        self._signed_in = time.monotonic()

    def sign_out(self) -> None:
        """End the session."""
        fields = {"X-CSRF-Token": self._csrf}
        self.expect(204, "POST", "/v1/logout", "a citizen: sign out", headers=fields)

    def read(self, path: str, name: str) -> Any:
        """A citizen's request that changes nothing."""
        self._stay_signed_in()
        return self.told(200, "GET", path, name)

    def write(self, path: str, name: str, body: dict[str, Any] | None, status: int = 200) -> Any:
        """A citizen's request that changes something, once."""
        self._stay_signed_in()
        key = f'"{uuid.uuid4().hex}"'
        fields = {"X-CSRF-Token": self._csrf, "Idempotency-Key": key}
        return self.told(status, "POST", path, name, headers=fields, json=body)

    def grant(self, party: str) -> tuple[str, str]:
        """Let a merchant ask, and consent to exactly what it shows; subject and consent's id."""
        body = {
            "scenario": "rent",
            "purpose": self.city.scenario("rent")["purposes"][0],
            "out_request_no": uuid.uuid4().hex,
        }
        path, name = "/v1/consent-requests", "a party: asks for a consent"
        asked = self.as_party(party, 201, "POST", path, name, json=body)
        token = asked["link"].rpartition("/")[2]
        shown = self.read(f"/v1/me/consent-requests/{token}", "a citizen: reads the request")
        text = {"text_sha256": shown["text"]["sha256"]}
        held = self.write(shown["grant"], "a citizen: grants", text)
        name = "a party: learns of the grant"
        granted = self.as_party(party, 200, "GET", f"{path}/{asked['id']}", name)
        return granted["subject"], held["id"]

    def register_device(self) -> None:
        """A key pair of the citizen's own."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        public = jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        jwk = {name: public[name] for name in ("kty", "crv", "x", "y")}
        body = {"name": "示例手机", "jwk": jwk}
        device = self.write("/v1/me/devices", "a citizen: registers a device", body, 201)
        self._kid = device["kid"]

    def signed(self, draft: dict[str, Any]) -> str:
        """What was shown, signed by the device."""
        claims = {name: draft[name] for name in CLAIMS if draft[name] is not None}
        fields = {"typ": "qjf-commitment+jws", "kid": self._kid}
        return jwt.encode(claims, self._key, algorithm="ES256", headers=fields)

    def _stay_signed_in(self) -> None:
        if time.monotonic() - self._signed_in > SESSION_S:
            self.sign_in()

    def _sent_on(self, method: str, path: str, name: str, **given: Any) -> str:
        answer = self.expect(303, method, path, name, allow_redirects=False, **given)
        return str(urljoin(answer.url, answer.headers["location"]))
