"""What visits ask of the trust list, the schemes and the status lists, and of nothing else."""

from __future__ import annotations

from typing import Protocol

from gateway.claims import Kind, SchemeName
from gateway.jwk import Key
from gateway.recognition.entry import City
from gateway.store.database import Connection
from scenarios.schemes import Scheme


class Agreed(Protocol):
    """What is open between this city and another now."""

    @property
    def scenarios(self) -> frozenset[str]: ...
    @property
    def scheme(self) -> SchemeName: ...


class Trust(Protocol):
    """The region's list as this worker holds it; nothing of it is older than the list may be."""

    def city(self, code: str) -> City | None: ...
    def agreed(self, code: str, now_us: int) -> Agreed | None: ...
    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None: ...


class Schemes(Protocol):
    """The published schemes."""

    def get(self, scheme: str, version: int) -> Scheme | None: ...


class Statuses(Protocol):
    """Other cities' status lists."""

    async def valid(self, issuer: str, uri: str, idx: int) -> bool | None:
        """Whether the bit of a grant is unset in a fresh list; None where there is no such list.

        `issuer` is the city's code (GB/T 2260).
        """
        ...

    async def bound_within(self, connection: Connection, issuer: str, uri: str) -> None:
        """Rely on a city for no longer than on the list that a visit names, in the transaction
        that opens the visit."""
        ...
