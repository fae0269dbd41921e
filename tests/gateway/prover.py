"""A holder of a key that makes DPoP proofs by hand, from RFC 9449 alone, so that any part of them
can be wrong. Nothing of it comes from the gateway."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.gateway import forge

_numbers = itertools.count()

Private = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def ath(token: str) -> str:
    """The hash of an access token (RFC 9449 4.2)."""
    return forge.b64(hashlib.sha256(token.encode()).digest())


class Prover:
    """One key, and proofs by it."""

    def __init__(self, private: Private | None = None) -> None:
        self.private = private or ec.generate_private_key(ec.SECP256R1())

    @property
    def alg(self) -> str:
        return "ES256" if isinstance(self.private, ec.EllipticCurvePrivateKey) else "EdDSA"

    @property
    def jwk(self) -> dict[str, str]:
        """The public key."""
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            raw = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            return {"kty": "OKP", "crv": "Ed25519", "x": forge.b64(raw)}
        point = self.private.public_key().public_numbers()
        x, y = forge.b64(point.x.to_bytes(32)), forge.b64(point.y.to_bytes(32))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y}

    @property
    def jkt(self) -> str:
        """The thumbprint of the key (RFC 7638 3)."""
        text = json.dumps(self.jwk, sort_keys=True, separators=(",", ":"))
        return forge.b64(hashlib.sha256(text.encode()).digest())

    @property
    def secret_jwk(self) -> dict[str, str]:
        """The key with its private half, as nobody should send it."""
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            d = self.private.private_bytes_raw()
        else:
            d = self.private.private_numbers().private_value.to_bytes(32)
        return self.jwk | {"d": forge.b64(d)}

    def proof(
        self,
        method: str,
        url: str,
        now_s: int,
        *,
        token: str | None = None,
        header: dict[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        """An honest proof with changes; a member of header or claims set to `...` is left out."""
        claims = {"jti": f"proof-{next(_numbers):08}", "htm": method, "htu": url, "iat": now_s}
        if token is not None:
            claims["ath"] = ath(token)
        head = {"typ": "dpop+jwt", "alg": self.alg, "jwk": self.jwk} | (header or {})
        made = forge.dumps(head), forge.dumps(claims | changes)
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return forge.edwards_token(*made, self.private)
        return forge.token(*made, self.private)


def with_other_signature(proof: str) -> str:
    """A proof whose signature is not that of its text."""
    text, _, signature = proof.rpartition(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[7] ^= 1
    return f"{text}.{forge.b64(bytes(raw))}"
