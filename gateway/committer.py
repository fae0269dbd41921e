"""The group commit: no answer leaves before its record is durable and still true.

One autocommit statement, READ COMMITTED, on the primary, sent after every decision in it has
arrived. It records the decisions whose every premise still holds and says of the others what does
not (gateway/store/decision.sql). A batch is closed before it is sent, and one statement is in
flight per worker; the next takes what has gathered.

What is never done here: repeat a statement whose outcome is unknown. Its rows may exist, and are
then "recorded, not delivered".
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

import asyncpg
import msgspec
import structlog

from gateway.batching import Batcher
from gateway.clock import SECOND_US, Clock
from gateway.counts import Counts
from gateway.errors import DependencyDown, GatewayError, OutcomeUnknown, Overloaded
from gateway.store import decision as rows
from gateway.store.database import LOST, Database
from gateway.store.decision import Outcome, Proposal, Replay

_log = structlog.get_logger(__name__)

#: What pins the plan: every check is a primary-key look-up, whatever the statistics say.
PLANNER = {
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "plan_cache_mode": "force_generic_plan",
}

#: SQLSTATE classes in which one row can make a whole statement fail: data, constraint, rollback.
_ROW_FAULTS = ("22", "23", "40")

#: Batches of unknown outcome that are remembered until they are reconciled.
UNKNOWN_MAX = 1000


class Lost(msgspec.Struct, frozen=True):
    """A statement of unknown outcome: the server process that had it, since when, whose ids."""

    backend: int
    at_us: int
    ids: tuple[UUID, ...]


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """A proposal on its way, and the instant (monotonic seconds) after which it is not sent."""

    proposal: Proposal
    deadline: float


class Committer:
    """Records decisions of one worker in batches.

    Args:
        batch: a pool of its own with one connection and the `PLANNER` settings.
        single: connections for the second lane, with the same settings.
        answer_ttl_s: how long an answer is good for.
    """

    def __init__(
        self,
        batch: Database,
        single: Database,
        clock: Clock,
        *,
        answer_ttl_s: int,
        batch_max: int,
        waiting_max: int,
        counts: Counts,
    ) -> None:
        self._batch = batch
        self._single = single
        self._clock = clock
        self._answer_ttl_us = answer_ttl_s * SECOND_US
        self._counts = counts
        self._unknown: list[Lost] = []
        #: Resolves a decision's future with the outcome; `None` is for those who never came here.
        self.batcher: Batcher[Waiting, Outcome | None] = Batcher(
            self._run_batch,
            batch_max=batch_max,
            waiting_max=waiting_max,
            queue=counts.queue("commit"),
        )

    async def record(self, proposal: Proposal, deadline: float) -> Outcome:
        """Record a decision, or learn which of its premises no longer holds.

        Raises:
            OutcomeUnknown: the connection was lost while the statement was under way.
            DependencyDown: PostgreSQL cannot be reached; nothing was sent.
            Overloaded: too many wait, or the deadline passed before there was a turn.
        """
        waiting = Waiting(proposal, deadline)
        if proposal.frequency or proposal.record.repeat_of:
            # The second lane: one statement of its own, which may wait for a counter's or a
            # request id's row without holding up anybody else's decision.
            return _or_raise((await self._run([waiting], self._single))[0])
        outcome = await self.batcher.submit(waiting)
        assert outcome is not None, "a commit says what became of each"
        return outcome

    async def replay(self, party: int, request_id: str) -> Replay | None:
        """The saved answer to a party's own request id, and whether it still holds."""
        async with self._single.connection() as connection:
            return await rows.replay(connection, party, request_id, self._answer_ttl_us)

    async def reconcile(self) -> int:
        """Mark rows of unknown outcomes that exist after all as recorded, not delivered.

        A server process that was frozen, or far behind, may yet run what it was sent. So a
        statement is looked for once, when the process that had it is gone.
        """
        lost = list(self._unknown)
        if not lost:
            return 0
        async with self._single.connection() as connection:
            living = await rows.living(connection, [(one.backend, one.at_us) for one in lost])
            settled = [one for one in lost if one.backend not in living]
            ids = [identifier for one in settled for identifier in one.ids]
            found = await rows.mark_undelivered(connection, ids)
        self._counts.undelivered(found)
        self._unknown = [one for one in self._unknown if one not in settled]
        return found

    async def _run_batch(self, batch: Sequence[Waiting]) -> Sequence[Outcome | Exception]:
        return await self._run(batch, self._batch)

    async def _run(self, batch: Sequence[Waiting], database: Database) -> list[Outcome | Exception]:
        now = self._clock.monotonic()
        timely = [waiting.proposal for waiting in batch if waiting.deadline > now]
        if len(timely) < len(batch):
            self._counts.limited("deadline", len(batch) - len(timely))
        recorded = iter(await self._record(timely, database) if timely else [])
        return [
            next(recorded) if waiting.deadline > now else Overloaded(retry_after_s=1)
            for waiting in batch
        ]

    async def _record(
        self, proposals: list[Proposal], database: Database
    ) -> list[Outcome | Exception]:
        try:
            return list(await self._send(proposals, database))
        except GatewayError as fault:
            return [fault] * len(proposals)
        except asyncpg.PostgresError as fault:
            if (fault.sqlstate or "")[:2] not in _ROW_FAULTS:
                _log.error("commit_failed", sqlstate=fault.sqlstate)
                return [DependencyDown("database")] * len(proposals)
        # The statement rolled back as a whole, so nothing of it exists and its halves may be
        # sent: one party's bad row never fails another's.
        if len(proposals) == 1:
            _log.error("commit_row_refused")
            return [DependencyDown("database")]
        half = len(proposals) // 2
        first = await self._record(proposals[:half], database)
        return first + await self._record(proposals[half:], database)

    async def _send(self, proposals: list[Proposal], database: Database) -> list[Outcome]:
        async with database.connection() as connection:
            backend, began = connection.get_server_pid(), self._clock.monotonic()
            try:
                return await rows.record(connection, proposals, answer_ttl_us=self._answer_ttl_us)
            except LOST as fault:
                # Once sent, a lost connection or a timeout says nothing about the outcome. The
                # connection is ended so that its server process, when it is done, ends too.
                self._remember(backend, proposals)
                with suppress(asyncpg.InterfaceError):  # it has ended by itself
                    connection.terminate()
                raise OutcomeUnknown from fault
            finally:
                lane = "batch" if database is self._batch else "single"
                self._counts.committed(lane, self._clock.monotonic() - began)

    def _remember(self, backend: int, proposals: list[Proposal]) -> None:
        self._counts.unknown(len(proposals))
        ids = tuple(proposal.record.id for proposal in proposals)
        self._unknown.append(Lost(backend, self._clock.now_us(), ids))
        del self._unknown[:-UNKNOWN_MAX]


def _or_raise(outcome: Outcome | Exception) -> Outcome:
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
