"""What the home city's side needs of status lists."""

from __future__ import annotations

from typing import Protocol

from gateway.errors import DependencyDown
from gateway.store.database import Connection


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


class NoLists:
    """A city without status lists says nothing of its citizens."""

    async def allocate_within(self, connection: Connection) -> Slot:
        raise DependencyDown("status-lists")
