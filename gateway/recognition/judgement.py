"""Whether a home city's word on its citizen holds here and now, for one attempt; and as what.

Pure but for what it is told: the caller has verified signature, type, issuer, audience and times
(gateway/jose.py). What is checked here is what the token says beside the attempt, the agreement and
the scheme. Every fault has a name for the city's own record.
"""

from __future__ import annotations

import msgspec

from gateway.claims import RecognitionClaims
from gateway.recognition.entry import City
from gateway.recognition.neighbours import Agreed
from gateway.store.visit_attempt import OpenAttempt
from scenarios.schemes import Scheme


class Place(msgspec.Struct, frozen=True):
    """Where a visitor stands here: at the lowest of this city's bands in the tier, with a limit
    for deposits waived (fen)."""

    band: int
    limit_fen: int


def fault_of(
    claims: RecognitionClaims, *, client: str, attempt: OpenAttempt, home: City, agreed: Agreed
) -> str | None:
    """What is wrong with a grant that its home city signed, or None."""
    said = claims.recognition
    if claims.client_id != client:
        return "client"
    if claims.cnf.jkt != attempt.jkt:
        return "key"
    if (said.scheme, said.scheme_version) != (agreed.scheme.id, agreed.scheme.version):
        return "scheme"
    wanted = set(said.scenarios)
    if len(wanted) < len(said.scenarios):
        return "scenarios"
    if not (wanted <= agreed.scenarios and wanted <= set(attempt.scenarios)):
        return "wider"
    if not claims.status.status_list.uri.startswith(home.entry.issuer + "/"):
        return "status-elsewhere"
    return None


def place_of(claims: RecognitionClaims, scheme: Scheme, home: str, here: str) -> Place | None:
    """Where the scheme puts the visitor of a grant; None where the two do not fit.

    The tier must suffice for every scenario: a city that says less has not looked at its own table.
    """
    said = claims.recognition
    if not {home, here} <= scheme.cities.keys() or not scheme.needs.keys() >= set(said.scenarios):
        return None
    if said.tier not in scheme.tiers:
        return None
    if not scheme.reaches(said.tier, scheme.needed(said.scenarios)):
        return None
    band = scheme.band_of(here, said.tier)
    return Place(band, scheme.deposits(said.scenarios, said.tier))
