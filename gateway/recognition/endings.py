"""What ends a recognition: whatever it rests on is gone.

Asked after every rebuild of a standing, in its transaction, so whichever way the basis is taken
away, what was said to another city has ended when that is acknowledged. It never stands up again:
a citizen who allows it anew visits anew. Reasons are for the citizen and the city's own record;
another city sees a bit.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

from gateway.body import Body, ConsentSlip, Viewpoint, consent_of
from gateway.recognition.limits import Kept, unsupported
from gateway.store import ending as rows
from gateway.store.database import Connection
from gateway.store.ending import Living

SCENARIO: Final = "recognition"


class End(enum.StrEnum):
    """Why a recognition ended."""

    ACCOUNT_CLOSED = "account-closed"
    EXPIRED = "expired"
    CONSENT_GONE = "consent-gone"  # withdrawn, or over
    CONSENT_PAUSED = "consent-paused"
    CONSENT_CHANGED = "consent-changed"  # it ends earlier than it did
    SCORE_WITHDRAWN = "score-withdrawn"  # no authorisation, or nothing to score
    BAND_FALLEN = "band-fallen"
    LIMIT_FALLEN = "limit-fallen"  # the own cap bears no longer what was kept free of it
    OBJECTED = "objected"
    SUSPENDED = "suspended"


#: The cap on waived deposits of a band at an instant (µs), in fen.
Cap = Callable[[int, int], int]


async def end_within(connection: Connection, bodies: Mapping[UUID, Body], cap: Cap) -> list[UUID]:
    """End what no longer holds of these citizens, whose bodies are as just rebuilt.

    Nearly nobody has anything to end, so that is one look into an index. Returns whose ended.
    """
    living: dict[UUID, list[Living]] = {}
    for one in await rows.living(connection, bodies):
        living.setdefault(one.citizen, []).append(one)
    ended = {citizen: ends_of(of, bodies[citizen], cap) for citizen, of in living.items()}
    reasons = {grant: str(end) for ends in ended.values() for grant, end in ends.items()}
    if reasons:
        await rows.end(connection, reasons)
    return [citizen for citizen, ends in ended.items() if ends]


def ends_of(living: Sequence[Living], body: Body, cap: Cap) -> dict[UUID, End]:
    """Which of one citizen's recognitions cannot stand on this body, and why."""
    judged = {one.id: (one, ended_by(one, body)) for one in living}
    ends = {grant: end for grant, (_, end) in judged.items() if end is not None}
    kept = [_kept(one) for one, end in judged.values() if end is None]
    if any(each.reserved_fen for each in kept):
        most = cap(body.band, living[0].now_us)
        over = unsupported(kept, band=body.band, cap_fen=most, waived_fen=body.waived_fen)
        gone = {each.id for each in over}
        ends |= {one.id: End.LIMIT_FALLEN for one in living if one.id in gone}
    return ends


def _kept(one: Living) -> Kept:
    return Kept(
        id=one.id,
        city=one.city,
        band_floor=one.band_floor,
        reserved_fen=one.reserved_fen,
        number=one.number,
    )


def ended_by(one: Living, body: Body) -> End | None:
    """Why a recognition cannot stand on this body; None where it does."""
    if not body.living:
        return End.ACCOUNT_CLOSED
    if one.until_us <= one.now_us:
        return End.EXPIRED
    if "" in body.objections or SCENARIO in body.objections:
        return End.OBJECTED
    # One that begins later ends it now: nobody changes a standing at that moment.
    if any(scenario == SCENARIO for scenario, _ in body.suspensions):
        return End.SUSPENDED
    if body.band < one.band_floor:
        return End.BAND_FALLEN if body.band else End.SCORE_WITHDRAWN
    return _by_consent(one, _consent(one, body))


def _consent(one: Living, body: Body) -> ConsentSlip | None:
    if one.sector is None:
        return None
    slip = consent_of(body, Viewpoint(one.sector, SCENARIO, ()))
    return slip if slip is not None and slip.id == one.consent.bytes else None


def _by_consent(one: Living, slip: ConsentSlip | None) -> End | None:
    if slip is None or slip.to_us <= one.now_us:
        return End.CONSENT_GONE
    if slip.paused_until_us > one.now_us:
        return End.CONSENT_PAUSED
    return End.CONSENT_CHANGED if slip.to_us < one.until_us else None
