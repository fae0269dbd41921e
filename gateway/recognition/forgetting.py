"""What a city forgets of its visitors: to the second when they came, in which order, and those who
stay away; and of what it said of its own citizens, what is long over.

The home city keeps the true time of what it decided. So whatever here tells when somebody came more
finely than by the day would join two cities' databases to one person, and so would the order in
which rows lie or standings are numbered (docs/protocol/recognition.md 10).
"""

from __future__ import annotations

from typing import Final

import structlog

from gateway.closing import Closing
from gateway.errors import GatewayError
from gateway.standing import StandingWriter
from gateway.store import recognition as recognition_rows
from gateway.store import visit as rows
from gateway.store.database import Database

#: Grants of one step, visitors of one change, and visitors of one step.
IATS, GRANTS, SETTLED, CLOSED = 1000, 1000, 50, 20

#: Who did not visit for so many days is let go as if the account had been closed.
ABSENT_DAYS: Final = 400

_log = structlog.get_logger(__name__)


class Forgetting:
    """One city's forgetting; it has no state of its own, and any process may do any of it."""

    def __init__(self, database: Database, writer: StandingWriter, closing: Closing) -> None:
        self._database, self._writer, self._closing = database, writer, closing

    async def times(self) -> int:
        """Forget when grants were made that nobody can show any more; returns of how many."""
        async with self._database.connection() as connection:
            return await rows.forget_iat(connection, IATS)

    async def order(self) -> int:
        """Write the rows of visitors of former days anew, in a random order and with standings of
        new versions; returns of how many visitors."""
        async with self._database.connection() as connection:
            citizens = set(await rows.unsettled(connection, SETTLED))
        if citizens:
            async with self._writer.change(*citizens, closed_too=True) as connection:
                await rows.settle(connection, list(citizens))
        return len(citizens)

    async def grants(self) -> int:
        """Forget what was said of citizens to other cities, long after its end; returns of how many
        grants."""
        async with self._database.connection() as connection:
            return await recognition_rows.forget(connection, GRANTS)

    async def absent(self) -> int:
        """Close the accounts of visitors who stay away and owe nothing here; returns how many.

        As with any account: consents are withdrawn, and parties told what to delete.
        """
        async with self._database.connection() as connection:
            citizens = await rows.absent(connection, ABSENT_DAYS, CLOSED)
        done = 0
        for citizen in citizens:
            try:
                await self._closing.end(citizen)
                done += 1
            except GatewayError as fault:  # it comes again with the next step
                _log.warning("visitor_not_closed", error=type(fault).__name__)
        return done
