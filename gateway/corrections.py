"""Requests for correction: a citizen says what is wrong, and hears within five working days.

PIPL 46; 浙江省公共信用信息管理条例 30, 31. What a request names and its words are personal data and
sealed under the person's own key. A request changes nothing by itself: where it is accepted, the
department that holds the record corrects it, and its next delivery puts the corrected fact in the
place of the wrong one (gateway/fact_import.py). The office's half is gateway/correction_desk.py.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta

from gateway.clock import SHANGHAI, Clock, from_us
from gateway.errors import AccountClosed, Malformed, TooManyOpen
from gateway.idempotency import Act, once
from gateway.ids import Ids
from gateway.store import citizen as citizen_rows
from gateway.store import correction as rows
from gateway.store import export as export_rows
from gateway.store import standing as standing_rows
from gateway.store.correction import CorrectionRow
from gateway.store.database import Connection, Database
from gateway.vault import Seal, Vault
from gateway.working_days import working_day_after

#: The law's period to decide, in working days (浙江省公共信用信息管理条例 31).
WORKING_DAYS: Final = 5
#: Requests of one citizen that may wait at a time, and that are listed at once.
OPEN_MAX, LISTED = 5, 100
#: Facts that can be chosen from at once.
FACTS_LISTED: Final = 200

Reference = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"\S")]


class AboutIdentity(
    msgspec.Struct, frozen=True, tag_field="kind", tag="identity", forbid_unknown_fields=True
):
    """The name, the identity number or the birthday that is on file."""


class AboutFact(
    msgspec.Struct, frozen=True, tag_field="kind", tag="fact", forbid_unknown_fields=True
):
    """A fact on file, named as the score's explanation and the export name it."""

    department: Reference
    code: Reference
    source: Reference


class AboutLookup(
    msgspec.Struct, frozen=True, tag_field="kind", tag="lookup", forbid_unknown_fields=True
):
    """A question, a search or an act of staff."""

    id: UUID


class AboutOther(
    msgspec.Struct, frozen=True, tag_field="kind", tag="other", forbid_unknown_fields=True
):
    """Something else; the words say what."""


About: TypeAlias = AboutIdentity | AboutFact | AboutLookup | AboutOther


class Said(msgspec.Struct, frozen=True):
    """What is sealed of a request: what it is about, and the citizen's words."""

    about: About
    words: str


class Correction(msgspec.Struct, frozen=True):
    """A request as its citizen and the office read it; `answer` is the office's words."""

    row: CorrectionRow
    said: Said
    answer: str | None


class NamedFact(msgspec.Struct, frozen=True):
    """A fact on file by the names under which it can be corrected."""

    department: str
    code: str
    source: str
    effective: date


class Corrections:
    """The citizens' half; one instance per worker."""

    def __init__(self, database: Database, vault: Vault, clock: Clock, ids: Ids) -> None:
        self._database, self._vault, self._clock, self._ids = database, vault, clock, ids

    async def ask(self, citizen: UUID, said: Said, act: Act | None) -> CorrectionRow:
        """Receive a request.

        Raises:
            Malformed: it names a fact or a lookup that this citizen has not.
            TooManyOpen: too many wait already.
            AccountClosed: the account was closed meanwhile.
        """
        async with self._database.transaction() as connection:
            # No decision reads a request: the lock only makes one citizen's wait for one another.
            if not await standing_rows.lock(connection, [citizen]):
                raise AccountClosed
            return await once(
                connection, act, CorrectionRow, lambda: self._add(connection, citizen, said)
            )

    async def of(self, citizen: UUID) -> list[Correction]:
        """The citizen's newest requests, the newest first."""
        async with self._database.connection() as connection:
            held = await rows.of_citizen(connection, citizen, LISTED)
            person = await citizen_rows.person(connection, citizen)
        if person is None:
            raise AccountClosed
        seal = self._vault.person(person.wrapped_key, citizen)
        return [opened(row, seal) for row in held]

    async def facts(self, citizen: UUID) -> list[NamedFact]:
        """What of the facts on file can be named, in the order of the export; at most 200."""
        async with self._database.connection() as connection:
            page = await export_rows.page(connection, "facts", citizen, ("", "", ""), FACTS_LISTED)
        return [NamedFact(*(row[name] for name in NamedFact.__struct_fields__)) for row in page]

    async def knows(self, citizen: UUID, about: About) -> bool:
        """Whether there is something by this reference about the citizen."""
        async with self._database.connection() as connection:
            return await _exists(connection, citizen, about)

    async def _add(self, connection: Connection, citizen: UUID, said: Said) -> CorrectionRow:
        if not await _exists(connection, citizen, said.about):
            raise Malformed([("/about", "there is nothing by this reference about you")])
        if await rows.open_of(connection, citizen) >= OPEN_MAX:
            raise TooManyOpen
        person = await citizen_rows.person(connection, citizen)
        assert person is not None, "living, and locked"
        now_us = self._clock.now_us()
        identifier = self._ids.uuid7(now_us)
        seal = self._vault.person(person.wrapped_key, citizen)
        row = CorrectionRow(
            id=identifier,
            citizen=citizen,
            about=kind_of(said.about),
            sealed=seal.seal(msgspec.json.encode(said), said_place(identifier)),
            status="received",
            received_us=now_us,
            due_on=working_day_after(from_us(now_us).astimezone(SHANGHAI).date(), WORKING_DAYS),
        )
        await rows.add(connection, row)
        return row


def kind_of(about: About) -> str:
    """The kind of matter in a word, which is not personal."""
    return str(about.__struct_config__.tag)


def opened(row: CorrectionRow, seal: Seal) -> Correction:
    """A request with its words in the clear.

    Raises:
        SealBroken: they were sealed under another key.
    """
    said = msgspec.json.decode(seal.open(row.sealed, said_place(row.id)), type=Said)
    answer = None
    if row.answer is not None:
        answer = seal.open(row.answer, answer_place(row.id)).decode()
    return Correction(row, said, answer)


def said_place(request: UUID) -> bytes:
    """Where a request's words are sealed for (gateway/vault.py)."""
    return b"correction_request/sealed/" + request.bytes


def answer_place(request: UUID) -> bytes:
    """Where the office's words are sealed for."""
    return b"correction_request/answer/" + request.bytes


async def _exists(connection: Connection, citizen: UUID, about: About) -> bool:
    match about:
        case AboutFact(department, code, source):
            return await rows.has_fact(connection, citizen, department, code, source)
        case AboutLookup(identifier):
            return await rows.has_lookup(connection, citizen, identifier)
    return True
