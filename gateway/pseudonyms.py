"""Pairwise subjects: one citizen, a different name at every legal entity, and no table.

A subject is one byte of key id and AES-SIV (RFC 5297) of the citizen's random 128-bit key, with
the city and the recipient's sector as associated data. It opens only under the sector it was made
for, so a subject carried to another party is as good as noise there. It is a name, never a
capability: knowing one gives no right.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from binascii import a2b_base64
from collections.abc import Mapping
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from gateway.ids import uuid_of

_DOMAIN = b"qianjiang/subject/v1"

#: Characters of a subject: 33 bytes in base64url.
SUBJECT_CHARS = 44

#: From the alphabet of addresses to the standard one (RFC 4648 5): the strict decoder knows that
#: one only, and costs a third of the standard library's own way.
_STANDARD = bytes.maketrans(b"-_", b"+/")


class Pseudonyms:
    """Makes and opens subjects of one city.

    Args:
        keys: key id → 64-byte key; the highest id makes new subjects, all of them open.
        city: the city's GB/T 2260 code.
    """

    def __init__(self, keys: Mapping[int, bytes], city: str) -> None:
        self._ciphers = {number: AESSIV(key) for number, key in keys.items()}
        self._active = max(keys)
        self._city = city.encode("ascii")

    def subject(self, citizen: UUID, sector: int) -> str:
        """The citizen's name at a sector; the same every time."""
        sealed = self._ciphers[self._active].encrypt(citizen.bytes, self._bound_to(sector))
        return urlsafe_b64encode(bytes((self._active,)) + sealed).decode("ascii")

    def open(self, subject: str, sector: int) -> UUID | None:
        """The citizen behind a subject, or None where it was not made for this sector."""
        # The standard alphabet's `+` and `/` would be a second spelling of the same subject.
        if len(subject) != SUBJECT_CHARS or "+" in subject or "/" in subject:
            return None
        try:
            raw = a2b_base64(subject.encode().translate(_STANDARD), strict_mode=True)
        except ValueError:
            return None
        # 33 bytes fill 44 characters exactly, so there are no stray bits and one spelling only.
        cipher = self._ciphers.get(raw[0]) if len(raw) == 33 else None
        if cipher is None:
            return None
        try:
            return uuid_of(cipher.decrypt(raw[1:], self._bound_to(sector)))
        except InvalidTag:
            return None

    def _bound_to(self, sector: int) -> list[bytes]:
        return [_DOMAIN, self._city, sector.to_bytes(4, "big")]
