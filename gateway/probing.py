"""No quantity that a party can vary may reveal a citizen's band: who tries too many is marked.

Asking the same question with many amounts would find the limit, and with it the band. Different
questions a day are counted off the path, from the records themselves; beyond the limit a mark in
the citizen's standing turns the recipient's further questions of the day to the ordinary way. The
citizen sees why.
"""

from __future__ import annotations

from uuid import UUID

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

#: Citizens looked at by one statement, and questions of the day about each, so that a statement's
#: work is bounded however many questions there were, by whomever.
TOGETHER, NEWEST = 200, 500

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
        found = await self._probing(self._looked_us - 2 * OVERLAP_US, until_us)
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

    async def _probing(self, since_us: int, until_us: int) -> list[tuple[UUID, int]]:
        """Citizens asked about in a stretch of time, with the sectors that tried too much today."""
        found: list[tuple[UUID, int]] = []
        async with self._database.connection() as connection:
            citizens = await rows.asked_about(connection, since_us, until_us)
            for start in range(0, len(citizens), TOGETHER):
                some = citizens[start : start + TOGETHER]
                found += await rows.probing(connection, some, self._most, NEWEST)
        return found
