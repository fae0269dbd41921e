"""The party behind a request's access token, and behind the key that the token is bound to.

A Bearer token is enough by itself (RFC 6750). One that is bound to a key comes under the scheme
DPoP, with a proof by that key for this very request (RFC 9449 7.1).
"""

from __future__ import annotations

import structlog
from litestar.types import HTTPScope

from gateway.city import City
from gateway.credential import is_under_dpop
from gateway.dpop import Wanted, error_of
from gateway.errors import ProofRefused, Unauthenticated
from gateway.jose import Reason, Refused, token_key
from gateway.parties import Principal

_log = structlog.get_logger(__name__)


async def caller(city: City, scope: HTTPScope) -> Principal:
    """The party that a request proves.

    Raises:
        Unauthenticated: no token, or not a good one; `ProofRefused` where it is a bound one.
        AbnormalUsage: too many bad signatures came in its name; it was not looked at.
        Forbidden: the party is suspended or closed.
        DependencyDown, Overloaded: PostgreSQL cannot decide on the proof's single use.
    """
    headers = scope["headers"]
    if not is_under_dpop(headers):
        return await city.tokens.admit(headers)
    try:
        token = await city.tokens.admit_bound(headers)
    except Unauthenticated as fault:
        raise ProofRefused(fault.reason, "invalid_token") from None
    wanted = Wanted(
        method=scope["method"],
        url=city.settings.issuer + scope["raw_path"].decode("latin-1"),
        access_token=token.compact,
        jkt=token.jkt,
        nonce=city.settings.dpop_nonce_required,
    )
    # A bad signature counts against the token that it came with: who holds a stolen token but not
    # its key keeps nobody's other tokens from passing.
    claimant = f"proof {token_key(token.compact).hex()}"
    proof = await city.proofs.accept(headers, wanted, claimant)
    if isinstance(proof, Refused):
        city.counts.token("refused")
        raise proof_refused(city, proof.reason)
    return token.principal


def proof_refused(city: City, reason: Reason) -> ProofRefused:
    """What a caller reads whose proof is refused; the reason goes to the log alone."""
    _log.info("proof_refused", reason=reason.value)
    error = error_of(reason)
    nonce = city.proofs.nonce() if error == "use_dpop_nonce" else None
    return ProofRefused(f"proof-{reason.value}", error, nonce)
