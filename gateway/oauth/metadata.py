"""What the gateway publishes about itself as an authorization server (RFC 8414, RFC 7517)."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from gateway.jwk import Alg, Key, public_jwk
from gateway.oauth.code import AUTHORIZATION_CODE
from gateway.oauth.exchange import JWT
from gateway.tokens import SCOPE_PREFIX

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
PAR_PATH = "/oauth/par"
AUTHORIZE_PATH = "/oauth/authorize"
JWKS_PATH = "/.well-known/jwks.json"


class Metadata(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 8414 2. What has a default is there where this city recognises others alone: without an
    authorization endpoint there is no response type either."""

    issuer: str
    token_endpoint: str
    jwks_uri: str
    scopes_supported: list[str]
    response_types_supported: list[str]
    grant_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    token_endpoint_auth_signing_alg_values_supported: list[str]
    dpop_signing_alg_values_supported: list[str]  # RFC 9449 5.1
    authorization_endpoint: str | None = None
    pushed_authorization_request_endpoint: str | None = None  # RFC 9126 5
    require_pushed_authorization_requests: bool | None = None
    code_challenge_methods_supported: list[str] | None = None  # RFC 7636
    authorization_response_iss_parameter_supported: bool | None = None  # RFC 9207 3
    #: draft-ietf-oauth-identity-chaining: what a token can be exchanged for.
    identity_chaining_requested_token_types_supported: list[str] | None = None


class KeySet(msgspec.Struct, frozen=True):
    """RFC 7517 5: public keys only."""

    keys: list[dict[str, str]]


def metadata(issuer: str, scenarios: Iterable[str], grant_types: list[str]) -> Metadata:
    """The server's metadata."""
    own = Metadata(
        issuer=issuer,
        token_endpoint=issuer + TOKEN_PATH,
        jwks_uri=issuer + JWKS_PATH,
        scopes_supported=[SCOPE_PREFIX + scenario for scenario in scenarios],
        response_types_supported=[],
        grant_types_supported=grant_types,
        token_endpoint_auth_methods_supported=["private_key_jwt"],
        token_endpoint_auth_signing_alg_values_supported=[Alg.ES256.value, Alg.EDDSA.value],
        dpop_signing_alg_values_supported=[Alg.ES256.value, Alg.EDDSA.value],
    )
    if AUTHORIZATION_CODE not in grant_types:
        return own
    return msgspec.structs.replace(
        own,
        response_types_supported=["code"],
        authorization_endpoint=issuer + AUTHORIZE_PATH,
        pushed_authorization_request_endpoint=issuer + PAR_PATH,
        require_pushed_authorization_requests=True,
        code_challenge_methods_supported=["S256"],
        authorization_response_iss_parameter_supported=True,
        identity_chaining_requested_token_types_supported=[JWT],
    )


def key_set(keys: Iterable[Key]) -> KeySet:
    """The keys under which others verify our access tokens."""
    return KeySet([public_jwk(key) for key in keys])
