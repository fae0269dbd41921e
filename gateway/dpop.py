"""DPoP proofs: a request shows that its sender holds the key that its token is bound to (RFC 9449).

This is the judgement alone, on what it is given; `gateway/proofs.py` uses each proof up. A proof
holds for one method and one address, at a resource for one access token, and for a moment. The
moment is told in one of two ways:

- by its `iat`, at most `PAST_S` old and `FUTURE_S` ahead of this clock (FAPI 2.0 asks for 10 s
  either way at least), or
- by the `nonce` that this server gave out within the last two minutes. Then nothing rests on the
  sender's clock, and nobody can have made the proof beforehand.

A nonce is demanded where the caller of this module says so. Elsewhere a proof whose `iat` is out
of bounds is refused with a nonce in the answer, so that a machine whose clock is wrong needs one
more request and no other help. Whatever else a proof says is checked either way.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final
from urllib.parse import urljoin, urlsplit

import msgspec

from gateway.claims import ProofClaims
from gateway.clock import SECOND_US
from gateway.credential import Headers
from gateway.jose import Reason, Refused, Tolerates
from gateway.keys import b64url
from gateway.proof_token import verify_proof

#: How old a proof may be, and how far ahead of this clock, in seconds.
PAST_S: Final = 60
FUTURE_S: Final = 10

#: A nonce is one of a step of so many seconds, good in the next step as well. The step ahead is
#: good too, for another worker's clock may be there already.
STEP_S: Final = 60

#: For how long after a proof was accepted it might be accepted again, at most.
LIFE_S: Final = max(PAST_S + FUTURE_S, 3 * STEP_S)

#: Refusals that a fresh nonce mends (`use_dpop_nonce`, RFC 9449 8 and 9).
MENDED_BY_NONCE: Final = frozenset({Reason.NONCE, Reason.EXPIRED, Reason.NOT_YET})

_ESCAPE = re.compile("%[0-9A-Fa-f]{2}")
_DEFAULT_PORT = {"http": 80, "https": 443}


class Proof(msgspec.Struct, frozen=True):
    """A proof that holds for a request, but for its single use."""

    jkt: str
    """RFC 7638 thumbprint of the key that made it."""
    jti: str
    iat: int
    """When its sender says that it was made, in seconds; not to be relied upon with a nonce."""


class Nonces:
    """Nonces that need no memory: a keyed hash of the time they are given out at.

    Args:
        key: 32 bytes that every worker of the city has.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def fresh(self, now_us: int) -> str:
        """The nonce to give out at an instant."""
        return self._of(now_us // SECOND_US // STEP_S)

    def accepts(self, nonce: str, now_us: int) -> bool:
        """Whether a nonce was given out, here or at another worker, not long before an instant."""
        step, said = now_us // SECOND_US // STEP_S, nonce.encode()
        return any(
            hmac.compare_digest(self._of(each).encode(), said)
            for each in (step, step - 1, step + 1)
        )

    def _of(self, step: int) -> str:
        return b64url(hmac.digest(self._key, b"%d" % step, "sha256")[:16])


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the proof of one request must say."""

    method: str
    url: str
    """The request's address: scheme, host and path; a query does not matter."""
    access_token: str | None = None
    """The token that comes with it; None at the token endpoint, where `ath` says nothing."""
    jkt: str | None = None
    """The only key that will do, where it is known."""
    nonce: bool = False
    """Whether a nonce is demanded."""


def judge(
    headers: Headers,
    wanted: Wanted,
    nonces: Nonces,
    *,
    now_us: int,
    tolerates: Tolerates | None = None,
) -> Proof | Refused:
    """Whether the one DPoP field of a request proves what is wanted, at an instant (RFC 9449 4.3).

    `tolerates`, where given, is asked with the claims before the signature is looked at.
    """
    fields = [value for name, value in headers if name == b"dpop"]
    if len(fields) != 1:
        return Refused(Reason.REPEATED if fields else Reason.ABSENT)

    def fault(claims: ProofClaims, jkt: str) -> Reason | None:
        found = _fault(claims, jkt, wanted) or _time_fault(claims, wanted, nonces, now_us)
        shed = found is None and tolerates is not None and not tolerates(claims)
        return Reason.SHED if shed else found

    answer = verify_proof(fields[0].decode("latin-1"), fault)
    if isinstance(answer, Refused):
        return answer
    return Proof(answer.jkt, answer.claims.jti, answer.claims.iat)


def error_of(reason: Reason) -> str:
    """The error code by which a refusal is told (RFC 9449 5, 7.1, 8)."""
    return "use_dpop_nonce" if reason in MENDED_BY_NONCE else "invalid_dpop_proof"


def token_hash(access_token: str) -> str:
    """The `ath` of an access token: base64url of its SHA-256 (RFC 9449 4.2)."""
    return b64url(hashlib.sha256(access_token.encode("ascii", "replace")).digest())


def _fault(claims: ProofClaims, jkt: str, wanted: Wanted) -> Reason | None:
    if claims.htm != wanted.method:
        return Reason.METHOD
    said = normalised(claims.htu)
    if said is None or said != normalised(wanted.url):
        return Reason.URL
    if wanted.access_token is not None and (
        claims.ath is None
        or not hmac.compare_digest(token_hash(wanted.access_token).encode(), claims.ath.encode())
    ):
        return Reason.TOKEN
    if wanted.jkt is not None and jkt != wanted.jkt:
        return Reason.BINDING
    return None


def _time_fault(claims: ProofClaims, wanted: Wanted, nonces: Nonces, now_us: int) -> Reason | None:
    now_s = now_us // SECOND_US
    # Neither is asked for, and a sender that adds one means it (RFC 7519 4.1).
    if (claims.exp is not None and claims.exp <= now_s) or claims.nbf > now_s + FUTURE_S:
        return Reason.LIFETIME
    if claims.nonce is not None:
        return None if nonces.accepts(claims.nonce, now_us) else Reason.NONCE
    if wanted.nonce:
        return Reason.NONCE
    if claims.iat < now_s - PAST_S:
        return Reason.EXPIRED
    return Reason.NOT_YET if claims.iat > now_s + FUTURE_S else None


def normalised(url: str) -> str | None:
    """An address without query and fragment in its one spelling (RFC 3986 6.2.2, 6.2.3).

    None where it is no absolute http or https address, or names a user.
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORT or not host or "@" in parts.netloc:
        return None
    at = f"[{host}]" if ":" in host else host
    if port not in (None, _DEFAULT_PORT[parts.scheme]):
        at += f":{port}"
    origin = f"{parts.scheme}://{at}"
    path = urljoin(origin + "/", _ESCAPE.sub(_unescaped, parts.path) or "/")
    return path if path.startswith(origin + "/") else None


def _unescaped(found: re.Match[str]) -> str:
    """A percent-encoded octet as RFC 3986 6.2.2 spells it: the character where it is unreserved."""
    character = chr(int(found[0][1:], 16))
    is_unreserved = character.isascii() and (character.isalnum() or character in "-._~")
    return character if is_unreserved else found[0].upper()
