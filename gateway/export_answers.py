"""What was asked about the citizen and answered, as parts of the export."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from gateway.export_parts import Part


class PolicyName(Part, frozen=True, kw_only=True):
    """A rule by scenario and revision; `rules` has its words."""

    scenario: str
    revision: str


class ConsentName(Part, frozen=True, kw_only=True):
    """A consent in the version that was relied on."""

    id: UUID
    version: int


class ClauseMet(Part, frozen=True, kw_only=True):
    """A clause of the rule that answered, and whether it was met."""

    id: str
    met: bool


class Answered(Part, frozen=True, kw_only=True):
    """What a question and a search have in common."""

    id: UUID
    asked_at: str
    answered_at: str
    valid_until: str
    party: str
    recipient: str
    staff: str | None
    reference: str | None
    facts: dict[str, Any] | None
    """What the party sent."""
    delivered: bool
    """False: recorded, not delivered."""
    standing_version: int
    score_as_of: date | None
    receipt: str
    record: str
    """The record's bytes in base64url; their SHA-256 is the receipt (gateway/evidence.py and, of a
    search, gateway/search_evidence.py)."""


class Question(Answered, frozen=True, kw_only=True):
    """A party's question about the citizen, the answer and every reason."""

    outcome: str
    policy: PolicyName
    clauses: tuple[ClauseMet, ...]
    consent: ConsentName | None
    repeat_of: UUID | None


class Searched(Part, frozen=True, kw_only=True):
    """A scenario whose rule a search asked, and whether it was open."""

    scenario: str
    eligible: bool


class SearchMade(Answered, frozen=True, kw_only=True):
    """A party's search for what is open to the citizen."""

    scenarios: tuple[Searched, ...]
    consents: tuple[ConsentName, ...]


class StaffAct(Part, frozen=True, kw_only=True):
    """An act of the city's staff on the citizen's data."""

    id: UUID
    at: str
    staff: str
    purpose: str
    action: str


class AssistedAct(Part, frozen=True, kw_only=True):
    """An act of staff at a party's counter, where the citizen was without a phone."""

    id: UUID
    at: str
    act: str
    scenario: str
    purpose: str
    party: str
    staff: str
    place: str
    document: str
    """The kind of document that was checked."""
    target: UUID | None
    """The consent or commitment, in the version that the act made."""
    target_version: int | None
    text_version: str | None
    text_sha256: str | None
    receipt_no: str | None
    receipt_sha256: str | None


class Clause(Part, frozen=True, kw_only=True):
    """A clause in words."""

    id: str
    zh: str
    en: str
    help_zh: str
    help_en: str


class RuleWords(Part, frozen=True, kw_only=True):
    """A rule that answered one of the questions, in words."""

    scenario: str
    revision: str
    clauses: tuple[Clause, ...]
