"""What two cities both know of one visit is kept here under names of this city's own.

A grant's id, its bit in the status list and the consent behind it stand in the home city's tables
as well. Kept as they came, they would join the tables of two cities to one person for whoever got
hold of both. So each is kept enciphered under a key that is in no database: equal values stay
equal, for a grant is accepted once, and each can be told again where it is needed.
"""

from __future__ import annotations

import hmac
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from gateway.ids import uuid_of
from gateway.vault import blind_index

_HALF = 16
_MASK = (1 << _HALF) - 1
#: Of a permutation made of a keyed hash in a Feistel network; four would do (Luby and Rackoff).
_ROUNDS = 8
#: An index fits PostgreSQL's integer.
_INDEXES = 1 << 31


class Veil:
    """The names of one city.

    Args:
        key: 32 bytes of the city's, from which the keys of the names are derived.
    """

    def __init__(self, key: bytes) -> None:
        block = hmac.digest(key, b"visits/ids/v1", "sha256")
        # One block under one key, and nothing besides: a permutation of 128 bits.
        self._ids = Cipher(algorithms.AES(block), modes.ECB())  # noqa: S305 - no message of blocks
        self._places = hmac.digest(key, b"visits/places/v1", "sha256")
        self._subjects = hmac.digest(key, b"visits/subjects/v1", "sha256")

    def id(self, shared: UUID) -> UUID:
        """The name of an id that the home city has as well."""
        step = self._ids.encryptor()
        return uuid_of(step.update(shared.bytes) + step.finalize())

    def shared_id(self, name: UUID) -> UUID:
        """The id of a name."""
        step = self._ids.decryptor()
        return uuid_of(step.update(name.bytes) + step.finalize())

    def place(self, uri: str, idx: int) -> int:
        """The name of an index in a status list, 0 to 2^31 - 1 as the index itself."""
        while True:
            idx = self._network(uri, idx, range(_ROUNDS))
            if idx < _INDEXES:
                return idx

    def idx(self, uri: str, place: int) -> int:
        """The index of a name."""
        while True:
            place = self._swapped(self._network(uri, self._swapped(place), _BACK))
            if place < _INDEXES:
                return place

    def subject(self, home: str, subject: str) -> str:
        """The name of a home city's name for its citizen; nobody needs to read that again."""
        return blind_index(self._subjects, "subject", home, subject).hex()

    def _network(self, uri: str, value: int, rounds: range) -> int:
        left, right = value >> _HALF, value & _MASK
        for number in rounds:
            left, right = right, left ^ self._round(uri, number, right)
        return left << _HALF | right

    def _round(self, uri: str, number: int, half: int) -> int:
        said = b"%d %d %b" % (number, half, uri.encode())
        return int.from_bytes(hmac.digest(self._places, said, "sha256")[:2], "big")

    @staticmethod
    def _swapped(value: int) -> int:
        return (value & _MASK) << _HALF | value >> _HALF


_BACK = range(_ROUNDS - 1, -1, -1)
