"""What one person said yes to, written inside one change of that person's standing."""

from __future__ import annotations

from uuid import UUID

from gateway.assisted.acts import AssistedActs, Books, Occasion
from gateway.assisted.receipt import Done
from gateway.assisted.texts import ReadText
from gateway.consents import Wanted
from gateway.store.database import Connection


class Scribe:
    """Writes for one person, on one occasion."""

    def __init__(
        self,
        books: Books,
        acts: AssistedActs,
        connection: Connection,
        citizen: UUID,
        occasion: Occasion,
    ) -> None:
        self._books, self._acts = books, acts
        self._connection, self._citizen, self._occasion = connection, citizen, occasion
        self._recipient = occasion.remit.registration.recipient.entity
        self._scenario = occasion.remit.scenario.manifest.id

    async def score(self, text: ReadText, leave_out: tuple[str, ...]) -> Done:
        """The score may be computed, without these kinds of merit."""
        said = await self._books.authorisations.give_aloud_within(
            self._connection, self._citizen, leave_out
        )
        return Done(
            id=self._acts.new_id(self._occasion, 1),
            act="score_authorisation",
            version=said.version,
            text=text,
            # What the person said here, and never what was left out before.
            left_out=tuple(sorted(set(leave_out))),
        )

    async def consent(self, text: ReadText) -> Done:
        """The party's recipient may ask."""
        act = self._acts.new_id(self._occasion, 2)
        wanted = Wanted(
            recipient=self._recipient, scenario=self._scenario, purpose=self._occasion.purpose
        )
        given = await self._books.consents.give_aloud_within(
            self._connection, self._citizen, wanted, bytes.fromhex(text.sha256), act
        )
        return Done(
            id=act,
            act="consent",
            target=given.id,
            version=given.version,
            text=text,
            until_us=given.to_us,
        )

    async def promise(self, text: ReadText) -> Done:
        """The person promises, towards the party's recipient."""
        act, towards = self._acts.new_id(self._occasion, 3), (self._scenario, self._recipient)
        made = await self._books.commitments.promise_aloud_within(
            self._connection, self._citizen, *towards, bytes.fromhex(text.sha256), act
        )
        return Done(id=act, act="commitment", target=made.id, version=made.version, text=text)
