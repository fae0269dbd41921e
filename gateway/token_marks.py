"""A mark in each access token's `jti`: who made it is known before its signature is looked at.

A flood of forgeries must cost little and shut nobody out. So a token's `jti` carries a mark, a
keyed hash that costs a hundredth of a signature to check: who never held a token of a party cannot
make one in its name. Signatures under marked claims are counted apart from all others, and so a
flood in a party's name does not keep its own new tokens from passing.
"""

from __future__ import annotations

import hmac

from gateway.claims import AccessClaims
from gateway.jwk import unb64url
from gateway.keys import b64url

#: Bytes of a token's random part and of its mark: together the `jti`.
NONCE, _MARK = 16, 8


class TokenMarks:
    """Makes and knows the marks of one city.

    Args:
        link_key: the city's secret of that name; the marks' own key is derived from it.
    """

    def __init__(self, link_key: bytes) -> None:
        self._key = hmac.digest(link_key, b"the mark of an access token", "sha256")

    def jti(self, nonce: bytes, party: str, issued_s: int, expires_s: int) -> str:
        """The `jti` of a party's token with these times (s): `NONCE` random bytes, and the mark."""
        return b64url(nonce + self._mark(nonce, party, issued_s, expires_s))

    def claimant(self, claims: AccessClaims) -> tuple[str, str | None]:
        """Under which name, and in which crowd, a bad signature counts."""
        try:
            jti = unb64url(claims.jti)
        except ValueError:
            jti = b""
        mark = self._mark(jti[:NONCE], claims.client_id, claims.iat, claims.exp)
        if hmac.compare_digest(jti[NONCE:], mark):
            return f"marked {claims.client_id}", None
        # Anybody may claim any name, as often as there are names.
        return f"unmarked {claims.client_id}", "unmarked"

    def _mark(self, nonce: bytes, party: str, issued_s: int, expires_s: int) -> bytes:
        # With the times in it, the mark of a token that is over is good for no other.
        text = b"%b %d %d %b" % (nonce, issued_s, expires_s, party.encode())
        return hmac.digest(self._key, text, "sha256")[:_MARK]
