"""Acts at a counter, written with what they do and with the hash of the receipt that is printed.

The acts are rows of one transaction with the change itself: what staff did to a citizen's record
is on record exactly where it happened, and the citizen sees it (gateway/lookups.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from gateway.assisted.attendant import Attendant
from gateway.assisted.receipt import Done, Receipt, Sheet, printed
from gateway.assisted.texts import Remit
from gateway.authorisations import Authorisations
from gateway.commitments import Commitments
from gateway.consents import Consents
from gateway.ids import Ids
from gateway.settings import Settings
from gateway.standing import StandingWriter
from gateway.store import assisted as rows
from gateway.store.assisted import ActRow
from gateway.store.database import Connection

#: Purposes that are not a scenario's own.
RETURNING, TAKING_BACK = "returning", "withdrawal"


class Books(NamedTuple):
    """Where a citizen's word is kept, each changed with the standing."""

    writer: StandingWriter
    authorisations: Authorisations
    consents: Consents
    commitments: Commitments


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """One visit to a desk: who serves, in which scenario, why, which kind of document, when.

    `at_us` is the database's clock.
    """

    attendant: Attendant
    remit: Remit
    purpose: str
    document: str
    at_us: int


class AssistedActs:
    """Writes acts."""

    def __init__(self, settings: Settings, ids: Ids) -> None:
        self._settings, self._ids = settings, ids

    def new_id(self, occasion: Occasion, number: int = 0) -> UUID:
        """The id of the occasion's next act; acts of one occasion sort in the order of number."""
        return self._ids.uuid7(occasion.at_us + number)

    async def close(
        self, connection: Connection, citizen: UUID, occasion: Occasion, done: Sequence[Done]
    ) -> Receipt:
        """Record what was done, and the hash of the receipt that says so."""
        sheet = Sheet(
            attendant=occasion.attendant,
            remit=occasion.remit,
            document=occasion.document,
            at_us=occasion.at_us,
            done=tuple(done),
        )
        receipt = printed(self._settings, sheet, self._ids)
        await rows.add(connection, [_row(citizen, occasion, each, receipt) for each in done])
        return receipt

    async def note(
        self, connection: Connection, citizen: UUID, occasion: Occasion, done: Done
    ) -> None:
        """Record an act that changes nothing, so that nothing is printed."""
        await rows.add(connection, [_row(citizen, occasion, done, None)])


def _row(citizen: UUID, occasion: Occasion, done: Done, receipt: Receipt | None) -> ActRow:
    attendant, remit, text = occasion.attendant, occasion.remit, done.text
    return ActRow(
        id=done.id,
        citizen=citizen,
        party=remit.party.num,
        staff=attendant.staff,
        staff_name=attendant.name,
        place=attendant.place,
        scenario=remit.scenario.manifest.id,
        purpose=occasion.purpose,
        act=done.act,
        target=done.target,
        target_version=done.version,
        text_version=text.version if text else None,
        text_sha256=bytes.fromhex(text.sha256) if text else None,
        document=occasion.document,
        receipt_no=receipt.number if receipt else None,
        receipt_sha256=bytes.fromhex(receipt.sha256) if receipt else None,
    )
