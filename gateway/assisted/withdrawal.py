"""Taking a word back at the counter: as easy as giving it there (PIPL 15).

A party's counter takes back what concerns its own recipient and scenario, and the word on the
score where it was given at that party. Whether anything stood shows in nothing but the receipt:
"none" and "unknown" are one answer.
"""

from __future__ import annotations

from functools import partial
from typing import Literal, TypeAlias
from uuid import UUID

import msgspec

from gateway.assisted.acts import TAKING_BACK, AssistedActs, Books, Occasion
from gateway.assisted.attendant import Attendant
from gateway.assisted.finding import Finding, Shown
from gateway.assisted.receipt import Done, Receipt
from gateway.assisted.texts import AssistedTexts, Remit
from gateway.consent_rules import state
from gateway.errors import NotFound
from gateway.idempotency import Act, once
from gateway.store import assisted as rows
from gateway.store import consent as consent_rows
from gateway.store.database import Connection

What: TypeAlias = Literal["score", "consent", "commitment"]


class TakingBack(msgspec.Struct, frozen=True, kw_only=True):
    """What a person takes back, and the document that is shown for it."""

    scenario: str
    what: What
    document: Shown


class Withdrawal:
    """What counters take back for the people before them."""

    def __init__(
        self,
        *,
        books: Books,
        texts: AssistedTexts,
        finding: Finding,
        acts: AssistedActs,
    ) -> None:
        self._books = books
        self._texts, self._finding, self._acts = texts, finding, acts

    async def withdraw(self, attendant: Attendant, wish: TakingBack, act: Act | None) -> Receipt:
        """Take back what stands. When this returns, it binds every question that starts now.

        Raises:
            NotFound: nothing of the kind stands, whoever the document's owner is.
            TooManyRequests: too many that found nothing.
            Malformed, Forbidden: the number is none; the party is not registered.
        """
        remit = self._texts.remit(attendant.party, wish.scenario)
        citizen = await self._finding.who_takes_back(attendant, remit, wish.document)
        async with self._books.writer.change(citizen, closed_too=True) as connection:
            occasion = Occasion(
                attendant=attendant,
                remit=remit,
                purpose=TAKING_BACK,
                document=wish.document.kind,
                at_us=await consent_rows.now_us(connection),
            )
            work = partial(self._work, connection, citizen, occasion, wish.what)
            receipt = await once(connection, act, Receipt, work)
            await self._finding.took_back(connection, attendant, remit)
        return receipt

    async def _work(
        self, connection: Connection, citizen: UUID, occasion: Occasion, what: What
    ) -> Receipt:
        taken = {"score": self._score, "consent": self._consent, "commitment": self._promise}[what]
        done = await taken(connection, citizen, occasion)
        if done is None:
            raise NotFound
        return await self._acts.close(connection, citizen, occasion, [done])

    async def _score(
        self, connection: Connection, citizen: UUID, occasion: Occasion
    ) -> Done | None:
        if not await rows.gave_score_word(connection, citizen, occasion.remit.party.num):
            return None
        said = await self._books.authorisations.withdraw_aloud_within(connection, citizen)
        return Done(id=self._acts.new_id(occasion), act="score_withdrawal", version=said.version)

    async def _consent(
        self, connection: Connection, citizen: UUID, occasion: Occasion
    ) -> Done | None:
        recipient, scenario = _towards(occasion.remit)
        held = await consent_rows.newest(connection, citizen, recipient, scenario)
        if held is None or state(held) not in ("active", "paused"):
            return None
        identifier = self._acts.new_id(occasion)
        after = await self._books.consents.withdraw_aloud_within(
            connection, citizen, held.id, identifier
        )
        return Done(id=identifier, act="consent_withdrawal", target=after.id, version=after.version)

    async def _promise(
        self, connection: Connection, citizen: UUID, occasion: Occasion
    ) -> Done | None:
        recipient, scenario = _towards(occasion.remit)
        after = await self._books.commitments.withdraw_aloud_within(
            connection, citizen, scenario, recipient
        )
        if after is None:
            return None
        return Done(
            id=self._acts.new_id(occasion),
            act="commitment_withdrawal",
            target=after.id,
            version=after.version,
        )


def _towards(remit: Remit) -> tuple[str, str]:
    return remit.registration.recipient.entity, remit.scenario.manifest.id
