"""What a browser carries between two steps at the counter: sealed, for minutes, of one kind.

Nothing waits in a table for a sign-in that is never finished, and a page can neither read nor make
such a ticket.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.clock import SECOND_US, Clock
from gateway.ids import Ids
from gateway.jwk import unb64url
from gateway.keys import b64url
from gateway.vault import Seal, SealBroken

T = TypeVar("T", bound=msgspec.Struct)

#: The longest ticket that is looked at, in characters.
CHARS_MAX: Final = 2048


class _Ticket(msgspec.Struct, frozen=True, array_like=True):
    expires_us: int
    content: msgspec.Raw


class Tickets:
    """Seals and opens tickets, each kind at a place of its own.

    Args:
        key: 32 bytes, the city's key for cookies.
    """

    def __init__(self, key: bytes, clock: Clock, ids: Ids) -> None:
        self._seal, self._clock = Seal(AESGCM(key), ids), clock

    def seal(self, content: msgspec.Struct, life_s: int) -> str:
        """A ticket that is good for so many seconds."""
        return self.seal_until(content, self._clock.now_us() + life_s * SECOND_US)

    def seal_until(self, content: msgspec.Struct, expires_us: int) -> str:
        """A ticket that is good until an instant in microseconds (UTC)."""
        raw = msgspec.json.encode(_Ticket(expires_us, msgspec.Raw(msgspec.json.encode(content))))
        return b64url(self._seal.seal(raw, _place(type(content))))

    def open(self, kind: type[T], ticket: str | None) -> T | None:
        """What a ticket of a kind holds; None where it is none, another kind's, or over."""
        opened = self.open_until(kind, ticket)
        return opened[0] if opened is not None else None

    def open_until(self, kind: type[T], ticket: str | None) -> tuple[T, int] | None:
        """The same, and until when the ticket is good in microseconds (UTC)."""
        if ticket is None or len(ticket) > CHARS_MAX:
            return None
        try:
            raw = self._seal.open(unb64url(ticket), _place(kind))
        except (SealBroken, ValueError):
            return None
        held = msgspec.json.decode(raw, type=_Ticket)
        if held.expires_us <= self._clock.now_us():
            return None
        return msgspec.json.decode(held.content, type=kind), held.expires_us


def _place(kind: type[Any]) -> bytes:
    return b"ticket/counter/v1/" + kind.__name__.encode()
