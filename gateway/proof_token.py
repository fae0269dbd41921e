"""A DPoP proof as a token: signed by the very key that it brings (RFC 9449 4.2, 4.3).

The only kind whose key no registry vouches for. Its form is guarded as that of any other token
(gateway/jose.py); whether it is good for a request, `gateway/dpop.py` says.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

import msgspec

from gateway.claims import ProofClaims
from gateway.jose import LIMITS, Reason, Refused, Stop, check_signature, decode, segments
from gateway.jwk import JwkRefused, Key, parse_jwk, thumbprint

#: The `typ` of a DPoP proof (RFC 9449 4.2).
PROOF_TYPE: Final = "dpop+jwt"


class Proven(msgspec.Struct, frozen=True):
    """A DPoP proof that its own key signed: what it says, and the key's RFC 7638 thumbprint."""

    jkt: str
    claims: ProofClaims


class _ProofHeader(msgspec.Struct, frozen=True):
    """A proof's header (RFC 9449 4.2). Further members are ignored, as RFC 7515 4 asks, but for
    those that would name a second key or change what is signed: none of them may come."""

    alg: str
    typ: str
    jwk: msgspec.Raw
    jku: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    x5u: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    x5c: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    crit: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    b64: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_decode_header = msgspec.json.Decoder(_ProofHeader, strict=True).decode
_decode_claims = msgspec.json.Decoder(ProofClaims, strict=True).decode


def verify_proof(
    compact: str, fault: Callable[[ProofClaims, str], Reason | None]
) -> Proven | Refused:
    """Whether a compact JWS is a DPoP proof, signed by the very key that it brings (RFC 9449 4.3).

    `fault` is asked, with the claims and the key's thumbprint, what is wrong for this request,
    before the signature is looked at. It must check all of that: here nothing but the form is.
    """
    try:
        return _verify_proof(compact, fault)
    except Stop as stop:
        return Refused(stop.reason)


def _verify_proof(compact: str, fault: Callable[[ProofClaims, str], Reason | None]) -> Proven:
    header_json, payload, signature = segments(compact)
    header: _ProofHeader = decode(header_json, _decode_header, Reason.HEADER, LIMITS)
    others = header.jku, header.x5u, header.x5c, header.crit, header.b64
    if any(member is not msgspec.UNSET for member in others):
        raise Stop(Reason.HEADER)
    if header.typ != PROOF_TYPE:
        raise Stop(Reason.TYPE)
    claims: ProofClaims = decode(payload, _decode_claims, Reason.CLAIMS, LIMITS)
    found = _brought(bytes(header.jwk))
    if found is None:
        raise Stop(Reason.KEY)
    key, jkt = found
    if header.alg != key.alg.value:
        raise Stop(Reason.ALGORITHM)
    if (reason := fault(claims, jkt)) is not None:
        raise Stop(reason)
    check_signature(compact, signature, key)
    return Proven(jkt, claims)


@lru_cache(maxsize=1024)
def _brought(jwk: bytes) -> tuple[Key, str] | None:
    """A key that a proof brings, with its thumbprint: a client shows the same one every time."""
    try:
        key = parse_jwk(jwk)
    except JwkRefused:
        return None
    return key, thumbprint(key.public)
