"""How far a page's stream has come, as a word that the browser sends back when it reconnects.

Lines are named by UUIDv7 of the instant at which their question arrived, and appear when their
statement is committed: a line may appear after one of a later id. So "everything after this id"
would now and then lose a line. A place also says which ids shortly before it were told, by the last
four bytes of each; what lies between them and was not told is told when it appears. Nothing has to
be remembered here: any worker can go on from there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Self
from uuid import UUID

import msgspec

from gateway.clock import SECOND_US
from gateway.errors import Malformed
from gateway.ids import uuid7_floor, uuid7_millis
from gateway.jwk import unb64url
from gateway.keys import b64url

#: A line never appears later after its id than this: deadline, commit and clocks take about 8 s.
LATENESS_US: Final = 20 * SECOND_US

#: Ids shortly before a place that are told apart; of more, the oldest may be told twice.
TAGS_MAX: Final = 256

#: Characters of a place at most: the id, a full stop, four bytes for each tag in base64url.
TEXT_MAX: Final = 36 + 1 + (TAGS_MAX * 4 * 4 + 2) // 3

_TAG: Final = 4
_TEXT = re.compile(r"\A([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\.([A-Za-z0-9_-]+))?\Z")


class Place(msgspec.Struct, frozen=True):
    """Told are: `last`, everything from well before it, and shortly before it what is tagged."""

    last: UUID
    tags: frozenset[bytes] = frozenset()

    @classmethod
    def after(cls, told: Iterable[UUID], last: UUID) -> Self:
        """The place after these ids, and not before `last`."""
        known = sorted(told, reverse=True)
        last = max([*known[:1], last])
        near = [each for each in known if each != last and each >= floor_of(last)]
        return cls(last, frozenset(map(tag_of, near[:TAGS_MAX])))

    @classmethod
    def read(cls, text: str) -> Self:
        """The place that a text says.

        Raises:
            Malformed: no stream gave it.
        """
        found = _TEXT.match(text) if len(text) <= TEXT_MAX else None
        try:
            tags = unb64url(found[2] or "") if found else b"?"
        except ValueError:
            tags = b"?"
        if found is None or len(tags) % _TAG:
            raise Malformed([("", "the place is not one that a stream gave")])
        pieces = (tags[at : at + _TAG] for at in range(0, len(tags), _TAG))
        return cls(UUID(found[1]), frozenset(pieces))

    @property
    def text(self) -> str:
        """As `id:` of an event; the line's own id where nothing else was told shortly before."""
        tags = b64url(b"".join(sorted(self.tags)))
        return f"{self.last}.{tags}" if tags else str(self.last)

    @property
    def floor(self) -> UUID:
        """Below this id everything was told."""
        return floor_of(self.last)

    def covers(self, line: UUID) -> bool:
        """Whether a line was told."""
        if line >= self.last:
            return line == self.last
        return line < self.floor or tag_of(line) in self.tags


def floor_of(last: UUID) -> UUID:
    """The lowest id that may still appear when an id has."""
    return uuid7_floor(uuid7_millis(last) * 1000 - LATENESS_US)


def tag_of(line: UUID) -> bytes:
    """The last, random bytes of an id."""
    return line.bytes[-_TAG:]
