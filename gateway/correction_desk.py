"""The office's half of corrections: what waits, one of them in full, and the decision.

Whoever opens or decides a request names person and purpose, and the citizen sees it among the
lookups. A list names nobody and holds no words, so looking at it is not an act on anybody.
"""

from __future__ import annotations

from typing import Final, Literal
from uuid import UUID

import msgspec

from gateway.citizens import Person, identity_of, visitor_of
from gateway.corrections import Correction, answer_place, opened
from gateway.errors import Conflict, NotFound
from gateway.store import citizen as citizen_rows
from gateway.store import correction as rows
from gateway.store import staff as staff_rows
from gateway.store.citizen import PersonRow
from gateway.store.correction import CorrectionRow
from gateway.store.database import Connection, Database
from gateway.store.staff import Staff
from gateway.vault import Vault

#: Requests of one look.
LISTED: Final = 200

Decision = Literal["accepted", "refused"]


class Case(msgspec.Struct, frozen=True):
    """A request with the person who made it."""

    person: Person
    correction: Correction


class CorrectionDesk:
    """Works as the database's owner."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    async def waiting(self) -> list[CorrectionRow]:
        """What waits, the longest due first: what is overdue stands on top."""
        async with self._database.connection() as connection:
            return await rows.waiting(connection, LISTED)

    async def show(self, request: UUID, staff: Staff) -> Case:
        """One request in full; noted for the citizen.

        Raises:
            NotFound: there is none, or its account was closed.
        """
        async with self._database.transaction() as connection:
            row, who = await _case(connection, request)
            await staff_rows.note(connection, staff, "corrections.show", row.citizen)
        seal = self._vault.person(who.wrapped_key, row.citizen)
        if who.home is not None:
            return Case(visitor_of(who.home, who, None), opened(row, seal))
        return Case(identity_of(who, row.citizen, seal), opened(row, seal))

    async def decide(self, request: UUID, decision: Decision, words: str, staff: Staff) -> None:
        """Decide a request, with the words that the citizen reads; noted for the citizen.

        Raises:
            NotFound: there is none, or its account was closed.
            Conflict: it was decided before.
        """
        async with self._database.transaction() as connection:
            row, who = await _case(connection, request)
            seal = self._vault.person(who.wrapped_key, row.citizen)
            answer = seal.seal(words.encode(), answer_place(row.id))
            if not await rows.decide(connection, row.id, decision, staff.name, answer):
                raise Conflict(f"this request no longer waits: it was {row.status}")
            await staff_rows.note(connection, staff, "corrections.decide", row.citizen)


async def _case(connection: Connection, request: UUID) -> tuple[CorrectionRow, PersonRow]:
    row = await rows.one(connection, request)
    who = await citizen_rows.person(connection, row.citizen) if row is not None else None
    if row is None or who is None:
        raise NotFound("there is no such request")
    return row, who
