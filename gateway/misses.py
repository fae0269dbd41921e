"""How often people may err who type what could be guessed: counted in PostgreSQL, exactly.

Whoever tries holds the names that it would err under, until its transaction ends, so a thousand
tries at once are tried one after the other and not all before the first is counted. A try that
succeeds costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.clock import SECOND_US
from gateway.errors import TooManyRequests
from gateway.gcra import Rate, charge
from gateway.store import miss as rows
from gateway.store.database import Connection

#: A typed code of eight digits: wrong ones of one desk, and of all desks of one party together.
#: With n codes waiting at its desks a party that does nothing but guess finds one with a chance of
#: n · 14,400 / 100,000,000 in a day.
AT_DESK: Final = Rate(30 * SECOND_US, 6)
OF_PARTY: Final = Rate(6 * SECOND_US, 20)

#: A desk's number of six digits, typed by a citizen. It is public, only not to be walked through.
OF_CITIZEN: Final = Rate(30 * SECOND_US, 10)

#: Changes of one's own consents, each of which is kept and told to its party. Withdrawing is not
#: among them: it is never bounded.
OF_CHANGES: Final = Rate(6 * SECOND_US, 60)


class Tries:
    """The names of one try, held until the transaction ends."""

    def __init__(self, after: Mapping[str, int]) -> None:
        self._after = after

    async def missed(self, connection: Connection) -> None:
        """Count the try, which was wrong, under each of its names."""
        await rows.keep(connection, self._after)


async def count(connection: Connection, rates: Mapping[str, Rate]) -> None:
    """Count one try under each name, before it is known what comes of it.

    Raises:
        TooManyRequests: one of them has no room.
    """
    await (await trying(connection, rates)).missed(connection)


async def forgive(connection: Connection, rates: Mapping[str, Rate]) -> None:
    """Take back a try that was counted under each name: it was none."""
    await rows.give_back(connection, {name: rate.interval_us for name, rate in rates.items()})


async def trying(connection: Connection, rates: Mapping[str, Rate]) -> Tries:
    """Hold each name for one try at its rate.

    Raises:
        TooManyRequests: one of them has erred too often lately.
    """
    after: dict[str, int] = {}
    for row in await rows.hold(connection, list(rates)):
        after[row.name], grant = charge(row.full_at_us, row.now_us, rates[row.name], 1)
        if not grant.admitted:
            raise TooManyRequests(-(-grant.retry_us // SECOND_US))
    return Tries(after)
