"""What two cities both know of one visit is kept here under names of this city's own.

A grant's id and the consent behind it stand in the home city's tables as well. Kept as they came,
they would join the tables of two cities to one person for whoever got hold of both. So what is kept
is a hash of each under a key that is in no database. Equal values stay equal, and no more is
needed: a grant is accepted once, and who comes again is found. The place of a grant's status bit
goes through a permutation of this city's own, and so does every list that is read.
"""

from __future__ import annotations

import hmac
from functools import lru_cache
from typing import Final
from uuid import UUID

from gateway.ids import uuid_of
from gateway.recognition.permutation import PLACES, Permutation
from gateway.vault import blind_index

#: Lists whose permutations are remembered, 13 KB each.
LISTS: Final = 64


class Veil:
    """The names of one city.

    Args:
        key: 32 bytes of the city's, from which the key of the names is derived.
    """

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"visits/names/v1", "sha256")
        self._of_list = lru_cache(maxsize=LISTS)(self._permutation)

    def id(self, shared: UUID) -> UUID:
        """The name of an id that the home city has as well."""
        return uuid_of(blind_index(self._key, "id", shared.hex)[:16])

    def subject(self, home: str, subject: str) -> str:
        """The name of a home city's name for its citizen."""
        return blind_index(self._key, "subject", home, subject).hex()

    def place(self, uri: str, place: int) -> int:
        """The name of a place in a status list.

        Raises:
            ValueError: no list has such a place.
        """
        return self._of_list(uri).place(place)

    def bits(self, uri: str, raw: bytes) -> bytes:
        """A whole status list (packed, least significant first) under the names of its places. A
        place that the list does not have is taken for set. Takes some 30 ms."""
        return self._of_list(uri).bits(raw.ljust(PLACES // 8, b"\xff"))

    def _permutation(self, uri: str) -> Permutation:
        return Permutation(blind_index(self._key, "status", uri))
