"""A person at a desk, for the rest of the visit: a sealed name that only this desk can use.

It is good for one member of staff, one party, one scenario and half an hour, and says nothing:
the desk cannot keep it, join on it or hand it on. Who returns shows the document again.
"""

from __future__ import annotations

import hmac
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from gateway.assisted.attendant import Attendant
from gateway.clock import MINUTE_US, Clock
from gateway.errors import NotFound
from gateway.ids import uuid_of
from gateway.jwk import unb64url
from gateway.keys import b64url

LIFE_US: Final = 30 * MINUTE_US
#: Characters of a handle: 16 bytes of tag, 16 of citizen, 8 of time, in base64url.
HANDLE_CHARS: Final = 54

_LABEL = b"qianjiang/assisted-handle/v1"


class Handles:
    """Makes and opens handles.

    Args:
        key: the city's secret that unguessable names are derived from.
    """

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._cipher = AESSIV(hmac.digest(key, _LABEL, "sha512"))
        self._clock = clock

    def make(self, attendant: Attendant, scenario: str, citizen: UUID) -> str:
        """A handle from now on."""
        until_us = self._clock.now_us() + LIFE_US
        plain = citizen.bytes + until_us.to_bytes(8, "big")
        return b64url(self._cipher.encrypt(plain, _bound_to(attendant, scenario)))

    def open(self, attendant: Attendant, scenario: str, handle: str) -> UUID:
        """The person of a handle.

        Raises:
            NotFound: it was not made for this desk and scenario, or its time is over.
        """
        try:
            plain = self._cipher.decrypt(unb64url(handle), _bound_to(attendant, scenario))
        except (InvalidTag, ValueError):
            raise NotFound from None
        if int.from_bytes(plain[16:], "big") <= self._clock.now_us():
            raise NotFound
        return uuid_of(plain[:16])


def _bound_to(attendant: Attendant, scenario: str) -> list[bytes]:
    return [_LABEL, attendant.party.encode(), attendant.staff.bytes, scenario.encode()]
