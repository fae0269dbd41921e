"""A party's own key pair, as JWKs: made for those who have no tool for it.

The private half is the party's alone. The gateway never keeps it: it is written to the file that
was asked for, or handed to a demonstration that plays the party.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.jwk import Alg, Key, public_jwk, thumbprint, unb64url
from gateway.keys import b64url


class ClientKey(msgspec.Struct, frozen=True):
    """Both halves as JWKs (RFC 7517), named by their thumbprint (RFC 7638)."""

    public: dict[str, str]
    private: dict[str, str]


def new_client_key() -> ClientKey:
    """A fresh EC P-256 key pair for ES256."""
    secret = ec.generate_private_key(ec.SECP256R1())
    point = secret.public_key()
    public = public_jwk(Key(thumbprint(point), Alg.ES256, point))
    return ClientKey(
        public, {**public, "d": b64url(secret.private_numbers().private_value.to_bytes(32))}
    )


def private_key(jwk: Mapping[str, str]) -> ec.EllipticCurvePrivateKey:
    """The private key of a JWK that this module made (RFC 7518 6.2.2)."""
    return ec.derive_private_key(int.from_bytes(unb64url(jwk["d"]), "big"), ec.SECP256R1())
