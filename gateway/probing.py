"""No quantity that a party can vary may reveal a citizen's band: who tries too many is marked.

Asking the same question with many amounts would find the limit, and with it the band. Different
questions a day are counted off the path, from the records themselves; beyond the limit a mark in
the citizen's standing turns the recipient's further questions of the day to the ordinary way. The
citizen sees why.
"""

from __future__ import annotations

import structlog

from gateway.clock import MINUTE_US, SECOND_US, Clock
from gateway.errors import GatewayError
from gateway.standing import StandingWriter
from gateway.store import probe as rows
from gateway.store.database import Database

#: One look covers at most so much time, so that after an outage no statement grows too long.
STRETCH_US = MINUTE_US

#: Answers are looked at again for so long: ids are older than commits, and clocks differ.
OVERLAP_US = 10 * SECOND_US

#: Where the first look begins. Whoever goes on probing is counted for the whole day anyway.
BACK_US = MINUTE_US // 2

_log = structlog.get_logger(__name__)


class ProbeWatch:
    """Counts different questions, and marks. Several may run: a mark is the same twice."""

    def __init__(
        self, database: Database, writer: StandingWriter, clock: Clock, *, most: int
    ) -> None:
        self._database, self._writer, self._clock = database, writer, clock
        self._most = most
        self._looked_us = clock.now_us() - BACK_US

    async def step(self) -> int:
        """Look at what was asked since the last look; returns how many marks were made."""
        # Ids may be a moment ahead of this process's clock, hence the upper bound beyond now.
        now_us = self._clock.now_us() + OVERLAP_US
        until_us = min(now_us, self._looked_us + STRETCH_US)
        async with self._database.connection() as connection:
            found = await rows.probing(
                connection, self._looked_us - 2 * OVERLAP_US, until_us, self._most
            )
        for citizen, sector in found:
            try:
                async with self._writer.change(citizen) as connection:
                    await rows.mark(connection, citizen, sector)
            except GatewayError as fault:
                # The next question about this citizen brings the pair back.
                _log.warning("probe_mark_failed", error=type(fault).__name__)
        if found:
            _log.warning("probing", count=len(found))
        self._looked_us = until_us
        return len(found)
