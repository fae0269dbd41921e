"""What the gateway publishes about itself as an authorization server (RFC 8414, RFC 7517)."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from gateway.jwk import Alg, Key, public_jwk
from gateway.oauth.token import CLIENT_CREDENTIALS
from gateway.tokens import SCOPE_PREFIX

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
JWKS_PATH = "/.well-known/jwks.json"


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 8414 2. There is no authorization endpoint, so no response type either."""

    issuer: str
    token_endpoint: str
    jwks_uri: str
    scopes_supported: list[str]
    response_types_supported: list[str]
    grant_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    token_endpoint_auth_signing_alg_values_supported: list[str]
    dpop_signing_alg_values_supported: list[str]  # RFC 9449 5.1


class KeySet(msgspec.Struct, frozen=True):
    """RFC 7517 5: public keys only."""

    keys: list[dict[str, str]]


def metadata(issuer: str, scenarios: Iterable[str]) -> Metadata:
    """The server's metadata."""
    return Metadata(
        issuer=issuer,
        token_endpoint=issuer + TOKEN_PATH,
        jwks_uri=issuer + JWKS_PATH,
        scopes_supported=[SCOPE_PREFIX + scenario for scenario in scenarios],
        response_types_supported=[],
        grant_types_supported=[CLIENT_CREDENTIALS],
        token_endpoint_auth_methods_supported=["private_key_jwt"],
        token_endpoint_auth_signing_alg_values_supported=[Alg.ES256.value, Alg.EDDSA.value],
        dpop_signing_alg_values_supported=[Alg.ES256.value, Alg.EDDSA.value],
    )


def key_set(keys: Iterable[Key]) -> KeySet:
    """The keys under which others verify our access tokens."""
    return KeySet([public_jwk(key) for key in keys])
