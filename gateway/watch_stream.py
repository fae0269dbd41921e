"""One open page's stream: what it was told, what waits to be read, and its end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Final, Literal
from uuid import UUID

import msgspec

from gateway.store.lookup import Line
from gateway.store.watch import ConsentChange
from gateway.watch_place import Place, floor_of

#: What may wait for a page that does not read; one more and the stream ends.
QUEUE_MAX: Final = 64

#: Why a stream ended: its session did, the citizen opened others, its page is gone or does not
#: read, its time is over, or the worker ends or cannot look any more.
End = Literal["session", "replaced", "gone", "slow", "time", "stopped"]


class Told(msgspec.Struct, frozen=True):
    """A line of "who asked about me" appeared; where it was told, the stream is at `place`."""

    line: Line
    place: Place


class Asked(msgspec.Struct, frozen=True):
    """A request for consent asks this citizen in person."""

    request: UUID


class Behind(msgspec.Struct, frozen=True):
    """More happened than is told one by one: the page should be read again."""

    place: Place


Event = Told | Asked | ConsentChange | Behind


class Stream:
    """What one page is told. Written by the worker's one watcher, read by the page's answer.

    Args:
        citizen: whose page it is.
        session: the hash of the session that opened it.
        place: how far it had come before.
    """

    def __init__(self, citizen: UUID, session: bytes, place: Place) -> None:
        self.citizen, self.session = citizen, session
        self.ended: End | None = None
        self.consent: ConsentChange | None = None
        self.standing: int | None = None
        #: Where it was when it began.
        self.start = place
        self._begun_at, self._last = place, place.last
        self._told: set[UUID] = set()
        self._asked: frozenset[UUID] = frozenset()
        self._waiting: deque[Event] = deque()
        self._wake = asyncio.Event()

    @property
    def place(self) -> Place:
        """How far it has come."""
        return Place.after(self._told, self._last)

    def knows(self, line: UUID) -> bool:
        """Whether a line was told, here or before this stream began."""
        return line in self._told or line < floor_of(self._last) or self._begun_at.covers(line)

    def begin(self, known: Iterable[UUID]) -> None:
        """These lines were there and told when it began."""
        self._note(known)
        self.start = self.place

    def tell(self, lines: Iterable[Line]) -> None:
        """Tell lines that are new, the oldest first."""
        for line in sorted(lines, key=lambda each: each.id):
            self._note([line.id])
            self._put(Told(line, self.place))

    def tell_behind(self, passed: Iterable[UUID]) -> None:
        """Say that these lines, and perhaps others, are not told one by one."""
        self._note(passed)
        self._put(Behind(self.place))

    def tell_asked(self, requests: Iterable[UUID]) -> None:
        """Tell the requests that are open and were not when this was last called."""
        open_now = frozenset(requests)
        for request in sorted(open_now - self._asked):
            self._put(Asked(request))
        self._asked = open_now

    def tell_consent(self, change: ConsentChange | None) -> None:
        """Tell the last change of a consent, once."""
        if change is not None and change != self.consent:
            self.consent = change
            self._put(change)

    def end(self, reason: End) -> None:
        """No more is told. What waits is still read, unless nobody reads."""
        if self.ended is None:
            self.ended = reason
            if reason == "slow":
                self._waiting.clear()
            self._wake.set()

    async def next(self, within_s: float) -> Event | None:
        """The next event; None if there was none for so long, or the stream has ended."""
        if not self._waiting and self.ended is None:
            self._wake.clear()
            try:
                async with asyncio.timeout(within_s):
                    await self._wake.wait()
            except TimeoutError:
                return None
        return self._waiting.popleft() if self._waiting else None

    def _note(self, lines: Iterable[UUID]) -> None:
        self._told.update(lines)
        self._last = max([self._last, *self._told])
        floor = floor_of(self._last)
        # What lies further back cannot appear any more, and the place says no more of it either.
        self._told = {each for each in self._told if each >= floor}

    def _put(self, event: Event) -> None:
        if self.ended is not None:
            return
        if len(self._waiting) >= QUEUE_MAX:
            self.end("slow")
            return
        self._waiting.append(event)
        self._wake.set()
