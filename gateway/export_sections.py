"""The lists of an export, in the order in which they are written, and how a row of each is told.

A new table about citizens gets a section here; a test walks the schema and insists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from gateway import export_answers as answers
from gateway import export_city as city
from gateway import export_parts as parts
from gateway.clock import rfc3339
from gateway.commitment_receipt import receipt
from gateway.corrections import opened
from gateway.export_records import of_question, of_search
from gateway.keys import b64url
from gateway.lookups import Lookups, Rule
from gateway.store.commitment import CommitmentRow
from gateway.store.correction import CorrectionRow
from gateway.store.export import Row, RuleRow, TextKey
from gateway.vault import Seal, SealBroken
from scenarios.contract import Outcome

T = TypeVar("T", bound=msgspec.Struct)

#: Where a list begins that is in the order of ids.
_FIRST: Final = UUID(int=0)

_TIME = "_us"


class Teller:
    """Makes the parts of one citizen's export; it remembers which rules it has named.

    `agreed`: the texts that were named, a few for each scenario.
    """

    def __init__(self, seal: Seal, lookups: Lookups) -> None:
        self._seal, self._lookups = seal, lookups
        self._rules: dict[int, tuple[RuleRow, Rule]] = {}
        self.agreed: set[TextKey] = set()

    def unknown(self, rows: Iterable[Row]) -> list[int]:
        """The rules of questions that were not learnt yet."""
        return sorted({row["policy"] for row in rows} - self._rules.keys())

    def learn(self, rules: Iterable[RuleRow]) -> None:
        """Take in rules with their words."""
        for row in rules:
            rule = self._lookups.rule(row.scenario, row.revision, row.manifest, row.compiler)
            self._rules[row.num] = row, rule

    def rules(self) -> list[answers.RuleWords]:
        """Every rule that was named, in words."""
        return [
            answers.RuleWords(
                scenario=row.scenario,
                revision=b64url(row.revision),
                clauses=tuple(
                    answers.Clause(**msgspec.structs.asdict(clause)) for clause in rule.clauses
                ),
            )
            for row, rule in self._rules.values()
        ]

    def consent(self, row: Row) -> parts.ConsentVersion:
        """One act on a consent."""
        self.agreed.add(TextKey("consent", row["scenario"], bytes.fromhex(row["text_sha256"])))
        return _told(parts.ConsentVersion, row)

    def commitment(self, row: Row) -> parts.CommitmentVersion:
        """One act on a promise."""
        self.agreed.add(TextKey("commitment", row["scenario"], row["text_sha256"]))
        return _commitment(CommitmentRow(**row))

    def question(self, row: Row) -> answers.Question:
        """A question with its reasons and facts."""
        _, rule = self._rules[row["policy"]]
        consent = None
        if row["consent"] is not None:
            consent = answers.ConsentName(id=row["consent"], version=row["consent_version"])
        own = row | {
            "outcome": Outcome(row["outcome"]).wire,
            "policy": answers.PolicyName(
                scenario=row["scenario"], revision=b64url(row["revision"])
            ),
            "clauses": tuple(
                answers.ClauseMet(id=clause.id, met=bool(row["clauses"] >> bit & 1))
                for bit, clause in enumerate(rule.clauses)
            ),
            "facts": self._facts(row, b"decision_facts/"),
            "consent": consent,
            "receipt": b64url(row["receipt"]),
            "record": b64url(of_question(row)),
        }
        return _told(answers.Question, own)

    def search(self, row: Row) -> answers.SearchMade:
        """A search with what it found and its facts."""
        own = row | {
            "scenarios": tuple(
                answers.Searched(scenario=name, eligible=found) for name, found in row["scenarios"]
            ),
            "consents": tuple(
                answers.ConsentName(id=identifier, version=version)
                for identifier, version in row["consents"]
            ),
            "facts": self._facts(row, b"search_facts/"),
            "receipt": b64url(row["receipt"]),
            "record": b64url(of_search(row)),
        }
        return _told(answers.SearchMade, own)

    def correction(self, row: Row) -> parts.CorrectionAsked:
        """A request for correction with its words in the clear."""
        held = CorrectionRow(**row)
        made = opened(held, self._seal)
        decided = None if held.decided_us is None else rfc3339(held.decided_us)
        return parts.CorrectionAsked(
            id=held.id,
            about=made.said.about,
            words=made.said.words,
            status=held.status,
            received_at=rfc3339(held.received_us),
            due_on=held.due_on,
            decided_at=decided,
            decided_by=held.staff,
            answer=made.answer,
        )

    def _facts(self, row: Row, place: bytes) -> dict[str, Any] | None:
        if row["sealed"] is None:
            return None
        try:
            plain = self._seal.open(row["sealed"], place + row["id"].bytes)
        except SealBroken:
            return None  # sealed under a key that has been destroyed since
        facts: dict[str, Any] = msgspec.json.decode(plain)
        return facts


class Section(msgspec.Struct, frozen=True):
    """A list of the document: its member and query, how a row is told, and the order of its rows.

    `start` is the place before the first row, `keys` the columns that make the place of a row.
    """

    name: str
    tell: Callable[[Teller, Row], msgspec.Struct]
    start: tuple[Any, ...] = (_FIRST,)
    keys: tuple[str, ...] = ("id",)


def _told(kind: type[T], row: Row) -> T:
    """A part made of the columns of its names; an instant is found under its name and `_us`."""
    return kind(**{name: _value(row, name) for name in kind.__struct_fields__})


def _value(row: Row, name: str) -> Any:
    if name in row:
        return row[name]
    moment_us = row[name + _TIME]
    return None if moment_us is None else rfc3339(moment_us)


def _plain(kind: type[T]) -> Callable[[Teller, Row], T]:
    return lambda _, row: _told(kind, row)


def _fact(_: Teller, row: Row) -> parts.FactOnFile:
    return _told(parts.FactOnFile, row | {"value": msgspec.json.decode(row["value"])})


def _device(_: Teller, row: Row) -> parts.DeviceKey:
    return _told(parts.DeviceKey, row | {"jwk": msgspec.json.decode(row["jwk"])})


def _commitment(held: CommitmentRow) -> parts.CommitmentVersion:
    return parts.CommitmentVersion(
        id=held.id,
        version=held.version,
        scenario=held.scenario,
        entity=held.entity_name,
        template=held.template,
        template_version=held.template_version,
        text_sha256=held.text_sha256.hex(),
        device=held.device,
        jws=held.jws,
        assisted=held.assisted,
        status=held.status,
        signed_at=rfc3339(held.signed_us),
        at=rfc3339(held.at_us),
        receipt=b64url(receipt(held)),
    )


_VERSIONS: Final = (_FIRST, 0), ("id", "version")

#: Every list, in the document's order.
SECTIONS: Final = (
    Section("authorisations", _plain(parts.AuthorisationVersion), (0,), ("version",)),
    Section("facts", _fact, ("", "", ""), ("department", "code", "source")),
    Section("consent_requests", _plain(parts.ConsentRequested)),
    Section("consents", Teller.consent, *_VERSIONS),
    Section("recognitions", _plain(parts.RecognitionGiven)),
    Section("commitments", Teller.commitment, *_VERSIONS),
    Section("devices", _device),
    Section("sessions", _plain(parts.SessionTimes), (b"",), ("id_hash",)),
    Section("questions", Teller.question),
    Section("searches", Teller.search),
    Section("staff_acts", _plain(answers.StaffAct)),
    Section("assisted_acts", _plain(answers.AssistedAct)),
    Section("waivers", _plain(city.WaivedDeposit), ("",)),
    Section("medical_advances", _plain(city.MedicalAdvance), ("",)),
    Section("loans", _plain(city.Loan), ("",)),
    Section("library_cards", _plain(city.LibraryCard), ("", ""), ("entity", "card")),
    Section("points", _plain(city.PointsEntry), ("",)),
    Section("residency", _plain(city.Residency), ("", 0), ("community", "since_us")),
    Section("suspensions", _plain(city.Suspension)),
    Section("objections", _plain(city.Objection)),
    Section("marks", _plain(city.Mark), (0,), ("sector",)),
    Section("visits", _plain(city.Visit)),
    Section("corrections", Teller.correction),
    Section("limits", _plain(parts.Limit), ("",), ("what",)),
)
