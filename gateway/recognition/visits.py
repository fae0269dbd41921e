"""A visitor's own visit: where from, what for, as what; ended by the visitor at any time."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from gateway.errors import NotFound
from gateway.recognition.entry import Words
from gateway.recognition.neighbours import Schemes, Trust
from gateway.standing import StandingWriter
from gateway.store import visit as rows
from gateway.store.database import Database
from gateway.store.visit import VisitRow
from scenarios.manifest import Text

#: Why a visit ended, as its row says: the visitor's own word, or a later visit.
OWN_WORD: Final = "visitor"


class Home(msgspec.Struct, frozen=True):
    """A home city; `name` and `contact` are None while the trust list does not tell them."""

    code: str
    name: Words | None
    contact: str | None


class Visit(msgspec.Struct, frozen=True):
    """A visitor's last visit. `row` is None where its rows have been forgotten since."""

    home: Home
    row: VisitRow | None
    scheme_title: Text | None


class Visits:
    """The visits of the city's visitors, for their own eyes; one instance per worker."""

    def __init__(
        self, database: Database, writer: StandingWriter, trust: Trust, schemes: Schemes
    ) -> None:
        self._database, self._writer = database, writer
        self._trust, self._schemes = trust, schemes

    async def of(self, citizen: UUID) -> Visit | None:
        """A visitor's visit; None for the city's own citizens."""
        async with self._database.connection() as connection:
            code = await rows.home(connection, citizen)
            row = await rows.latest(connection, citizen) if code is not None else None
        if code is None:
            return None
        scheme = self._schemes.get(row.scheme, row.scheme_version) if row else None
        return Visit(self.home(code), row, scheme.title if scheme else None)

    def home(self, code: str) -> Home:
        """What the trust list says of a home city."""
        city = self._trust.city(code)
        if city is None:
            return Home(code, None, None)
        return Home(code, city.entry.name, city.entry.contact)

    async def end(self, citizen: UUID) -> None:
        """End the visit; every question that starts afterwards reads the ordinary way.

        Raises:
            NotFound: this is no visitor.
        """
        async with self._writer.change(citizen) as connection:
            if await rows.home(connection, citizen) is None:
                raise NotFound
            await rows.end_all(connection, citizen, OWN_WORD)
