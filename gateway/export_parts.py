"""What the citizen said and did, as parts of the export (gateway/export_document.py)."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

import msgspec

from gateway.corrections import About


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all parts are."""


class AuthorisationVersion(Part, frozen=True, kw_only=True):
    """One word of the citizen on the score."""

    version: int
    status: str
    notice: str
    text_sha256: str
    leave_out: tuple[str, ...]
    at: str


class FactOnFile(Part, frozen=True, kw_only=True):
    """A fact that a department delivered."""

    department: str
    code: str
    source: str
    dimension: str
    value: int | str
    effective: date
    expires: date | None
    determined: date | None
    sphere: str
    imported_at: str


class ConsentRequested(Part, frozen=True, kw_only=True):
    """A party's request for a consent that this citizen decided, or was asked in person."""

    id: UUID
    party: str
    recipient: str
    scenario: str
    purpose: str
    out_request_no: str
    return_uri: str | None
    place: str | None
    """Where the citizen was asked in person, at a desk."""
    status: str
    consent: UUID | None
    created_at: str
    expires_at: str
    decided_at: str | None


class ConsentVersion(Part, frozen=True, kw_only=True):
    """One act on a consent."""

    id: UUID
    version: int
    recipient: str
    scenario: str
    purpose: str
    fields: tuple[str, ...]
    text_version: str
    text_sha256: str
    since: str
    until: str
    frequency: int | None
    status: str
    paused_until: str | None
    request: UUID | None
    assisted: UUID | None
    """The act in `assisted_acts` that recorded it; null = the citizen's own."""
    at: str


class RecognitionGiven(Part, frozen=True, kw_only=True):
    """What was said of the citizen to another city; it ends at the latest with the consent.

    `band_floor` is the band below which it ends, `reserved_fen` what of the own deposit limit is
    kept for that city meanwhile; `status_list` and `status_idx` where its end is shown.
    """

    id: UUID
    city: str
    party: str
    consent: UUID
    scenarios: tuple[str, ...]
    scheme: str
    scheme_version: int
    tier: str
    band_floor: int
    reserved_fen: int
    status_list: int
    status_idx: int
    issued_on: date
    until: str
    ended_at: str | None
    reason: str | None


class TextAgreed(Part, frozen=True, kw_only=True):
    """The words of a consent or a promise as they were published; the Chinese ones bind."""

    kind: Literal["consent", "commitment"]
    scenario: str
    version: str
    zh: str
    en: str


class CommitmentVersion(Part, frozen=True, kw_only=True):
    """One act on a promise, with the signature as it came; `receipt` is its record's hash."""

    id: UUID
    version: int
    scenario: str
    entity: str | None
    template: str
    template_version: str
    text_sha256: str
    device: UUID | None
    jws: str | None
    assisted: UUID | None
    """The act in `assisted_acts` that recorded it, where no device signed."""
    status: str
    signed_at: str
    at: str
    receipt: str


class DeviceKey(Part, frozen=True, kw_only=True):
    """A device that was registered; `kid` is its key's RFC 7638 thumbprint."""

    id: UUID
    kid: str
    jwk: dict[str, str]
    name: str
    registered_at: str
    revoked_at: str | None
    compromised_since: str | None


class SessionTimes(Part, frozen=True, kw_only=True):
    """A signed-in browser. What it is known by is kept as a hash and is nobody's to read."""

    begun_at: str
    ends_at: str
    ended_at: str | None


class CorrectionAsked(Part, frozen=True, kw_only=True):
    """A request for correction, and what the office said to it."""

    id: UUID
    about: About
    words: str
    status: str
    received_at: str
    due_on: date
    decided_at: str | None
    decided_by: str | None
    answer: str | None


class Limit(Part, frozen=True, kw_only=True):
    """How often the citizen may ask for what costs much: when all of it is there again."""

    what: str
    full_at: str
