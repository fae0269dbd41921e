"""The publication of scores: everybody's computed anew, written only where it changed.

Decisions read the band alone, so only a citizen whose band moved gets a new standing; the others'
versions stay, and a night's run does not empty the cache of a city.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

from gateway.clock import Clock
from gateway.scores import Scale, Scores, scale_on, today
from gateway.standing import StandingWriter
from gateway.store import fact as fact_rows
from gateway.store import score as rows
from gateway.store import standing as standing_rows
from gateway.store.database import Database
from gateway.store.score import Fresh, Run

#: Citizens of one step. Whoever is written is locked while it is, so a step stays short.
BATCH = 250

#: Facts that one statement deletes.
FACTS = 1000


class ScorePublication:
    """Publishes scores.

    Args:
        database: as the owner.
        writer: changes standings on the same database.
        scores: computes them.
        clock: says when the run began.
    """

    def __init__(
        self, database: Database, writer: StandingWriter, scores: Scores, clock: Clock
    ) -> None:
        self._database = database
        self._writer = writer
        self._scores = scores
        self._clock = clock

    async def candidates(self) -> int:
        """How many citizens there are at most to score."""
        async with self._database.connection() as connection:
            return await rows.candidates(connection)

    async def run(self, as_of: date, on_progress: Callable[[int], None] = lambda done: None) -> Run:
        """Score every living citizen who authorised it, as of a day; returns what was done.

        Negative facts whose five years are over today are deleted first, whatever day the scores
        are for (浙江省公共信用信息管理条例 16). Repeating a run, or resuming one that was cut
        off, writes only what is still missing.

        Raises:
            NothingInForce: no model or catalogue is in force on that day.
        """
        scale, started_us = scale_on(as_of), self._clock.now_us()
        async with self._database.connection() as connection:
            number = await rows.next_run(connection)
        forgotten = await self._forget_ended()
        scored = changed = moves = 0
        after = UUID(int=0)
        while True:
            fresh, count, after = await self._page(after, scale)
            if not count:
                break
            changed += await self._write(number, fresh)
            moves += sum(one.moves for one in fresh)
            scored += count
            on_progress(scored)
        await self._forget()
        return await self._finish(
            Run(
                id=number,
                model=str(scale.model.since),
                as_of=as_of,
                scored=scored,
                changed=changed,
                band_moves=moves,
                forgotten=forgotten,
                started_us=started_us,
            )
        )

    async def _forget_ended(self) -> int:
        day, forgotten = today(self._clock), 0
        while True:
            async with self._database.connection() as connection:
                gone = await fact_rows.forget_ended(connection, day, FACTS)
            forgotten += gone
            if gone < FACTS:
                return forgotten

    async def _page(self, after: UUID, scale: Scale) -> tuple[list[Fresh], int, UUID]:
        """The next page's scores that must be written, how many it has, and its last citizen."""
        async with self._database.connection() as connection:
            due = await rows.due(connection, after, BATCH)
            fresh = await self._scores.fresh(connection, due, scale)
        return fresh, len(due), due[-1].citizen if due else after

    async def _write(self, run: int, fresh: list[Fresh]) -> int:
        movers = [one for one in fresh if one.moves]
        steady = [one for one in fresh if not one.moves]
        written = 0
        if movers:
            who = (one.citizen for one in movers)
            # The score of an account that was closed meanwhile is passed over by `put`.
            async with self._writer.change(*who, closed_too=True) as connection:
                written += await rows.put(connection, run, movers)
        if steady:
            # Locked like any writer, so that no erasure passes by unseen; but nothing that
            # decisions read has changed, hence no new version.
            async with self._database.transaction() as connection:
                await standing_rows.lock(connection, [one.citizen for one in steady])
                written += await rows.put(connection, run, steady)
        return written

    async def _forget(self) -> None:
        """Delete scores whose authorisation was withdrawn: no decision has read them since."""
        while True:
            async with self._database.connection() as connection:
                leftover = await rows.leftover(connection, BATCH)
            if not leftover:
                return
            async with self._database.transaction() as connection:
                await standing_rows.lock(connection, leftover)
                await rows.forget(connection, leftover)

    async def _finish(self, run: Run) -> Run:
        async with self._database.connection() as connection:
            await rows.finish_run(connection, run)
        return run
