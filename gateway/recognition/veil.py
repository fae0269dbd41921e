"""What two cities both know of one visit is kept here under names of this city's own.

A grant's id and the consent behind it stand in the home city's tables as well. Kept as they came,
they would join the tables of two cities to one person for whoever got hold of both. So what is kept
is a hash of each under a key that is in no database. Equal values stay equal, and no more is
needed: a grant is accepted once, and who comes again is found.
"""

from __future__ import annotations

import hmac
from uuid import UUID

from gateway.ids import uuid_of
from gateway.vault import blind_index


class Veil:
    """The names of one city.

    Args:
        key: 32 bytes of the city's, from which the key of the names is derived.
    """

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"visits/names/v1", "sha256")

    def id(self, shared: UUID) -> UUID:
        """The name of an id that the home city has as well."""
        return uuid_of(blind_index(self._key, "id", shared.hex)[:16])

    def subject(self, home: str, subject: str) -> str:
        """The name of a home city's name for its citizen."""
        return blind_index(self._key, "subject", home, subject).hex()
