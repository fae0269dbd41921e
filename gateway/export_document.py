"""The export as a document: every member of the one JSON object that a citizen downloads.

`Export` is the whole of it. It is drawn into `/openapi.json`, and a test reads real exports
through it. Instants are RFC 3339 (UTC), money is whole fen, hashes of texts are hex, receipts and
revisions base64url; what is null does not apply, or has been erased.
"""

from __future__ import annotations

from datetime import date
from typing import Final, Literal

from gateway import export_answers as answers
from gateway import export_city as city
from gateway import export_parts as parts
from gateway.export_parts import Part
from gateway.notice import Item
from scoring import Explanation

FORMAT: Final = "qianjiang-export/1"


class Handler(Part, frozen=True, kw_only=True):
    """Who handles the data: the city."""

    city: str
    """GB/T 2260 code."""
    name: str
    contact: str


class Identity(Part, frozen=True, kw_only=True):
    """Who the citizen is. Of a visitor nothing is known but the `home` city (GB/T 2260)."""

    name: str
    id_number: str | None
    birthdate: date | None
    home: str | None
    synthetic: bool
    since: str


class NoticeNow(Part, frozen=True, kw_only=True):
    """The notice as it stands; an authorisation names the one it was given under."""

    version: str
    text_sha256: str
    items: tuple[Item, ...]


class ScoreNow(Part, frozen=True, kw_only=True):
    """The score, its band of five and every point of it."""

    score: int
    band: int
    as_of: date
    explanation: Explanation


class Head(Part, frozen=True, kw_only=True):
    """What comes before the lists."""

    format: Literal["qianjiang-export/1"] = FORMAT
    made_at: str
    handler: Handler
    identity: Identity
    notice: NoticeNow
    score: ScoreNow | None


class Export(Head, frozen=True, kw_only=True):
    """The whole document. `complete` is written last: one that was cut off has none."""

    authorisations: tuple[parts.AuthorisationVersion, ...]
    facts: tuple[parts.FactOnFile, ...]
    consent_requests: tuple[parts.ConsentRequested, ...]
    consents: tuple[parts.ConsentVersion, ...]
    recognitions: tuple[parts.RecognitionGiven, ...]
    commitments: tuple[parts.CommitmentVersion, ...]
    devices: tuple[parts.DeviceKey, ...]
    sessions: tuple[parts.SessionTimes, ...]
    questions: tuple[answers.Question, ...]
    searches: tuple[answers.SearchMade, ...]
    staff_acts: tuple[answers.StaffAct, ...]
    assisted_acts: tuple[answers.AssistedAct, ...]
    waivers: tuple[city.WaivedDeposit, ...]
    medical_advances: tuple[city.MedicalAdvance, ...]
    loans: tuple[city.Loan, ...]
    library_cards: tuple[city.LibraryCard, ...]
    points: tuple[city.PointsEntry, ...]
    residency: tuple[city.Residency, ...]
    suspensions: tuple[city.Suspension, ...]
    objections: tuple[city.Objection, ...]
    marks: tuple[city.Mark, ...]
    visits: tuple[city.Visit, ...]
    corrections: tuple[parts.CorrectionAsked, ...]
    limits: tuple[parts.Limit, ...]
    rules: tuple[answers.RuleWords, ...]
    texts: dict[str, parts.TextAgreed]
    """What `consents` and `commitments` name by `text_sha256`, by that hash."""
    complete: Literal[True]
