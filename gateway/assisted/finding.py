"""A returning person, found by the document where a consent stands, and only there.

"No consent" and "unknown" are one answer with one cost: the same statements run, with a random
stand-in where nobody has the number. Document numbers can be tried one after the other, so each
desk and each party finds, and above all fails to find, a bounded number of times; and whoever is
found sees it.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from gateway.assisted.acts import RETURNING, AssistedActs, Occasion
from gateway.assisted.attendant import Attendant, number_of
from gateway.assisted.receipt import Done
from gateway.assisted.texts import AssistedTexts, Remit
from gateway.citizens import Citizens
from gateway.clock import MINUTE_US, SECOND_US
from gateway.consent_rules import state
from gateway.counter.questions import Person
from gateway.counter.tickets import Tickets
from gateway.errors import NotFound
from gateway.gcra import Rate
from gateway.ids import Ids
from gateway.misses import count, forgive
from gateway.pseudonyms import Pseudonyms
from gateway.store import citizen as citizen_rows
from gateway.store import consent as consent_rows
from gateway.store.database import Connection, Database

#: What one account and one party may look up: so many at once after a rest, one in each interval.
DESK: Final = Rate(MINUTE_US, 30)
PARTY: Final = Rate(10 * SECOND_US, 120)
#: And how often they may find nobody. A birthday leaves some 500 numbers to try: days, not minutes.
DESK_MISSES: Final = Rate(15 * MINUTE_US, 8)
PARTY_MISSES: Final = Rate(5 * MINUTE_US, 40)
#: How often taking back may find nothing. No look-up counts here and none of these there: whoever
#: tries numbers at a desk must not keep the next person from taking back (PIPL 15).
DESK_BACK: Final = Rate(MINUTE_US, 30)
PARTY_BACK: Final = Rate(12 * SECOND_US, 150)

#: How long a person may stay at the desk without showing the document again, in seconds.
PERSON_LIFE_S: Final = 900


class Shown(msgspec.Struct, frozen=True):
    """The document that a returning person shows: its kind, and the number on it."""

    kind: str
    id_number: str

    def __repr__(self) -> str:
        return "Shown(…)"  # a traceback or a log shows the representation


class Found(msgspec.Struct, frozen=True):
    """A person at the desk, as a sealed handle for the counter's question.

    It is good for one session and one scenario and for minutes; the desk cannot read it, keep it or
    hand it on. Who returns shows the document again.
    """

    person: str


class Finding:
    """Finds people at the counters of a city."""

    def __init__(
        self,
        *,
        database: Database,
        citizens: Citizens,
        texts: AssistedTexts,
        acts: AssistedActs,
        pseudonyms: Pseudonyms,
        tickets: Tickets,
        ids: Ids,
    ) -> None:
        self._database, self._citizens = database, citizens
        self._texts, self._acts = texts, acts
        self._pseudonyms, self._tickets, self._ids = pseudonyms, tickets, ids

    async def find(self, attendant: Attendant, scenario: str, shown: Shown) -> Found:
        """A handle of the person who shows a document.

        Raises:
            NotFound: no consent to be asked about by this party in this scenario stands.
            TooManyRequests: too many look-ups, or too many that found nobody.
            Malformed, Forbidden: the number is none; the party is not registered.
        """
        remit = self._texts.remit(attendant.party, scenario)
        citizen = await self._who(shown, _looked(attendant, remit) | _missed(attendant, remit))
        async with self._database.transaction() as connection:
            if not await _consents(connection, citizen, remit):
                raise NotFound
            occasion = Occasion(
                attendant=attendant,
                remit=remit,
                purpose=RETURNING,
                document=shown.kind,
                at_us=await consent_rows.now_us(connection),
            )
            done = Done(id=self._acts.new_id(occasion), act="found")
            await self._acts.note(connection, citizen, occasion, done)
            await self.hit(connection, attendant, remit)
        return self.at_the_desk(attendant, remit, citizen)

    def at_the_desk(self, attendant: Attendant, remit: Remit, citizen: UUID) -> Found:
        """The handle of a person who stands at the desk."""
        subject = self._pseudonyms.subject(citizen, remit.registration.recipient.sector)
        person = Person(attendant.session, remit.scenario.manifest.id, subject)
        return Found(self._tickets.seal(person, PERSON_LIFE_S))

    async def who_takes_back(self, attendant: Attendant, remit: Remit, shown: Shown) -> UUID:
        """The citizen of a document, or a random stand-in about whom there is nothing.

        It counts as a try to take back that finds nothing, until `took_back` says otherwise.

        Raises:
            TooManyRequests: there is no room for it.
            Malformed: the number is none.
        """
        return await self._who(shown, _back(attendant, remit))

    async def took_back(self, connection: Connection, attendant: Attendant, remit: Remit) -> None:
        """There was something to take back."""
        await forgive(connection, _back(attendant, remit))

    async def charge_recording(self, attendant: Attendant, remit: Remit) -> None:
        """Count one recording, as one under another's name until `hit` says otherwise.

        Raises:
            TooManyRequests: there is no room for it.
        """
        await self._count(_looked(attendant, remit) | _missed(attendant, remit))

    async def hit(self, connection: Connection, attendant: Attendant, remit: Remit) -> None:
        """The look-up found somebody, or the recording was made."""
        await forgive(connection, _missed(attendant, remit))

    async def _who(self, shown: Shown, rates: dict[str, Rate]) -> UUID:
        index = self._index(shown)
        await self._count(rates)
        async with self._database.connection() as connection:
            return await citizen_rows.by_identity(connection, index) or self._ids.random_uuid()

    async def _count(self, rates: dict[str, Rate]) -> None:
        # A transaction of its own: what follows may fail, and counts all the same.
        async with self._database.transaction() as connection:
            await count(connection, rates)

    def _index(self, shown: Shown) -> bytes:
        return self._citizens.index(number_of(shown.id_number, "/document/id_number"))


async def _consents(connection: Connection, citizen: UUID, remit: Remit) -> bool:
    recipient, scenario = remit.registration.recipient.entity, remit.scenario.manifest.id
    held = await consent_rows.newest(connection, citizen, recipient, scenario)
    return held is not None and state(held) == "active"


def _looked(attendant: Attendant, remit: Remit) -> dict[str, Rate]:
    return {f"assisted-look/{attendant.staff.hex}": DESK, f"assisted-look/{remit.party.num}": PARTY}


def _missed(attendant: Attendant, remit: Remit) -> dict[str, Rate]:
    return {
        f"assisted-miss/{attendant.staff.hex}": DESK_MISSES,
        f"assisted-miss/{remit.party.num}": PARTY_MISSES,
    }


def _back(attendant: Attendant, remit: Remit) -> dict[str, Rate]:
    return {
        f"assisted-back/{attendant.staff.hex}": DESK_BACK,
        f"assisted-back/{remit.party.num}": PARTY_BACK,
    }
