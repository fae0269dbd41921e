"""Which compiled scenarios this worker may answer with, and how old the scores are."""

from __future__ import annotations

from datetime import date

from gateway.store import policy as rows
from gateway.store.database import Database
from scenarios.compiler import Compiled
from scenarios.registry import Registry


class Policies:
    """The worker's compiled scenarios that stand in the live set of PostgreSQL.

    The set may be a moment old here: the commit compares the policy's number with the live set
    and refuses to record an answer of a retired revision.
    """

    def __init__(self, database: Database, registry: Registry) -> None:
        self._database = database
        self.registry = registry
        #: The numbers of the live revisions by scenario: another object whenever one has changed.
        self.numbers: dict[str, int] = {}
        self.score_as_of: date | None = None

    def number(self, scenario: str) -> int | None:
        """The number under which this worker's revision of a scenario is live, or None."""
        return self.numbers.get(scenario)

    async def refresh(self) -> None:
        """Read the live set and the day of the newest publication."""
        async with self._database.connection() as connection:
            live = await rows.live(connection)
            self.score_as_of = await rows.score_as_of(connection)
        numbers = {
            name: live[name, compiled.revision]
            for name, compiled in self._each()
            if (name, compiled.revision) in live
        }
        if numbers != self.numbers:
            self.numbers = numbers

    def _each(self) -> list[tuple[str, Compiled]]:
        return [(name, self.registry[name]) for name in self.registry]
