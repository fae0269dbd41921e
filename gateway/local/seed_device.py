"""A seeded citizen's own device: it signs promises, and its private key is nowhere else.

The key is thrown away when seeding ends, so what it signed can be verified for ever and nothing
can ever be signed with it again.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec

from gateway.claims import CommitmentClaims, Kind
from gateway.commitments import Draft
from gateway.jose import sign
from gateway.jwk import Alg, Key, public_jwk, thumbprint


class SeedDevice:
    """A fresh P-256 key, named by its thumbprint (RFC 7638)."""

    def __init__(self) -> None:
        self._secret = ec.generate_private_key(ec.SECP256R1())
        public = self._secret.public_key()
        self._kid = thumbprint(public)
        self.jwk = public_jwk(Key(self._kid, Alg.ES256, public))

    def sign(self, draft: Draft) -> str:
        """The commitment to a text as it was shown, as a compact JWS."""
        claims = CommitmentClaims(
            template=draft.text.template,
            template_version=draft.text.version,
            text_sha256=draft.text.text_sha256.hex(),
            scenario=draft.scenario,
            subject=draft.subject,
            nonce=draft.nonce,
            iat=draft.iat,
            exp=draft.exp,
            party=draft.party,
        )
        return sign(Kind.COMMITMENT, claims, self._kid, self._secret)
