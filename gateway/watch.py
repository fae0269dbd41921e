"""Open pages are told what happens, by one watcher a worker that looks beside the decisions.

PostgreSQL's NOTIFY would be the obvious way and is not taken: a commit that notifies holds one lock
of the whole database until it is durable, so that all commits queue behind each other
(docs/architecture.md). Here a commit knows nothing of who watches. While pages are open, and only
then, one statement every half second asks for all of them together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final
from uuid import UUID

import structlog

from gateway.clock import SECOND_US, Clock
from gateway.counts import Counts
from gateway.errors import GatewayError, Overloaded, Unauthenticated
from gateway.ids import uuid7_floor, uuid7_millis
from gateway.store import watch as rows
from gateway.store.database import Connection, Database
from gateway.store.lookup import Line
from gateway.store.watch import Found, Scope
from gateway.watch_place import LATENESS_US, Place
from gateway.watch_stream import Stream

#: Streams of one worker, and of one citizen in it: of one more the oldest ends.
STREAMS_MAX: Final = 200
EACH_MAX: Final = 4

#: Seconds between two looks; more if a look takes long: it is a quarter of the time at most.
LOOK_S: Final = 0.5
SHARE: Final = 4

#: Looks that fail for so long end all streams: who asks may have signed out meanwhile.
BLIND_S: Final = 10.0

#: Lines of one kind that one look finds of a citizen, and that a page catches up on; beyond them it
#: is told to read the list again.
LINES_MAX: Final = 100

#: What is told to who comes when there are too many.
RETRY_S: Final = 10

_AHEAD_US: Final = 60 * SECOND_US


_log = structlog.get_logger(__name__)


class Watch:
    """The streams of one worker, and the watcher that fills them while there are any.

    Args:
        database: the pool of the worker's ordinary statements; a look takes one connection.
        clock: where time comes from.
        counts: where open streams are counted.
    """

    def __init__(self, database: Database, clock: Clock, counts: Counts) -> None:
        self._database, self._clock, self._counts = database, clock, counts
        self._streams: dict[Stream, None] = {}
        self._opening = 0
        self._watcher: asyncio.Task[None] | None = None

    async def place(self, citizen: UUID) -> Place:
        """Where a stream goes on from for a page whose list is read after this."""
        now_us = self._clock.now_us()
        async with self._database.connection() as connection:
            found, _ = await self._read(connection, [citizen], [], now_us - LATENESS_US)
        return Place.after(found[citizen].lines, uuid7_floor(now_us))

    async def open(self, citizen: UUID, session: bytes, place: Place | None) -> Stream:
        """A stream that goes on from a place, or begins now; whoever opens it must `close` it.

        Raises:
            Overloaded: this worker has as many as it takes.
            Unauthenticated: the session (its hash) has ended meanwhile.
        """
        if len(self._streams) + self._opening >= STREAMS_MAX:
            raise Overloaded(RETRY_S)
        self._opening += 1
        try:
            stream = await self._begun(citizen, session, place)
        finally:
            self._opening -= 1
        mine = [each for each in self._streams if each.citizen == citizen]
        for former in mine[: max(len(mine) + 1 - EACH_MAX, 0)]:
            former.end("replaced")
            self.close(former)
        self._streams[stream] = None
        self._counts.lookup_streams = len(self._streams)
        if self._watcher is None:
            self._watcher = asyncio.create_task(self._watch(), name="watch")
        return stream

    def close(self, stream: Stream) -> None:
        """A stream is not read any more."""
        stream.end("gone")
        self._streams.pop(stream, None)
        self._counts.lookup_streams = len(self._streams)

    async def stop(self) -> None:
        """End every stream and the watcher."""
        self._end_all()
        if self._watcher is not None:
            self._watcher.cancel()
            with suppress(asyncio.CancelledError):
                await self._watcher

    async def _begun(self, citizen: UUID, session: bytes, place: Place | None) -> Stream:
        now_us = self._clock.now_us()
        start = place or Place(uuid7_floor(now_us))
        since_us = min(now_us - LATENESS_US, uuid7_millis(start.floor) * 1000)
        stream = Stream(citizen, session, start)
        async with self._database.connection() as connection:
            seen, alive = await self._read(connection, [citizen], [session], since_us)
            if not alive:
                raise Unauthenticated("session-over")
            found = seen[citizen]
            # Without a place the page knows what is there now; with one, what the place covers.
            known = {each for each in found.lines if place is None or stream.knows(each)}
            stream.begin(known)
            stream.standing = found.standing
            await self._tell(connection, [stream], seen)
            stream.tell_consent((await rows.consent_changes(connection, [citizen])).get(citizen))
        return stream

    async def _watch(self) -> None:
        seen_at = self._clock.monotonic()
        while self._streams:
            began = self._clock.monotonic()
            try:
                await self._look()
                seen_at = self._clock.monotonic()
            except GatewayError:
                if self._clock.monotonic() - seen_at > BLIND_S:
                    self._end_all()
            except Exception as fault:  # whatever it is, nobody may watch on unobserved
                _log.error("watch_failed", error=type(fault).__qualname__)
                self._end_all()
            took_s = self._clock.monotonic() - began
            await asyncio.sleep(max(LOOK_S, (SHARE - 1) * took_s))
        self._watcher = None

    async def _look(self) -> None:
        streams = list(self._streams)
        citizens = list({each.citizen for each in streams})
        since_us = self._clock.now_us() - LATENESS_US
        async with self._database.connection() as connection:
            sessions = [each.session for each in streams]
            seen, alive = await self._read(connection, citizens, sessions, since_us)
            for place, stream in enumerate(streams, 1):
                if place not in alive:
                    stream.end("session")
            streams = [each for each in streams if each.ended is None]
            await self._tell(connection, streams, seen)
            await self._tell_consents(connection, streams, seen)

    async def _read(
        self,
        connection: Connection,
        citizens: Sequence[UUID],
        sessions: Sequence[bytes],
        since_us: int,
    ) -> tuple[dict[UUID, Found], set[int]]:
        scope = Scope(
            since=uuid7_floor(since_us),
            until=uuid7_floor(self._clock.now_us() + _AHEAD_US),
            staff_us=max(since_us - LATENESS_US, 0),
            limit=LINES_MAX,
        )
        return await rows.news(connection, citizens, sessions, scope)

    async def _tell(
        self, connection: Connection, streams: Iterable[Stream], seen: dict[UUID, Found]
    ) -> None:
        fresh = {
            stream: {line for line in found.lines if not stream.knows(line)}
            for stream in streams
            if (found := seen[stream.citizen])
        }
        wanted = {
            line: seen[stream.citizen].lines[line]
            for stream, few in fresh.items()
            if not _is_behind(few, seen[stream.citizen])
            for line in few
        }
        lines = await rows.lines(connection, ((kind, line) for line, kind in wanted.items()))
        for stream, few in fresh.items():
            found = seen[stream.citizen]
            if _is_behind(few, found):
                stream.tell_behind(found.lines)
            else:
                stream.tell(_those(lines, few))
            stream.tell_asked(found.asked)

    async def _tell_consents(
        self, connection: Connection, streams: Iterable[Stream], seen: dict[UUID, Found]
    ) -> None:
        moved = [each for each in streams if each.standing != seen[each.citizen].standing]
        if not moved:
            return
        changes = await rows.consent_changes(connection, list({each.citizen for each in moved}))
        for stream in moved:
            stream.standing = seen[stream.citizen].standing
            stream.tell_consent(changes.get(stream.citizen))

    def _end_all(self) -> None:
        for stream in list(self._streams):
            stream.end("stopped")
            self.close(stream)


def _is_behind(fresh: set[UUID], found: Found) -> bool:
    """Whether there are too many lines to tell one by one."""
    return bool(fresh) and (found.most >= LINES_MAX or len(fresh) > LINES_MAX // 2)


def _those(lines: dict[UUID, Line], few: Iterable[UUID]) -> list[Line]:
    return [lines[each] for each in few if each in lines]
