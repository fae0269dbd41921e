"""Importing scoring facts: every row is checked, good ones are kept, bad ones are named.

Whose fact a row states is taken out of it first and becomes a keyed index, so the catalogue and
the model never see a person, and facts may arrive before the person first signs in. A row about
a record that is on file already replaces it where it says something else (a corrected fact) and
changes nothing where it says the same, so a file may be imported any number of times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from gateway.fact_file import PERSON, Row
from gateway.identity_number import IdentityNumber, parse_identity_number
from gateway.store import fact as rows
from gateway.store import staff as staff_rows
from gateway.store.database import Connection, Database
from gateway.store.fact import Written
from gateway.store.staff import Staff
from gateway.vault import blind_index
from scoring import Catalogue, Fact, Rejected, Rule, check_row

#: Rows of one transaction.
BATCH = 1000


class Report(msgspec.Struct):
    """What became of the rows: `read` is the sum of the others.

    `repeated` rows were restated by a later row of the file; of several about one record the
    last counts.
    """

    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated: int = 0
    rejected: int = 0


def identity_index(key: bytes, number: IdentityNumber) -> bytes:
    """The blind index under which a person's facts and record are found."""
    return blind_index(key, "identity", number.text)


class FactImport:
    """Imports rows into the table of facts.

    Args:
        database: as the owner; the serving role cannot write facts.
        catalogue: which records may enter at all, on the day of the import.
        index_key: keys the blind index.
        staff: the person who imports, noted for each citizen whose facts change; None for a
            delivery that runs by itself.
    """

    def __init__(
        self,
        database: Database,
        catalogue: Catalogue,
        index_key: bytes,
        staff: Staff | None = None,
    ) -> None:
        self._database = database
        self._catalogue = catalogue
        self._index_key = index_key
        self._staff = staff

    async def run(
        self, given: Iterable[Row | Rejected], on_reject: Callable[[Rejected], None]
    ) -> Report:
        """Import rows in batches, each durable by itself; refused rows go to `on_reject`."""
        report = Report()
        batch: dict[tuple[object, ...], tuple[bytes, Fact]] = {}
        for row in given:
            report.read += 1
            known = self._check(row)
            if isinstance(known, Rejected):
                report.rejected += 1
                on_reject(known)
                continue
            key = (known[0], *known[1].key)
            report.repeated += key in batch
            batch[key] = known
            if len(batch) >= BATCH:
                await self._put(list(batch.values()), report)
                batch = {}
        if batch:
            await self._put(list(batch.values()), report)
        return report

    def _check(self, row: Row | Rejected) -> tuple[bytes, Fact] | Rejected:
        if isinstance(row, Rejected):
            return row
        person = _person(row.cells.get(PERSON))
        if person is None:
            return Rejected(row.line, PERSON, "is not an identity number", Rule.FORMAT)
        nobody = {name: cell for name, cell in row.cells.items() if name != PERSON}
        fact = check_row(nobody, self._catalogue, row.line)
        if isinstance(fact, Rejected):
            return fact
        return identity_index(self._index_key, person), fact

    async def _put(self, batch: list[tuple[bytes, Fact]], report: Report) -> None:
        async with self._database.transaction() as connection:
            written = await rows.put(connection, batch)
            await self._note(connection, written)
        report.new += written.new
        report.changed += written.changed
        report.unchanged += len(batch) - written.new - written.changed

    async def _note(self, connection: Connection, written: Written) -> None:
        if self._staff is not None and written.people:
            await staff_rows.note_people(
                connection, self._staff, "facts.import", sorted(written.people)
            )


def _person(cell: object) -> IdentityNumber | None:
    try:
        return parse_identity_number(cell.strip().upper()) if isinstance(cell, str) else None
    except ValueError:
        return None
