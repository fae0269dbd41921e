"""An authenticator in software: makes ES256 credentials and signs challenges (WebAuthn 6, 7)."""

from __future__ import annotations

import hashlib
import os
import struct
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.keys import b64url

ORIGIN, HOST = "http://localhost:8700", "localhost"
PRESENT, ATTESTED = 0x01, 0x40


class Authenticator:
    """One key, at one origin, with a counter of its signatures."""

    def __init__(self, origin: str = ORIGIN, host: str = HOST) -> None:
        self.origin, self.host = origin, host
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.identifier = os.urandom(32)
        self.count = 0

    def make(self, options: dict[str, Any]) -> dict[str, Any]:
        """A credential for what a registration asks."""
        numbers = self.key.public_key().public_numbers()
        x, y = (each.to_bytes(32, "big") for each in (numbers.x, numbers.y))
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        credential = bytes(16) + struct.pack(">H", 32) + self.identifier + public
        data = self._data(PRESENT | ATTESTED) + credential
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        said = self._said("webauthn.create", options)
        return self._answer(clientDataJSON=said, attestationObject=attestation)

    def sign(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to a sign-in's challenge."""
        self.count += 1
        data = self._data(PRESENT)
        said = self._said("webauthn.get", options)
        signed = data + hashlib.sha256(said).digest()
        signature = self.key.sign(signed, ec.ECDSA(hashes.SHA256()))
        return self._answer(clientDataJSON=said, authenticatorData=data, signature=signature)

    def _data(self, flags: int) -> bytes:
        host = hashlib.sha256(self.host.encode()).digest()
        return host + struct.pack(">BI", flags, self.count)

    def _said(self, kind: str, options: dict[str, Any]) -> bytes:
        challenge = options["challenge"]
        return f'{{"type":"{kind}","challenge":"{challenge}","origin":"{self.origin}"}}'.encode()

    def _answer(self, **response: bytes) -> dict[str, Any]:
        named = b64url(self.identifier)
        return {
            "id": named,
            "rawId": named,
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {name: b64url(value) for name, value in response.items()},
        }
