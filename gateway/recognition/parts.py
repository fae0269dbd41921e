"""What the home city's side needs of the other parts: trust, schemes and status lists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Protocol

import msgspec

from gateway.claims import Kind, SchemeName
from gateway.jwk import Key
from gateway.recognition.entry import City
from gateway.store.database import Connection


class Agreed(Protocol):
    """What is open between this city and another now."""

    @property
    def scenarios(self) -> frozenset[str]: ...
    @property
    def scheme(self) -> SchemeName: ...


class Trust(Protocol):
    """The region's list of cities, as this worker knows it; it knows nobody while it is stale."""

    def city(self, code: str) -> City | None: ...
    def agreed(self, code: str, now_us: int) -> Agreed | None: ...
    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None: ...


class Scheme(Protocol):
    """A table of tiers and bands (scenarios/schemes.py)."""

    def is_valid_on(self, day: date) -> bool: ...
    def tier_of(self, city: str, band: int) -> str | None: ...
    def band_of(self, city: str, tier: str) -> int: ...
    def open_to(self, tier: str | None, wanted: Iterable[str]) -> tuple[str, ...]: ...
    def needed(self, scenarios: tuple[str, ...]) -> str: ...
    def limit(self, scenario: str, tier: str) -> int | None: ...


class Schemes(Protocol):
    """The published schemes."""

    def get(self, scheme: str, version: int) -> Scheme | None: ...


class Slot(Protocol):
    """One bit of a status list."""

    @property
    def list(self) -> int: ...
    @property
    def idx(self) -> int: ...
    @property
    def uri(self) -> str: ...


class StatusLists(Protocol):
    """Where the bits of what this city said are kept."""

    async def allocate_within(self, connection: Connection) -> Slot: ...


class Others(msgspec.Struct, frozen=True):
    """What is known of other cities: the parts together."""

    trust: Trust
    schemes: Schemes
    status_lists: StatusLists
