"""What the city knows of the citizen besides, as parts of the export."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from gateway.export_parts import Part


class WaivedDeposit(Part, frozen=True, kw_only=True):
    """A deposit that was waived."""

    id: str
    entity: str
    deposit_fen: int
    opened_at: str
    settled_at: str | None


class MedicalAdvance(Part, frozen=True, kw_only=True):
    """An amount to be paid after treatment. Amounts and dates only, here as everywhere."""

    id: str
    amount_fen: int
    opened_at: str
    settled_at: str | None


class Loan(Part, frozen=True, kw_only=True):
    """Library items out."""

    id: str
    entity: str
    items: int
    due_at: str
    returned_at: str | None


class LibraryCard(Part, frozen=True, kw_only=True):
    """A library's own card reference that rides on the citizen."""

    entity: str
    card: str


class PointsEntry(Part, frozen=True, kw_only=True):
    """Points earned or spent in a community."""

    id: str
    community: str
    points: int
    at: str
    expires_at: str | None


class Residency(Part, frozen=True, kw_only=True):
    """Living in a community."""

    community: str
    since: str
    until: str | None


class Suspension(Part, frozen=True, kw_only=True):
    """The fast lane of one scenario closed."""

    id: UUID
    scenario: str
    since: str
    lifted_at: str | None


class Objection(Part, frozen=True, kw_only=True):
    """An objection under review; no scenario means every one."""

    id: UUID
    scenario: str | None
    opened_at: str
    closed_at: str | None


class Mark(Part, frozen=True, kw_only=True):
    """A recipient that tried too many different questions and hears the ordinary way for a day."""

    recipient: str
    until: str


class Visit(Part, frozen=True, kw_only=True):
    """A visit from another city: what that city said, and where it put the visitor here."""

    id: UUID
    home: str
    """GB/T 2260 code of the city that vouched."""
    scheme: str
    scheme_version: int
    tier: str
    band: int
    """This city's band that the scheme gives the tier."""
    scenarios: tuple[str, ...]
    limit_fen: int
    as_of: date
    policy: str
    """The home city's revision of the rule by which it decided."""
    status_uri: str
    number: int
    """Which of the visitor's visits it is."""
    opened_on: date
    ended_on: date | None
    reason: str | None
