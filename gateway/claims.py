"""The kinds of signed token and what each says: `typ`, algorithms, claims, longest life.

The rules are data, one row a kind; `gateway/jose.py` applies them.
"""

from __future__ import annotations

import enum
from typing import Annotated, Any, Final

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


Claims = AccessClaims | AssertionClaims | IdClaims | CommitmentClaims


class Rule(msgspec.Struct, frozen=True):
    """What holds for one kind of token."""

    types: tuple[str | None, ...]  # the first is what we write; None stands for an absent typ
    algs: frozenset[Alg]
    decode: msgspec.json.Decoder[Claims]
    life_s: int


def _rule(types: tuple[str | None, ...], algs: set[Alg], claims: Any, life_s: int) -> Rule:
    return Rule(types, frozenset(algs), msgspec.json.Decoder(claims, strict=True), life_s)


_BOTH = {Alg.ES256, Alg.EDDSA}

# Client libraries write typ JWT into assertions, identity providers often none into ID tokens.
# Neither can pass for the other: keys are registered for one kind and one issuer.
RULES: Final = {
    Kind.ACCESS: _rule(("at+jwt",), {Alg.ES256}, AccessClaims, 300),
    Kind.ASSERTION: _rule(("client-authentication+jwt", "JWT"), _BOTH, AssertionClaims, 300),
    Kind.ID: _rule(("JWT", None), _BOTH, IdClaims, 3600),
    Kind.COMMITMENT: _rule(("qjf-commitment+jws",), {Alg.ES256}, CommitmentClaims, 900),
}
