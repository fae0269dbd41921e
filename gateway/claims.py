"""The kinds of signed token and what each says: `typ`, algorithms, claims, longest life.

The rules are data, one row a kind; `gateway/jose.py` applies them.
"""

from __future__ import annotations

import datetime
import enum
import uuid
from typing import Annotated, Any, Final, Literal

import msgspec

from gateway.jwk import Alg

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
#: Seconds since the epoch (RFC 7519 NumericDate), whole and before the year 10000.
Seconds = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]


class Kind(enum.Enum):
    """The kinds of token. Each has its own `typ`, algorithms, claims and longest life."""

    ACCESS = "access"  # RFC 9068, made by this gateway for a party
    ASSERTION = "assertion"  # RFC 7523 client authentication, made by a party
    ID = "id"  # OpenID Connect, made by the city's identity provider
    COMMITMENT = "commitment"  # a citizen's signed promise, made by a device key
    RECOGNITION = "recognition"  # a city's word on its citizen to another city (RFC 7523 grant)
    STATUS_LIST = "status-list"  # which of such words still stand (Token Status List)
    TRUST_LIST = "trust-list"  # the region's list of cities
    AGREEMENT = "agreement"  # what an operator of a city says about an agreement with another


#: An RFC 7638 thumbprint by SHA-256, base64url.
Thumbprint = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{43}\Z")]


class _Closed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a token: what it may say is closed."""


class Confirmation(_Closed, frozen=True):
    """The key that the bearer must prove (RFC 7800, RFC 9449 6.1)."""

    jkt: Thumbprint


class AccessClaims(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an access token of this gateway says (RFC 9068 2.2), and nothing else."""

    iss: Name
    sub: Name
    aud: Name
    client_id: Name
    jti: Name
    iat: Seconds
    exp: Seconds
    #: As much as a token of 8 KiB has room for: a party may take part in a hundred scenarios.
    scope: Annotated[str, msgspec.Meta(max_length=4096)]
    ckid: Name  # the client key whose assertion bought this token
    prv: Annotated[int, msgspec.Meta(ge=0)]  # the party's revision at that moment
    #: The key that it is bound to; without one it is a Bearer token.
    cnf: Confirmation | msgspec.UnsetType = msgspec.UNSET


class AssertionClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What a party says to authenticate (RFC 7523 3); further claims are ignored."""

    iss: Name
    sub: Name
    aud: Name
    jti: Annotated[str, msgspec.Meta(min_length=8, max_length=128)]
    iat: Seconds
    exp: Seconds
    nbf: Seconds = 0


class IdClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What an identity provider says of a citizen (OIDC Core 2); others by `Passed.members`."""

    iss: Name
    sub: Name
    aud: Name
    nonce: Name
    iat: Seconds
    exp: Seconds
    nbf: Seconds = 0
    azp: Name | None = None


class CommitmentClaims(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a citizen signs: the very text shown, by its hash, for one subject and one nonce.

    `exp` ends the window for signing, not the promise.
    """

    template: Name
    template_version: Name
    text_sha256: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{43}\Z|\A[0-9a-f]{64}\Z")]
    scenario: Name
    subject: Name
    nonce: Name
    iat: Seconds
    exp: Seconds
    party: Name | None = None


class ProofClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What one request says of itself in a DPoP proof (RFC 9449 4.2); further claims are ignored.

    It is none of the kinds below: it brings its own key, so no registry vouches for it.
    """

    jti: Annotated[str, msgspec.Meta(pattern=r"\A[\x21-\x7e]{8,128}\Z")]
    htm: Annotated[str, msgspec.Meta(max_length=16)]
    htu: Annotated[str, msgspec.Meta(pattern=r"\A[\x21-\x7e]{1,2048}\Z")]
    iat: Seconds
    exp: Seconds | None = None
    nbf: Seconds = 0
    ath: Annotated[str, msgspec.Meta(max_length=128)] | None = None
    nonce: Annotated[str, msgspec.Meta(max_length=128)] | None = None


CityCode = Annotated[str, msgspec.Meta(pattern=r"\A[1-9][0-9]{5}\Z")]  # GB/T 2260
ScenarioId = Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z0-9_]{0,39}\Z")]
SchemeId = Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z0-9-]{2,63}\Z")]
Version = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
Scenarios = Annotated[tuple[ScenarioId, ...], msgspec.Meta(min_length=1, max_length=100)]


class Recognition(_Closed, frozen=True):
    """What a city says of its citizen: the lowest tier that suffices, and for what."""

    scheme: SchemeId
    scheme_version: Version
    tier: Annotated[str, msgspec.Meta(pattern=r"\A[A-Z][A-Z0-9]{0,7}\Z")]
    scenarios: Scenarios
    as_of: datetime.date
    consent_id: uuid.UUID
    policy_revision: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class StatusEntry(_Closed, frozen=True):
    """Which bit of which list (Token Status List 6.2)."""

    idx: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
    uri: Annotated[str, msgspec.Meta(min_length=8, max_length=256)]


class Status(_Closed, frozen=True):
    """Where the token's status is told (Token Status List 6.1)."""

    status_list: StatusEntry


class RecognitionClaims(_Closed, frozen=True):
    """The grant of one city to another, about one citizen (docs/protocol/recognition.md 5)."""

    iss: Name
    aud: Name
    client_id: CityCode
    sub: Name
    jti: uuid.UUID
    iat: Seconds
    exp: Seconds
    cnf: Confirmation
    recognition: Recognition
    status: Status


class StatusBits(_Closed, frozen=True):
    """The bits themselves, one an entry: base64url of zlib (Token Status List 4.1, 4.2)."""

    bits: Literal[1]
    lst: Annotated[str, msgspec.Meta(min_length=8, max_length=256 * 1024)]


class StatusListClaims(_Closed, frozen=True):
    """A status list as a token (Token Status List 5.1). `ttl` is seconds; `sub` its address.

    `iat` is the instant whose bits these are.
    """

    iss: Name
    sub: Name
    iat: Seconds
    exp: Seconds
    ttl: Annotated[int, msgspec.Meta(ge=1, le=30)]
    status_list: StatusBits


class TrustListClaims(_Closed, frozen=True):
    """The region's list; its members are read one by one (gateway/recognition/trust_list.py)."""

    iss: Name
    sub: Name
    iat: Seconds
    exp: Seconds
    ttl: Annotated[int, msgspec.Meta(ge=1, le=20)]
    serial: Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
    cities: Annotated[tuple[msgspec.Raw, ...], msgspec.Meta(max_length=400)]
    agreements: Annotated[tuple[msgspec.Raw, ...], msgspec.Meta(max_length=1_000)]


class SchemeName(_Closed, frozen=True):
    """A recognition scheme at a version."""

    id: SchemeId
    version: Version


class AgreementClaims(_Closed, frozen=True):
    """What one operator of `iss` says about an agreement in the region `aud`; `iat` orders it.

    It has no end of its own, for a signature under an agreement stands until another act.
    `scenarios`, `scheme`, `from_` and `to` (Shanghai's days, `to` exclusive) are the terms; they
    belong to `sign` alone.
    """

    iss: Name
    aud: Name
    iat: Seconds
    agreement: Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9-]{3,64}\Z")]
    act: Literal["sign", "suspend", "resume", "end"]
    cities: tuple[CityCode, CityCode]
    scenarios: Scenarios | msgspec.UnsetType = msgspec.UNSET
    scheme: SchemeName | msgspec.UnsetType = msgspec.UNSET
    from_: datetime.date | msgspec.UnsetType = msgspec.field(name="from", default=msgspec.UNSET)
    to: datetime.date | msgspec.UnsetType = msgspec.UNSET


Claims = (
    AccessClaims
    | AssertionClaims
    | IdClaims
    | CommitmentClaims
    | RecognitionClaims
    | StatusListClaims
    | TrustListClaims
    | AgreementClaims
)


#: The longest token that a party, a citizen or a city shows at an endpoint, in characters.
SHOWN_CHARS: Final = 8 * 1024


class Rule(msgspec.Struct, frozen=True):
    """What holds for one kind of token."""

    types: tuple[str | None, ...]  # the first is what we write; None stands for an absent typ
    algs: frozenset[Alg]
    decode: msgspec.json.Decoder[Claims]
    life_s: int  # 0: it has no `exp`, for what it says ends otherwise
    chars: int = SHOWN_CHARS


def _rule(
    types: tuple[str | None, ...],
    algs: set[Alg],
    claims: Any,
    life_s: int,
    chars: int = SHOWN_CHARS,
) -> Rule:
    return Rule(types, frozenset(algs), msgspec.json.Decoder(claims, strict=True), life_s, chars)


_BOTH = {Alg.ES256, Alg.EDDSA}

# Client libraries write typ JWT into assertions, identity providers often none into ID tokens.
# Neither can pass for the other: keys are registered for one kind and one issuer.
RULES: Final = {
    Kind.ACCESS: _rule(("at+jwt",), {Alg.ES256}, AccessClaims, 300),
    Kind.ASSERTION: _rule(("client-authentication+jwt", "JWT"), _BOTH, AssertionClaims, 300),
    Kind.ID: _rule(("JWT", None), _BOTH, IdClaims, 3600),
    Kind.COMMITMENT: _rule(("qjf-commitment+jws",), {Alg.ES256}, CommitmentClaims, 900),
    Kind.RECOGNITION: _rule(("recognition+jwt",), _BOTH, RecognitionClaims, 60),
    # What is fetched from an address of the trust list may be longer than what strangers send.
    Kind.STATUS_LIST: _rule(("statuslist+jwt",), _BOTH, StatusListClaims, 60, 256 * 1024),
    Kind.TRUST_LIST: _rule(("trust-list+jwt",), _BOTH, TrustListClaims, 60, 4 * 1024 * 1024),
    Kind.AGREEMENT: _rule(("recognition-agreement+jws",), _BOTH, AgreementClaims, 0),
}
