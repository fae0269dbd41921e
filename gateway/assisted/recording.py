"""What a person without a phone says at a counter, recorded (无障碍环境建设法 39).

Staff check the document, read the very texts aloud that others read on their phones, and record
what the person said to each. A word at the desk is as good as one in the app, and marked: consents
and promises name the act of staff that recorded them. What was refused is written nowhere, and
nothing comes back to the desk about the person.
"""

from __future__ import annotations

from functools import partial
from uuid import UUID

import msgspec

from gateway.assisted.acts import AssistedActs, Books, Occasion
from gateway.assisted.attendant import Attendant, Document, check_document
from gateway.assisted.finding import Finding, Found
from gateway.assisted.receipt import GIVEN, Done, Receipt
from gateway.assisted.scribe import Scribe
from gateway.assisted.texts import (
    AssistedTexts,
    ReadText,
    Remit,
    Texts,
    check_purpose,
    same_words,
)
from gateway.citizens import Admitted, Citizens
from gateway.errors import AccountClosed, IdentityRefused, Malformed, StillRunning
from gateway.idempotency import Act, once
from gateway.ids import Ids
from gateway.store import consent as consent_rows
from gateway.store.database import Connection


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The SHA-256 (hex) of each text as it was read aloud; None where the scenario has none."""

    score: str | None = None
    consent: str
    commitment: str | None = None


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What the person said to each text. A no has no effect but the ordinary way."""

    score: bool = False
    consent: bool = False
    commitment: bool = False

    @property
    def anything(self) -> bool:
        """Whether there is anything to record."""
        return self.score or self.consent or self.commitment


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What was read to whom, and what was said."""

    scenario: str
    purpose: str
    document: Document
    read: Words
    said: Said
    leave_out: tuple[str, ...] = ()


class Recorded(msgspec.Struct, frozen=True):
    """What was agreed to and recorded, and the receipt to print; none where all was refused.

    Whether the person had a record before is not for the desk to know.
    """

    agreed: tuple[str, ...]
    receipt: Receipt | None


class _Rival(Exception):
    """Another desk or login enrolled the same person at the same moment."""


class Recording:
    """What counters record for the people before them."""

    def __init__(
        self,
        *,
        books: Books,
        citizens: Citizens,
        texts: AssistedTexts,
        finding: Finding,
        acts: AssistedActs,
        ids: Ids,
    ) -> None:
        self._books, self._citizens, self._texts = books, citizens, texts
        self._finding, self._acts, self._ids = finding, acts, ids

    async def record(
        self, attendant: Attendant, visit: Visit, act: Act | None
    ) -> tuple[Recorded, Found | None]:
        """Record what a person said, all of it in one change of the standing.

        A person without a record gets one, unless everything was refused; whoever signs in later
        with the same identity finds it. Whoever has one is named in it as in the document: a number
        alone is nobody's word. With a consent comes a handle to go on with.

        Raises:
            NotFound, Forbidden: no such scenario; the party is not registered for it.
            Malformed: the number, the birthday, the purpose or a text is not what it should be.
            TextChanged: a text is another now and must be read again.
            AdultsOnly, IdentityRefused: the person can have no record, or has one under another
                name; nothing was written.
            TooManyRequests: too many from this desk, or too many under another name.
        """
        remit = self._texts.remit(attendant.party, visit.scenario)
        check_purpose(remit, visit.purpose)
        texts = self._read(remit, visit)
        check_document(visit.document)
        admitted = self._citizens.admit(visit.document)
        if not visit.said.anything:
            return Recorded((), None), None
        await self._finding.charge_recording(attendant, remit)
        citizen, recorded = await self._write(attendant, remit, visit, texts, admitted, act)
        found = None
        if visit.said.consent:
            found = self._finding.at_the_desk(attendant, remit, citizen)
        return recorded, found

    def _read(self, remit: Remit, visit: Visit) -> Texts:
        texts, read, said = self._texts.texts(remit), visit.read, visit.said
        for name in ("score", "consent", "commitment"):
            text: ReadText | None = getattr(texts, name)
            same_words(getattr(read, name), text, name)
            if text is None and getattr(said, name):
                raise Malformed([(f"/said/{name}", "this scenario does not ask for it")])
        if visit.leave_out and not said.score:
            raise Malformed([("/leave_out", "there is no score to leave anything out of")])
        return texts

    async def _write(
        self,
        attendant: Attendant,
        remit: Remit,
        visit: Visit,
        texts: Texts,
        admitted: Admitted,
        act: Act | None,
    ) -> tuple[UUID, Recorded]:
        for _ in range(2):
            known = await self._citizens.known(admitted)
            citizen = known or self._ids.random_uuid()
            newcomer = admitted if known is None else None
            try:
                async with self._books.writer.change(citizen) as connection:
                    occasion = Occasion(
                        attendant=attendant,
                        remit=remit,
                        purpose=visit.purpose,
                        document=visit.document.kind,
                        at_us=await consent_rows.now_us(connection),
                    )
                    work = partial(
                        self._work, connection, citizen, occasion, visit, texts, newcomer
                    )
                    recorded = await once(connection, act, Recorded, work)
                    await self._finding.hit(connection, attendant, remit)
                return citizen, recorded
            except (_Rival, AccountClosed):
                continue  # enrolled or closed at this very moment: look again
        raise StillRunning

    async def _work(
        self,
        connection: Connection,
        citizen: UUID,
        occasion: Occasion,
        visit: Visit,
        texts: Texts,
        newcomer: Admitted | None,
    ) -> Recorded:
        done: list[Done] = []
        if newcomer is not None:
            if not await self._citizens.enrol_one_within(connection, citizen, newcomer):
                raise _Rival
            done.append(Done(id=self._acts.new_id(occasion), act="enrolment"))
        elif not await self._citizens.is_named_within(connection, citizen, visit.document.name):
            raise IdentityRefused("name")
        scribe = Scribe(self._books, self._acts, connection, citizen, occasion)
        if visit.said.score and texts.score:
            done.append(await scribe.score(texts.score, visit.leave_out))
        if visit.said.consent:
            done.append(await scribe.consent(texts.consent))
        if visit.said.commitment and texts.commitment:
            done.append(await scribe.promise(texts.commitment))
        receipt = await self._acts.close(connection, citizen, occasion, done)
        return Recorded(tuple(each.act for each in done if each.act in GIVEN), receipt)
