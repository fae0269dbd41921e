"""Errors of the authorization server, which follow RFC 6749 5.2 and not RFC 9457.

The descriptions are fixed texts: a client whose assertion fails learns that it failed and
nothing about why, and an unknown client reads the same words as a wrong signature.
"""

from __future__ import annotations

import enum

import msgspec

Headers = list[tuple[bytes, bytes]]


class OAuthCode(enum.StrEnum):
    """The closed set of `error` values of RFC 6749 4.1.2.1 and 5.2, RFC 8693 2.2.2, RFC 8707,
    RFC 9449 5."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    INVALID_GRANT = "invalid_grant"
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    INVALID_SCOPE = "invalid_scope"
    INVALID_TARGET = "invalid_target"
    UNSUPPORTED_RESPONSE_TYPE = "unsupported_response_type"
    ACCESS_DENIED = "access_denied"
    INVALID_DPOP_PROOF = "invalid_dpop_proof"
    USE_DPOP_NONCE = "use_dpop_nonce"
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"


_STATUS = {OAuthCode.INVALID_CLIENT: 401, OAuthCode.TEMPORARILY_UNAVAILABLE: 503}

_DESCRIPTION = {
    OAuthCode.INVALID_REQUEST: "the request is malformed or repeats a parameter",
    OAuthCode.INVALID_CLIENT: "client authentication failed",
    OAuthCode.INVALID_GRANT: "the grant is not valid",
    OAuthCode.UNAUTHORIZED_CLIENT: "the client may not ask for this, or not now",
    OAuthCode.UNSUPPORTED_GRANT_TYPE: "the grant type is not supported",
    OAuthCode.INVALID_SCOPE: "the scope is unknown or not registered for the client",
    OAuthCode.INVALID_TARGET: "the audience or resource is not served here",
    OAuthCode.UNSUPPORTED_RESPONSE_TYPE: "the only response type is code",
    OAuthCode.ACCESS_DENIED: "the citizen did not allow it",
    OAuthCode.INVALID_DPOP_PROOF: "the DPoP proof is missing or not valid",
    OAuthCode.USE_DPOP_NONCE: "the DPoP proof must hold the nonce of the DPoP-Nonce field",
    OAuthCode.TEMPORARILY_UNAVAILABLE: "no token can be issued now",
}


class _Body(msgspec.Struct, frozen=True):
    error: str
    error_description: str


_encode = msgspec.json.Encoder().encode


def oauth_error_bytes(code: OAuthCode) -> tuple[int, Headers, bytes]:
    """Status, header fields and body of a token endpoint's error (RFC 6749 5.2)."""
    body = _encode(_Body(code.value, _DESCRIPTION[code]))
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"pragma", b"no-cache"),
    ]
    return _STATUS.get(code, 400), headers, body
