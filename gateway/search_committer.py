"""The group commit of searches: durable and still true, or no answer.

The same promise as a decision's (gateway/committer.py), for rows of another shape: one autocommit
statement in flight, sent after every search in it has arrived, and never repeated when its outcome
is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import asyncpg
import msgspec
import structlog

from gateway.batching import Batcher
from gateway.clock import SECOND_US, Clock
from gateway.committer import UNKNOWN_MAX, Lost
from gateway.errors import DependencyDown, GatewayError, OutcomeUnknown, Overloaded
from gateway.store import decision as decisions
from gateway.store import search as rows
from gateway.store.database import LOST, Database
from gateway.store.search import SearchOutcome, SearchProposal

#: Searches of one statement, each of which looks up every policy it asked.
BATCH_MAX = 32

#: SQLSTATE classes in which one row can make a whole statement fail: data, constraint, rollback.
_ROW_FAULTS = ("22", "23", "40")

_log = structlog.get_logger(__name__)


class Waiting(msgspec.Struct, frozen=True):
    """A proposal on its way, and the instant (monotonic seconds) after which it is not sent."""

    proposal: SearchProposal
    deadline: float


class SearchCommitter:
    """Records searches of one worker in batches, over connections with the committer's planner."""

    def __init__(
        self, database: Database, clock: Clock, *, answer_ttl_s: int, waiting_max: int
    ) -> None:
        self._database, self._clock = database, clock
        self._answer_ttl_us = answer_ttl_s * SECOND_US
        self._unknown: list[Lost] = []
        self.batcher: Batcher[Waiting, SearchOutcome] = Batcher(
            self._run, batch_max=BATCH_MAX, waiting_max=waiting_max
        )

    async def record(self, proposal: SearchProposal, deadline: float) -> SearchOutcome:
        """Record a search, or learn which of its premises no longer holds.

        Raises:
            OutcomeUnknown: the connection was lost while the statement was under way.
            DependencyDown: PostgreSQL cannot be reached; nothing was sent.
            Overloaded: too many wait, or the deadline passed before there was a turn.
        """
        return await self.batcher.submit(Waiting(proposal, deadline))

    async def reconcile(self) -> int:
        """Mark rows of unknown outcomes that exist after all as recorded, not delivered; looked
        for once, when the server process that had the statement is gone."""
        lost = list(self._unknown)
        if not lost:
            return 0
        async with self._database.connection() as connection:
            living = await decisions.living(connection, [(one.backend, one.at_us) for one in lost])
            settled = [one for one in lost if one.backend not in living]
            ids = [identifier for one in settled for identifier in one.ids]
            found = await rows.mark_undelivered(connection, ids)
        self._unknown = [one for one in self._unknown if one not in settled]
        return found

    async def _run(self, batch: Sequence[Waiting]) -> list[SearchOutcome | Exception]:
        now = self._clock.monotonic()
        timely = [waiting.proposal for waiting in batch if waiting.deadline > now]
        recorded = iter(await self._record(timely) if timely else [])
        return [
            next(recorded) if waiting.deadline > now else Overloaded(retry_after_s=1)
            for waiting in batch
        ]

    async def _record(self, proposals: list[SearchProposal]) -> list[SearchOutcome | Exception]:
        try:
            return list(await self._send(proposals))
        except GatewayError as fault:
            return [fault] * len(proposals)
        except asyncpg.PostgresError as fault:
            if len(proposals) == 1 or (fault.sqlstate or "")[:2] not in _ROW_FAULTS:
                _log.error("commit_failed", sqlstate=fault.sqlstate)
                return [DependencyDown("database")] * len(proposals)
        # It rolled back as a whole, so its halves may be sent: no row ever fails another's.
        half = len(proposals) // 2
        return await self._record(proposals[:half]) + await self._record(proposals[half:])

    async def _send(self, proposals: list[SearchProposal]) -> list[SearchOutcome]:
        async with self._database.connection() as connection:
            backend = connection.get_server_pid()
            try:
                return await rows.record(connection, proposals, answer_ttl_us=self._answer_ttl_us)
            except LOST as fault:
                # Once sent, a lost connection or a timeout says nothing about the outcome. The
                # connection is ended so that its server process, when it is done, ends too.
                ids = tuple(proposal.record.id for proposal in proposals)
                self._unknown.append(Lost(backend, self._clock.now_us(), ids))
                del self._unknown[:-UNKNOWN_MAX]
                with suppress(asyncpg.InterfaceError):  # it has ended by itself
                    connection.terminate()
                raise OutcomeUnknown from fault
