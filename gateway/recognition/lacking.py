"""Why a scenario cannot be recognised in another city now, for the citizen's own eyes.

Pure. The city that asks is told nothing of it: it cannot tell a citizen to whom something is closed
from one who does not want to.
"""

from __future__ import annotations

import enum

import msgspec

from gateway.recognition.openings import Asking, opening, verdict
from scenarios.units import BANDS
from scenarios.universal import ClauseInfo


class Why(enum.StrEnum):
    """What stands in the way, the first that does."""

    NOT_AGREED = "not-agreed"  # the two cities did not agree on it
    SCORE = "score"  # there is no score
    ROOM = "room"  # too little of the own deposit limit is free
    TIER = "tier"  # a higher band would do
    RULE = "rule"  # clauses of this city's own rule


class Lack(msgspec.Struct, frozen=True):
    """What is missing: the least `band` (1 to 5) that would do, or the clauses that are not met."""

    why: Why
    band: int | None = None
    clauses: tuple[ClauseInfo, ...] = ()


def lack_of(asking: Asking, scenario: str) -> Lack:
    """What is missing for one scenario that is not open."""
    if scenario not in asking.partner.scenarios:
        return Lack(Why.NOT_AGREED)
    if not asking.body.band:
        return Lack(Why.SCORE)
    if opening(asking, (scenario,)) is not None or _would_do(asking, scenario, asking.body.band):
        return Lack(Why.ROOM)  # the other scenarios may have taken it
    higher = [band for band in BANDS if _would_do(asking, scenario, band)]
    if higher:
        return Lack(Why.TIER, band=min(higher))
    return Lack(Why.RULE, clauses=asking.rule.unmet(verdict(asking, scenario, asking.body)))


def _would_do(asking: Asking, scenario: str, band: int) -> bool:
    """Whether it would be open at a band, were nothing of the deposit limit in use."""
    body = msgspec.structs.replace(asking.body, band=band, waived_fen=0)
    free = msgspec.structs.replace(asking, body=body, reserved_fen={})
    return opening(free, (scenario,)) is not None
