"""The guard in front of every signed token (RFC 7515, RFC 7519, RFC 8725, FAPI 2.0).

PyJWT checks the signature and nothing else; what it lets pass (several spellings of one token,
`exp` as a string, audiences in a list, keys that the token itself brings) is refused here first.
The rules, in the order in which they cost least:

1. size and shape: one canonical spelling, so one token is one text;
2. a closed header of `alg`, `kid`, `typ`: nothing a token says can choose its key or its rules;
3. a `typ` of exactly the expected kind, so that no kind passes for another;
4. claims of fixed types, times as whole seconds, exact issuer and audience, a capped life;
5. the key by (kind, issuer, kid) from our own registry, its algorithm the key's own;
6. the signature, last, for it costs a hundred times the rest, and only where the caller
   tolerates one more from whom the claims name.

A refusal is a value with a reason for the audit record; callers answer every reason alike.
"""

from __future__ import annotations

import enum
import hashlib
import re
from collections.abc import Callable
from typing import Annotated, Any, Final, Protocol

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.claims import (
    RULES,
    SHOWN_CHARS,
    AgreementClaims,
    AssertionClaims,
    Claims,
    CommitmentClaims,
    IdClaims,
    Kind,
    Rule,
    StatusListClaims,
    TrustListClaims,
)
from gateway.clock import SECOND_US
from gateway.errors import Malformed
from gateway.jwk import Alg, Key, unb64url
from gateway.scan import Limits, check

MAX_TOKEN_CHARS: Final = SHOWN_CHARS

#: How far in the future `iat` and `nbf` may lie. FAPI 2.0 asks to accept 10 s, for clocks differ.
FUTURE_S: Final = 10

Tolerates = Callable[[Any], bool]

_SHAPE = re.compile(r"\A[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\Z")
#: Of what is shown at an endpoint: header and payload, as JSON.
LIMITS: Final = Limits(depth=8, members=128, string=4096)
#: Of what cities publish: lists, whose own decoders bound what is in them.
_PUBLISHED = Limits(depth=12, members=1_000_000, string=256 * 1024)


class Reason(enum.StrEnum):
    """Why a token does not pass: for the audit record, never for the caller."""

    SHAPE = "shape"
    HEADER = "header"
    TYPE = "type"
    CLAIMS = "claims"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    LIFETIME = "lifetime"
    EXPIRED = "expired"
    NOT_YET = "not-yet"
    KEY = "key"
    ALGORITHM = "algorithm"
    SIGNATURE = "signature"
    SHED = "shed"  # the signature was not looked at
    # Of DPoP proofs alone:
    ABSENT = "absent"
    REPEATED = "repeated"
    METHOD = "method"
    URL = "url"
    TOKEN = "token"  # noqa: S105 - made for another access token
    BINDING = "binding"  # by another key than the token, or the party, is bound to
    NONCE = "nonce"
    REPLAYED = "replayed"


class Passed(msgspec.Struct, frozen=True):
    """A token that passed, with what it says."""

    kind: Kind
    kid: str
    claims: Claims
    payload: bytes
    message_sha256: bytes
    """Names the message whatever its signature: every ES256 signature has a twin (r, n - s) that
    is as valid, so replay is refused by (iss, jti) or by this, never by the token's text."""

    def members(self) -> dict[str, Any]:
        """Every member of the payload, for claims whose names are settings."""
        members: dict[str, Any] = msgspec.json.decode(self.payload)
        return members


class Refused(msgspec.Struct, frozen=True):
    """A token that did not pass."""

    reason: Reason


class Keys(Protocol):
    """Who may sign what."""

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        """The key that this issuer registered under this name for this kind of token."""
        ...


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    alg: str
    kid: Annotated[str, msgspec.Meta(pattern=r"\A[\x21-\x7e]{1,128}\Z")]
    typ: str | msgspec.UnsetType = msgspec.UNSET


class _Issuer(msgspec.Struct, frozen=True):
    iss: str


_decode_issuer = msgspec.json.Decoder(_Issuer, strict=True).decode


_decode_header = msgspec.json.Decoder(_Header, strict=True).decode
_signatures = jwt.PyJWS(algorithms=[alg.value for alg in Alg])


def verify(
    compact: str,
    kind: Kind,
    keys: Keys,
    *,
    issuer: str | None,
    audience: str | None,
    now_us: int,
    tolerates: Tolerates | None = None,
) -> Passed | Refused:
    """Whether a compact JWS is a token of this kind, from this issuer, for this audience, now.

    `issuer` is required but for assertions, where None takes the token's own `iss` to look up
    the key; the key then proves it. For a commitment it names the citizen's device owner, and
    `audience` is None, for it has neither claim. For a status list or the trust list `audience` is
    the address it was fetched from, which is its `sub`. `now_us` is microseconds since the epoch.
    `tolerates`, where given, is asked with the claims before the signature is looked at.
    """
    try:
        return _verify(compact, kind, keys, issuer, audience, now_us // SECOND_US, tolerates)
    except Stop as stop:
        return Refused(stop.reason)


def kid_of(compact: str) -> str | None:
    """The key name that a token gives, unverified: good only for deciding to fetch keys."""
    try:
        header = decode(segments(compact)[0], _decode_header, Reason.HEADER, LIMITS)
    except Stop:
        return None
    return str(header.kid)


def issuer_of(compact: str, kind: Kind) -> str | None:
    """Who a token of this kind says it is from, unverified: good only for finding whose keys to
    verify it with."""
    try:
        payload = segments(compact, RULES[kind].chars)[1]
        return _decode_issuer(payload).iss
    except (Stop, ValueError, msgspec.DecodeError, RecursionError):
        return None


def sign(kind: Kind, claims: Claims, kid: str, key: ec.EllipticCurvePrivateKey) -> str:
    """A compact ES256 token of a kind."""
    headers = {"kid": kid, "typ": RULES[kind].types[0]}
    return _signatures.encode(msgspec.json.encode(claims), key, Alg.ES256.value, headers)


def token_key(compact: str) -> bytes:
    """The only key for a cache of verified tokens: the whole text, its signature included.

    Without the signature a cached token would vouch for any signature.
    """
    return hashlib.sha256(compact.encode("ascii", "replace")).digest()


class Stop(Exception):
    """A token does not pass; what is public of this module says so by a value."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason


def _verify(
    compact: str,
    kind: Kind,
    keys: Keys,
    issuer: str | None,
    audience: str | None,
    now_s: int,
    tolerates: Tolerates | None,
) -> Passed:
    rule = RULES[kind]
    header_json, payload, signature = segments(compact, rule.chars)
    header = decode(header_json, _decode_header, Reason.HEADER, LIMITS)
    if (None if header.typ is msgspec.UNSET else header.typ) not in rule.types:
        raise Stop(Reason.TYPE)
    limits = LIMITS if rule.chars == SHOWN_CHARS else _PUBLISHED
    claims = decode(payload, rule.decode.decode, Reason.CLAIMS, limits)
    signer = _check_parties(kind, claims, issuer, audience)
    _check_times(claims, rule, now_s)
    key = keys.find(kind, signer, header.kid)
    if key is None:
        raise Stop(Reason.KEY)
    # The algorithm is the key's: a header that names another is a confusion attack.
    if header.alg != key.alg.value or key.alg not in rule.algs:
        raise Stop(Reason.ALGORITHM)
    if tolerates is not None and not tolerates(claims):
        raise Stop(Reason.SHED)
    check_signature(compact, signature, key)
    message = compact.rpartition(".")[0].encode("ascii")
    return Passed(kind, header.kid, claims, payload, hashlib.sha256(message).digest())


def segments(compact: str, most: int = MAX_TOKEN_CHARS) -> list[bytes]:
    """Header, payload and signature of a compact JWS of so many characters at most.

    Raises `Stop` for every spelling but the canonical one.
    """
    if len(compact) > most or not _SHAPE.match(compact):
        raise Stop(Reason.SHAPE)
    try:
        return [unb64url(segment) for segment in compact.split(".")]
    except ValueError:
        raise Stop(Reason.SHAPE) from None


def decode(text: bytes, typed: Callable[[bytes], Any], otherwise: Reason, limits: Limits) -> Any:
    """What a typed decoder makes of JSON within limits; raises `Stop` with `otherwise`."""
    try:
        check(text, limits)
        return typed(text)
    except (Malformed, msgspec.DecodeError):
        raise Stop(otherwise) from None


def _check_parties(kind: Kind, claims: Claims, issuer: str | None, audience: str | None) -> str:
    """Exact issuer and audience; returns the issuer whose key must have signed."""
    if isinstance(claims, CommitmentClaims):
        if issuer is None:
            raise ValueError("a commitment is verified for a known device owner")
        return issuer
    if (issuer is None and kind is not Kind.ASSERTION) or audience is None:
        # No configuration may silently skip a check, so a missing one is a fault of ours.
        raise ValueError(f"{kind} is verified for a known issuer and audience only")
    if issuer is not None and claims.iss != issuer:
        raise Stop(Reason.ISSUER)
    # RFC 7523 3: a client authenticates as itself.
    if isinstance(claims, AssertionClaims) and claims.sub != claims.iss:
        raise Stop(Reason.ISSUER)
    if _meant_for(claims) != audience:
        raise Stop(Reason.AUDIENCE)
    if isinstance(claims, IdClaims) and claims.azp not in (None, audience):
        raise Stop(Reason.AUDIENCE)
    return claims.iss


def _meant_for(claims: Claims) -> str | None:
    """The audience; what is published is for everybody and names where it is published."""
    if isinstance(claims, StatusListClaims | TrustListClaims):
        return claims.sub
    return None if isinstance(claims, CommitmentClaims) else claims.aud


def _check_times(claims: Claims, rule: Rule, now_s: int) -> None:
    if not isinstance(claims, AgreementClaims):
        if not claims.iat < claims.exp <= claims.iat + rule.life_s:
            raise Stop(Reason.LIFETIME)
        if now_s >= claims.exp:
            raise Stop(Reason.EXPIRED)
    if max(claims.iat, getattr(claims, "nbf", 0)) > now_s + FUTURE_S:
        raise Stop(Reason.NOT_YET)


def check_signature(compact: str, signature: bytes, key: Key) -> None:
    """Raises `Stop` unless the key, by its own algorithm, made the signature."""
    # 64 bytes of r and s, or of R and S: DER and every other length is another spelling.
    if len(signature) != 64:
        raise Stop(Reason.SIGNATURE)
    try:
        _signatures.decode(compact, key.public, algorithms=[key.alg.value])
    except jwt.InvalidTokenError:
        raise Stop(Reason.SIGNATURE) from None
