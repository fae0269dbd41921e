"""Compact JWS made by hand (RFC 7515), so that any part of one can be wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

#: The order of P-256.
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

#: In a document's members: leave this one out.
GONE: Any = ...


def b64(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def dumps(members: dict[str, Any]) -> bytes:
    """JSON of an object, without the members that are `GONE`."""
    kept = {name: value for name, value in members.items() if value is not GONE}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()


class Pair(NamedTuple):
    """A throw-away key pair, made from its label."""

    label: str
    private: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

    @property
    def alg(self) -> str:
        return "ES256" if isinstance(self.private, ec.EllipticCurvePrivateKey) else "EdDSA"

    @property
    def required(self) -> dict[str, str]:
        """The members that define the public key (RFC 7638 3.2, RFC 8037 2)."""
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            raw = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            return {"crv": "Ed25519", "kty": "OKP", "x": b64(raw)}
        point = self.private.public_key().public_numbers()
        x, y = b64(point.x.to_bytes(32)), b64(point.y.to_bytes(32))
        return {"crv": "P-256", "kty": "EC", "x": x, "y": y}

    @property
    def jwk(self) -> dict[str, str]:
        """The public key, named by its label."""
        return {**self.required, "kid": self.label, "alg": self.alg, "use": "sig"}

    @property
    def secret(self) -> dict[str, str]:
        """The whole pair."""
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            d = self.private.private_bytes_raw()
        else:
            d = self.private.private_numbers().private_value.to_bytes(32)
        return {**self.required, "d": b64(d), "kid": self.label, "alg": self.alg}

    @property
    def thumbprint(self) -> str:
        """RFC 7638 by SHA-256."""
        return b64(hashlib.sha256(dumps(self.required)).digest())

    def sign(self, text: bytes) -> bytes:
        """The 64 bytes of a signature, the same each time."""
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return self.private.sign(text)
        return joined(*self.scalars(text))

    def der(self, text: bytes) -> bytes:
        """An ECDSA signature as X.509 writes it, by the nonce of RFC 6979."""
        assert isinstance(self.private, ec.EllipticCurvePrivateKey)
        return self.private.sign(text, ec.ECDSA(SHA256(), deterministic_signing=True))

    def scalars(self, text: bytes) -> tuple[int, int]:
        """r and s of an ECDSA signature."""
        return decode_dss_signature(self.der(text))


def edwards(label: str) -> Pair:
    """The Ed25519 pair of a label."""
    seed = hashlib.sha256(label.encode()).digest()
    return Pair(label, ed25519.Ed25519PrivateKey.from_private_bytes(seed))


def pair(label: str) -> Pair:
    """The P-256 pair of a label."""
    scalar = int.from_bytes(hashlib.sha256(label.encode()).digest()) % (N - 1) + 1
    return Pair(label, ec.derive_private_key(scalar, ec.SECP256R1()))


def joined(r: int, s: int) -> bytes:
    """A signature as JWS writes it (RFC 7518 3.4)."""
    return r.to_bytes(32) + s.to_bytes(32)


def header(typ: str, key: Pair, /, **changes: Any) -> dict[str, Any]:
    """The header of a document by a key, with changes."""
    return {"alg": key.alg, "kid": key.label, "typ": typ} | changes


def signed(head: dict[str, Any] | bytes, body: dict[str, Any] | bytes, key: Pair) -> str:
    """A compact JWS over any header and payload."""
    text = message(head, body)
    return f"{text}.{b64(key.sign(text.encode()))}"


def message(head: dict[str, Any] | bytes, body: dict[str, Any] | bytes) -> str:
    """What is signed."""
    raw = [part if isinstance(part, bytes) else dumps(part) for part in (head, body)]
    return f"{b64(raw[0])}.{b64(raw[1])}"


def hmac_signed(head: dict[str, Any], body: dict[str, Any], secret: bytes) -> str:
    """A compact JWS by HS256."""
    text = message(head, body)
    return f"{text}.{b64(hmac.digest(secret, text.encode(), 'sha256'))}"
