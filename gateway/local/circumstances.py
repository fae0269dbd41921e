"""What the city knows of a persona besides the score, as rows of today."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from gateway.clock import DAY_US
from gateway.ids import Ids
from gateway.local.seeds import Persona
from gateway.store.city_fact import (
    CityFact,
    LibraryCard,
    Loan,
    MedicalAdvance,
    Objection,
    PointsEntry,
    Stay,
    Suspension,
    Waiver,
)

#: What says nothing else began so long ago.
_AGO_US = 30 * DAY_US


def circumstances(citizen: UUID, persona: Persona, now_us: int, ids: Ids) -> Iterator[CityFact]:
    """The facts of a persona's story, with days counted from `now_us`."""
    since = now_us - _AGO_US
    for waiver in persona.waivers:
        opened = now_us - waiver.days_ago * DAY_US
        after = waiver.settled_after_days * DAY_US
        settled = opened + after if after else None
        yield Waiver(citizen, ids.token(), waiver.entity, waiver.deposit_fen, opened, settled)
    for amount_fen in persona.advances:
        yield MedicalAdvance(citizen, ids.token(), amount_fen, since)
    for loan in persona.loans:
        due = now_us + loan.due_in_days * DAY_US
        yield Loan(citizen, ids.token(), loan.entity, loan.items, due)
    for card in persona.cards:
        yield LibraryCard(citizen, card.entity, card.card)
    for entry in persona.points:
        expires = now_us + entry.expires_in_days * DAY_US
        yield PointsEntry(citizen, ids.token(), entry.community, entry.points, since, expires)
    for community in persona.stays:
        yield Stay(citizen, community, since)
    for scenario in persona.suspensions:
        yield Suspension(citizen, ids.random_uuid(), scenario, since)
    for scenario in persona.objections:
        yield Objection(citizen, ids.random_uuid(), scenario, since)
