"""Identifiers and randomness, injected wherever they are needed.

UUIDv7 (RFC 9562) names rows whose time of birth the holder may know, such as decisions. All else
that must not be guessed or dated (links, codes, nonces, sessions, citizens) is at least 128
random bits.
"""

from __future__ import annotations

import base64
import os
from typing import Protocol
from uuid import UUID
from weakref import WeakMethod

from asyncpg.pgproto.pgproto import UUID as PgUUID  # noqa: N811  # to tell the two apart

_VERSION_7 = 0x7 << 12
#: Each byte with the two bits of the variant in front (RFC 9562 4.1).
_VARIANT = [bytes((0b10 << 6 | byte & 0x3F,)) for byte in range(256)]


def uuid_of(raw: bytes) -> UUID:
    """The UUID of 16 bytes.

    It is asyncpg's own subclass of `uuid.UUID`, equal and hashed alike. Making one and taking its
    bytes out again, which a decision does a dozen times, costs a tenth of what the standard
    library's costs.
    """
    made: UUID = PgUUID(raw)
    return made


class Ids(Protocol):
    """A source of identifiers."""

    def uuid7(self, now_us: int) -> UUID:
        """A UUIDv7 born at an instant (microseconds since the epoch)."""
        ...

    def random_uuid(self) -> UUID:
        """128 random bits in the shape of a UUID; tells nothing, not even a version."""
        ...

    def token(self) -> str:
        """An unguessable base64url text of 192 random bits (32 characters)."""
        ...

    def random_bytes(self, count: int) -> bytes:
        """So many random bytes."""
        ...


class SystemIds:
    """Identifiers from the operating system's randomness, drawn in blocks.

    A decision needs ten random bytes; asking the kernel for each costs more than the rest of the
    identifier, so a block of 4 KiB is drawn at a time. Every byte is handed out once.
    """

    _BLOCK = 4096

    def __init__(self) -> None:
        self._block, self._used = b"", 0
        # A forked process must not hand out its parent's bytes again.
        forget = WeakMethod(self._forget)
        os.register_at_fork(after_in_child=lambda: (forget() or _nothing)())

    def random_bytes(self, count: int) -> bytes:
        if count > self._BLOCK:
            return os.urandom(count)
        if self._used + count > len(self._block):
            self._block, self._used = os.urandom(self._BLOCK), 0
        start = self._used
        self._used = start + count
        return self._block[start : self._used]

    def _forget(self) -> None:
        self._block, self._used = b"", 0

    def uuid7(self, now_us: int) -> UUID:
        # RFC 9562 5.7 with 6.2 method 3: 48 bits of milliseconds, then 12 bits of the
        # sub-millisecond fraction, so that ids of one process sort by time; the rest is random.
        millis, micros = divmod(now_us, 1000)
        head = (millis << 16) | _VERSION_7 | (micros << 12) // 1000
        random = self.random_bytes(8)
        return uuid_of(head.to_bytes(8, "big") + _VARIANT[random[0]] + random[1:])

    def random_uuid(self) -> UUID:
        return uuid_of(self.random_bytes(16))

    def token(self) -> str:
        return base64.urlsafe_b64encode(self.random_bytes(24)).decode("ascii")


def _nothing() -> None:
    """What a fork does for a source that is gone."""


def uuid7_millis(identifier: UUID) -> int:
    """The milliseconds since the epoch at which a UUIDv7 was born."""
    return identifier.int >> 80


def uuid7_floor(moment_us: int) -> UUID:
    """The lowest UUIDv7 of an instant's millisecond (µs since the epoch), to bound scans by time.

    What lies before the epoch or beyond 48 bits of milliseconds is the lowest or the highest.
    """
    millis = min(max(moment_us // 1000, 0), (1 << 48) - 1)
    return UUID(int=millis << 80)
