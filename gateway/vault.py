"""Personal data at rest: sealed under a key of the person's own, found by a keyed index.

Each citizen has one 256-bit key, wrapped under the city's. Destroying the wrapped key erases all
that was sealed with it, in every backup too, while hashes over the ciphertext stay true
(PIPL 47; 51). AES-256-GCM with random 96-bit nonces, at most 2^32 messages a key (SP 800-38D).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.ids import Ids

_NONCE = 12


class SealBroken(Exception):
    """A ciphertext does not open: another row's, altered, or its key is gone."""


class Vault:
    """Wraps people's keys and seals what is theirs.

    Args:
        city_keys: key id → 32-byte key-encryption key; the highest id wraps, all unwrap.
        ids: the source of random bytes.
    """

    def __init__(self, city_keys: Mapping[int, bytes], ids: Ids) -> None:
        self._city = {number: AESGCM(key) for number, key in city_keys.items()}
        self._active = max(city_keys)
        self._ids = ids

    def new_key(self, citizen: UUID) -> bytes:
        """A fresh key for a person, wrapped: key id, nonce, ciphertext (61 bytes)."""
        nonce = self._ids.random_bytes(_NONCE)
        key = self._ids.random_bytes(32)
        sealed = self._city[self._active].encrypt(nonce, key, citizen.bytes)
        return bytes((self._active,)) + nonce + sealed

    def person(self, wrapped: bytes, citizen: UUID) -> Seal:
        """The seal of a person.

        Raises:
            SealBroken: the wrapped key is another person's, or was wrapped by an unknown key.
        """
        city = self._city.get(wrapped[0]) if wrapped else None
        if city is None:
            raise SealBroken
        try:
            key = city.decrypt(wrapped[1 : 1 + _NONCE], wrapped[1 + _NONCE :], citizen.bytes)
        except (InvalidTag, ValueError):
            raise SealBroken from None
        return Seal(AESGCM(key), self._ids)


class Seal:
    """Seals and opens one person's data. `place` (table, column, row) is authenticated with it,
    so that a ciphertext moved to another row does not open."""

    def __init__(self, cipher: AESGCM, ids: Ids) -> None:
        self._cipher = cipher
        self._ids = ids

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """Nonce and ciphertext."""
        nonce = self._ids.random_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, plain, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """The plain bytes.

        Raises:
            SealBroken: this is not what was sealed at this place with this key.
        """
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], place)
        except (InvalidTag, ValueError):
            raise SealBroken from None


def blind_index(key: bytes, *parts: str) -> bytes:
    """A keyed name for a value that must be found but not read, such as an identity number.

    HMAC-SHA256 over the length-prefixed parts; the first part says what kind of value it is, so
    that equal values of two kinds have different indexes.
    """
    framed = b"".join(len(raw).to_bytes(4, "big") + raw for raw in (p.encode() for p in parts))
    return hmac.digest(key, framed, "sha256")
