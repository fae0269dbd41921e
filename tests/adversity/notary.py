"""Property R from outside: a connection of its own that looks for the records of answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from gateway.body import digest, encode_body
from gateway.decision import Answer
from gateway.store import standing as rows
from gateway.store.migrate import Connection
from tests.adversity.history import History


class Notary:
    """Compares what was released and acknowledged with what PostgreSQL holds."""

    def __init__(self, connection: Connection, url: str, digest_key: bytes) -> None:
        self.connection, self._url = connection, url
        self._digest_key = digest_key
        self._turn = asyncio.Lock()
        self.at_release = 0
        self.missing: list[str] = []

    async def witness(self, answer: Answer) -> None:
        """Look for the record of an answer at the moment of its release."""
        async with self._turn:
            found = await self.connection.fetch(
                "SELECT outcome, at_us, receipt FROM decision WHERE id = $1", answer.decision
            )
        self.at_release += 1
        if [tuple(row) for row in found] != [(answer.outcome, answer.at_us, answer.receipt)]:
            self.missing.append("R: an answer was released without its record")

    async def again(self) -> Connection:
        """The connection, made anew if the server was restarted."""
        if self.connection.is_closed():
            self.connection = await asyncpg.connect(self._url)
        return self.connection

    async def violations(self, history: History) -> list[str]:
        """What is wrong with the records once all is over."""
        return [
            *self.missing,
            *await self.answers(history),
            *await self._writes(history),
            *await self._standings(history),
        ]

    async def answers(self, history: History) -> list[str]:
        """Whether each answer released has exactly its record."""
        released = {lookup.answer.decision: lookup.answer for lookup in history.lookups}
        found = await self.connection.fetch(
            "SELECT id, outcome, receipt FROM decision WHERE id = ANY ($1::uuid[])", list(released)
        )
        recorded = [(row["id"], row["outcome"], row["receipt"]) for row in found]
        said = [(i, answer.outcome, answer.receipt) for i, answer in released.items()]
        if sorted(recorded) != sorted(said):
            return [f"R: {len(said)} answers were released, {len(recorded)} are on record"]
        return []

    async def _writes(self, history: History) -> list[str]:
        """The acknowledged acts of each citizen: one version each, the last of them in force."""
        faults = []
        for citizen, changes in history.changes.items():
            acts = await self.connection.fetch(
                "SELECT status FROM consent WHERE citizen = $1 AND scenario = 'rent'"
                " ORDER BY version",
                citizen,
            )
            wanted = ["active" if change.opens else "withdrawn" for change in changes]
            if [row["status"] for row in acts] != wanted:
                faults.append(f"R: {len(wanted)} acts acknowledged, {len(acts)} on record")
        return faults

    async def _standings(self, history: History) -> list[str]:
        """The stored body is what its sources make, under its own digest."""
        citizens = list(history.changes)
        bodies = await rows.rebuild(self.connection, citizens)
        stored = await self.connection.fetch(
            "SELECT citizen, version, digest, body FROM standing WHERE citizen = ANY ($1::uuid[])",
            citizens,
        )
        return [
            "R: a standing is not what its sources make"
            for citizen, version, sealed, body in stored
            if body != encode_body(bodies[citizen])
            or sealed != digest(self._digest_key, citizen, version, body)
        ]


@asynccontextmanager
async def notary_at(url: str, digest_key: bytes) -> AsyncIterator[Notary]:
    """A notary with a connection of its own."""
    notary = Notary(await asyncpg.connect(url), url, digest_key)
    try:
        yield notary
    finally:
        await notary.connection.close(timeout=5)
