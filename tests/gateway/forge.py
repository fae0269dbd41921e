"""A forger's workshop: tokens made by hand, so that any part of them can be wrong.

Nothing here goes through PyJWT or through the guard's own `sign`: the honest token of each kind
is built from RFC 7515 alone, which makes the guard and the workshop check each other.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.claims import Kind
from gateway.jose import Passed, Refused, verify
from gateway.jwk import Alg, Key, unb64url

NOW_S = 1_790_000_000
ISSUER = "https://party.example"
AUDIENCE = "https://gateway.example"
KID = "key-1"
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # order of P-256

PRIVATE = ec.generate_private_key(ec.SECP256R1())
STRANGER = ec.generate_private_key(ec.SECP256R1())
EDWARDS = ed25519.Ed25519PrivateKey.generate()

TYPES = {
    Kind.ACCESS: "at+jwt",
    Kind.ASSERTION: "client-authentication+jwt",
    Kind.ID: "JWT",
    Kind.COMMITMENT: "qjf-commitment+jws",
    Kind.RECOGNITION: "recognition+jwt",
    Kind.STATUS_LIST: "statuslist+jwt",
    Kind.TRUST_LIST: "trust-list+jwt",
    Kind.AGREEMENT: "recognition-agreement+jws",
}

_TIMES = {"iat": NOW_S, "exp": NOW_S + 60}
_PARTIES = {"iss": ISSUER, "aud": AUDIENCE}
CLAIMS: dict[Kind, dict[str, Any]] = {
    Kind.ACCESS: {
        **_PARTIES,
        **_TIMES,
        "sub": "party-1",
        "client_id": "party-1",
        "jti": "0123456789abcdef",
        "scope": "scenario:rent",
        "ckid": KID,
        "prv": 7,
    },
    Kind.ASSERTION: {**_PARTIES, **_TIMES, "sub": ISSUER, "jti": "0123456789abcdef"},
    Kind.ID: {**_PARTIES, **_TIMES, "sub": "citizen", "nonce": "n-0123456789"},
    Kind.COMMITMENT: {
        **_TIMES,
        "template": "rent",
        "template_version": "1.0.0",
        "text_sha256": "0" * 64,
        "scenario": "rent",
        "subject": "s-1",
        "nonce": "n-1",
    },
    Kind.RECOGNITION: {
        **_PARTIES,
        **_TIMES,
        "client_id": "330200",
        "sub": "s-1",
        "jti": "0198c0de-0000-4000-8000-000000000001",
        "cnf": {"jkt": "A" * 43},
        "recognition": {
            "scheme": "example-delta",
            "scheme_version": 1,
            "tier": "T1",
            "scenarios": ["library"],
            "as_of": "2026-09-01",
            "consent_id": "0198c0de-0000-4000-8000-000000000002",
            "policy_revision": "0" * 64,
        },
        "status": {"status_list": {"idx": 7, "uri": f"{ISSUER}/status-lists/1"}},
    },
    Kind.STATUS_LIST: {
        **_TIMES,
        "iss": ISSUER,
        "sub": AUDIENCE,
        "ttl": 15,
        "status_list": {"bits": 1, "lst": "eNrbuRgAAhcBXQ"},
    },
    Kind.TRUST_LIST: {
        **_TIMES,
        "iss": ISSUER,
        "sub": AUDIENCE,
        "ttl": 10,
        "serial": 1,
        "cities": [],
        "agreements": [],
    },
    Kind.AGREEMENT: {
        **_PARTIES,
        "iat": NOW_S,
        "agreement": "example-1",
        "act": "sign",
        "cities": ["330100", "330200"],
        "scenarios": ["library"],
        "scheme": {"id": "example-delta", "version": 1},
        "from": "2026-01-01",
        "to": "2027-01-01",
    },
}


class Registry:
    """Keys by kind, issuer and name."""

    def __init__(self) -> None:
        self.rows: dict[tuple[Kind, str, str], Key] = {}

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        return self.rows.get((kind, issuer, kid))


def registry(kinds: Any = Kind) -> Registry:
    """One key for each kind, all of the same pair: the hardest case for telling kinds apart."""
    made = Registry()
    for kind in kinds:
        made.rows[kind, ISSUER, KID] = Key(KID, Alg.ES256, PRIVATE.public_key())
        made.rows[kind, "https://other.example", "key-2"] = Key(
            "key-2", Alg.ES256, STRANGER.public_key()
        )
        made.rows[kind, ISSUER, "ed"] = Key("ed", Alg.EDDSA, EDWARDS.public_key())
    return made


KEYS = registry()


def guard(compact: str, kind: Kind, *, now_s: int = NOW_S, keys: Registry = KEYS) -> Any:
    """The guard as an endpoint of this kind would ask it."""
    audience = None if kind is Kind.COMMITMENT else AUDIENCE
    return verify(compact, kind, keys, issuer=ISSUER, audience=audience, now_us=now_s * 1_000_000)


def passes(answer: Any) -> bool:
    assert isinstance(answer, Passed | Refused)
    return isinstance(answer, Passed)


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def header(kind: Kind, **changes: Any) -> bytes:
    """The honest header with changes; a member set to `...` is left out."""
    return dumps({"alg": "ES256", "kid": KID, "typ": TYPES[kind]} | changes)


def payload(kind: Kind, **changes: Any) -> bytes:
    """The honest payload with changes; a member set to `...` is left out."""
    return dumps(CLAIMS[kind] | changes)


def dumps(members: dict[str, Any]) -> bytes:
    return json.dumps({k: v for k, v in members.items() if v is not ...}).encode()


def message(head: bytes, body: bytes) -> str:
    return f"{b64(head)}.{b64(body)}"


def scalars(text: str, key: ec.EllipticCurvePrivateKey = PRIVATE) -> tuple[int, int]:
    return decode_dss_signature(key.sign(text.encode(), ec.ECDSA(SHA256())))


def joined(r: int, s: int) -> bytes:
    return r.to_bytes(32) + s.to_bytes(32)


def token(head: bytes, body: bytes, key: ec.EllipticCurvePrivateKey = PRIVATE) -> str:
    """An ES256 token over any header and payload."""
    text = message(head, body)
    return f"{text}.{b64(joined(*scalars(text, key)))}"


def edwards_token(head: bytes, body: bytes, key: ed25519.Ed25519PrivateKey = EDWARDS) -> str:
    """An EdDSA token over any header and payload."""
    text = message(head, body)
    return f"{text}.{b64(key.sign(text.encode()))}"


def honest(kind: Kind, **changes: Any) -> str:
    return token(header(kind), payload(kind, **changes))


def hmac_token(head: bytes, body: bytes, secret: bytes, hash_name: str) -> str:
    text = message(head, body)
    return f"{text}.{b64(hmac.new(secret, text.encode(), getattr(hashlib, hash_name)).digest())}"


class Workshop:
    """Forges one kind: whose tokens they pretend to be, by which key, at what instant.

    Args:
        honest: an honest token of the kind, of which all others are made.
        private: the key that signed it.
    """

    def __init__(
        self, kind: Kind, honest: str, private: ec.EllipticCurvePrivateKey = PRIVATE
    ) -> None:
        self.kind, self.private = kind, private
        head, body, _ = honest.split(".")
        self._header: dict[str, Any] = json.loads(unb64url(head))
        self.claims: dict[str, Any] = json.loads(unb64url(body))
        self.kid: str = self._header["kid"]
        self.now_s: int = self.claims["iat"]
        self.issuer: str = self.claims.get("iss", "")
        self.audience: str = self.claims.get(self.whom, "")

    @property
    def whom(self) -> str:
        """Where it names whom it is for; what is published names where that is."""
        return "sub" if self.kind in (Kind.STATUS_LIST, Kind.TRUST_LIST) else "aud"

    def header(self, **changes: Any) -> bytes:
        """The honest header with changes; a member set to `...` is left out."""
        return dumps(self._header | changes)

    def payload(self, **changes: Any) -> bytes:
        """The honest payload with changes; a member set to `...` is left out."""
        return dumps(self.claims | changes)

    def token(self, head: bytes, body: bytes, key: ec.EllipticCurvePrivateKey | None = None) -> str:
        """A token over any header and payload, by the own key or another."""
        return token(head, body, key or self.private)

    def honest(self, **changes: Any) -> str:
        """The honest token with changes to its payload, rightly signed."""
        return self.token(self.header(), self.payload(**changes))


def workshop(kind: Kind) -> Workshop:
    """The workshop of the tokens above."""
    return Workshop(kind, honest(kind))
