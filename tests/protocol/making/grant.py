"""The honest grant, and the world in which it is accepted."""

from __future__ import annotations

import base64
from typing import Any

from tests.protocol.making.jws import N, Pair, b64, header, joined, signed
from tests.protocol.making.world import (
    ISSUERS,
    KEYS,
    NOW,
    SCHEME_NAME,
    A,
    B,
    C,
    entry,
    key,
    scheme,
    uid,
)

TYP = "recognition+jwt"
LIST = f"{ISSUERS[A]}/status-lists/1"
BY = key(A, "grant")
JKT = KEYS["visitor"].thumbprint


def said(**changes: Any) -> dict[str, Any]:
    """What the grant says of the citizen, with changes."""
    return {
        "scheme": SCHEME_NAME["id"],
        "scheme_version": SCHEME_NAME["version"],
        "tier": "T1",
        "scenarios": ["library"],
        "as_of": "2026-09-01",
        "consent_id": uid("consent"),
        "policy_revision": "0123456789abcdef" * 4,
    } | changes


def claims(**changes: Any) -> dict[str, Any]:
    """The payload of the honest grant, with changes."""
    return {
        "iss": ISSUERS[A],
        "aud": ISSUERS[B],
        "client_id": B,
        "sub": "pairwise-of-A-for-B-0001",
        "jti": uid("grant"),
        "iat": NOW - 5,
        "exp": NOW + 55,
        "cnf": {"jkt": JKT},
        "recognition": said(),
        "status": {"status_list": {"idx": 4711, "uri": LIST}},
    } | changes


def grant(by: Pair = BY, /, **changes: Any) -> str:
    """The honest grant, with changes to its payload."""
    return signed(header(TYP, by), claims(**changes), by)


def agreed(low: str, high: str, **changes: Any) -> dict[str, Any]:
    """An agreement that is in force, with changes."""
    terms = {"scenarios": ["library", "rent"], "scheme": SCHEME_NAME}
    return {"cities": [low, high], **terms} | changes


ATTEMPT = {
    "browser": "browser-1",
    "home": A,
    "jkt": JKT,
    "scenarios": ["library", "rent"],
    "returned": True,
    "presented": False,
}
STATUS = {"uri": LIST, "iat": NOW - 3, "fetch_began": NOW - 2, "entries": 131072, "ones": [12, 999]}
GIVEN: dict[str, Any] = {
    "now": NOW,
    "issuer": ISSUERS[B],
    "assertion": grant(),
    "client": B,
    "browser": "browser-1",
    "proof_jkt": JKT,
    "attempt": ATTEMPT,
    "cities": [entry(A), entry(B), entry(C)],
    "agreements": [agreed(A, B), agreed(C, B, scenarios=["library"])],
    "trust_until": NOW + 40,
    "scheme": scheme(),
    "accepted": [],
    "last_iat": None,
    "status": STATUS,
}


def follows(**changes: Any) -> dict[str, Any]:
    """What an accepted grant opens, with changes."""
    return {"home": A, "tier": "T1", "band": 2, "scenarios": ["library"], "limits": {}} | changes


def twin() -> str:
    """The honest grant by its other signature."""
    text, _, signature = grant().rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    return f"{text}.{b64(joined(r, N - s))}"


def status(uri: str = LIST, idx: Any = 4711) -> dict[str, Any]:
    """A place in a status list."""
    return {"status_list": {"idx": idx, "uri": uri}}
