"""The wire, the standing, and the four conditions of renting without a deposit."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

#: As in scenarios/rent (示例): the lowest band, and the cap in fen by band.
BAND_FLOOR = 3
CAP_FEN = (0, 0, 0, 100_000, 200_000, 300_000)

Outcome = Literal["eligible", "standard_path"]


class Closed(BaseModel):
    """Unknown members are an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Facts(Closed):
    """What the counter knows."""

    deposit_fen: Annotated[int, Field(ge=1, le=10_000_000)]
    rent_fen_per_day: Annotated[int, Field(ge=0, le=1_000_000)]
    due_at: AwareDatetime


class Question(Closed):
    """The body of a request."""

    subject: Annotated[str, Field(min_length=1, max_length=100)]
    facts: Facts


class Consent(BaseModel):
    """A consent to one recipient."""

    recipient: str
    scenario: str
    status: str
    since: datetime
    until: datetime


class Standing(BaseModel):
    """What is kept of a citizen."""

    band: Annotated[int, Field(ge=0, le=5)] = 0
    waived_fen: int = 0
    commitments: list[str] = []
    consents: list[Consent] = []


class Obligation(BaseModel):
    """What the party owes the citizen with the benefit."""

    id: str
    zh: str
    en: str


class Policy(BaseModel):
    """Which rules answered."""

    scenario: str
    revision: str


class Freshness(BaseModel):
    """When it was decided."""

    decided_at: datetime


class Answer(BaseModel):
    """The body of an answer, with the members of the gateway's own."""

    decision_id: UUID
    outcome: Outcome
    obligations: list[Obligation]
    valid_until: datetime
    policy: Policy
    freshness: Freshness


def decide(standing: Standing, facts: Facts, recipient: str, now: datetime) -> Outcome:
    """Consent live, promise signed, band high enough, cap not exceeded."""
    consented = any(
        consent.recipient == recipient
        and consent.scenario == "rent"
        and consent.status == "active"
        and consent.since <= now < consent.until
        for consent in standing.consents
    )
    promised = "rent" in standing.commitments
    waived = standing.waived_fen + facts.deposit_fen
    if consented and promised and standing.band >= BAND_FLOOR and waived <= CAP_FEN[standing.band]:
        return "eligible"
    return "standard_path"
