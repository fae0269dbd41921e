"""Negative controls: the protocol with one of its rules taken out, to prove that the tests see it.

A part of a running worker is turned into its broken kin by changing its class, so no constructor,
setting or argument of the gateway knows a way to weaken it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import ClassVar
from uuid import UUID

from redis.exceptions import RedisError

from gateway.body import digest, encode_body
from gateway.clock import SECOND_US, SystemClock
from gateway.committer import Committer, Waiting
from gateway.decision import Decisions
from gateway.proposer import Question
from gateway.search_committer import SearchCommitter
from gateway.standing import StandingReader, StandingWriter
from gateway.store import decision as decisions
from gateway.store import search as searches
from gateway.store import standing as standings
from gateway.store.cache import Cache, Entry
from gateway.store.database import Connection, Database
from gateway.store.decision import Outcome, Proposal, Replay
from gateway.store.search import SearchOutcome, SearchProposal
from gateway.store.sql import read_queries

_RECORD = read_queries("decision")["record"]
_SEARCHED = read_queries("search")["record"]


def without(*fragments: tuple[str, str], text: str = _RECORD) -> str:
    """The commit statement with fragments replaced, each of which it must hold exactly once."""
    for fragment, instead in fragments:
        assert text.count(fragment) == 1, f"the commit statement has changed: {fragment}"
        text = text.replace(fragment, instead)
    return text


BLIND = without(
    (
        "CASE WHEN a.version = 0 THEN s.citizen IS NULL\n"
        "              ELSE s.version = a.version AND s.digest = a.digest END IS TRUE",
        "true",
    )
)
VERSION_ONLY = without((" AND s.digest = a.digest", ""))
TIMELESS = without(("\n     AND c.since_us <= c.at_us AND c.at_us < c.until_us\n", "\n"))
_WORD = " AND (c.issuer IS NULL OR (from_us(c.at_us) < c.fresh_until) = c.fresh)"
CREDULOUS = without(("    " + _WORD + "\n", ""))
CREDULOUS_SEARCH = without(("            " + _WORD + ") AS h", "           ) AS h"), text=_SEARCHED)


class _Altered(Committer):
    """Sends another statement."""

    statement: ClassVar[str]

    async def _send(self, proposals: list[Proposal], database: Database) -> list[Outcome]:
        async with database.connection() as connection:
            return await decisions.record(
                connection,
                proposals,
                answer_ttl_us=self._answer_ttl_us,
                statement=self.statement,
            )


class BlindCommitter(_Altered):
    """Does not ask whether the standing still holds."""

    statement = BLIND


class VersionOnlyCommitter(_Altered):
    """Compares the number and not the bytes."""

    statement = VERSION_ONLY


class TimelessCommitter(_Altered):
    """Does not ask whether the interval still holds."""

    statement = TIMELESS


class CredulousCommitter(_Altered):
    """Does not ask whether the word of a visitor's home city is as it was taken to be."""

    statement = CREDULOUS


class CredulousSearchCommitter(SearchCommitter):
    """The same of searches."""

    async def _send(self, proposals: list[SearchProposal]) -> list[SearchOutcome]:
        async with self._database.connection() as connection:
            return await searches.record(
                connection,
                proposals,
                answer_ttl_us=self._answer_ttl_us,
                statement=CREDULOUS_SEARCH,
            )


class EarlierCheckCommitter(Committer):
    """Checks a batch against what a transaction before it has read: a round trip saved."""

    seen: ClassVar[dict[int, dict[UUID, tuple[int, int]]]] = {}

    async def _send(self, proposals: list[Proposal], database: Database) -> list[Outcome]:
        async with database.connection() as connection:
            found = [await self._one(connection, proposal) for proposal in proposals]
            rows = await connection.fetch("SELECT citizen, version, digest FROM standing")
        self.seen[id(self)] = {citizen: (version, seal) for citizen, version, seal in rows}
        return found

    async def _one(self, connection: Connection, proposal: Proposal) -> Outcome:
        record = proposal.record
        checked = self.seen.get(id(self), {}).get(record.citizen)
        passed = checked == (record.standing_version, proposal.digest)
        (outcome,) = await decisions.record(
            connection,
            [proposal],
            answer_ttl_us=self._answer_ttl_us,
            statement=BLIND if passed else _RECORD,
        )
        return outcome


class HastyCommitter(Committer):
    """Answers before the commit; the record is written in good time, one hopes."""

    late: ClassVar[set[asyncio.Task[list[Outcome | Exception]]]] = set()

    async def _run(self, batch: Sequence[Waiting], database: Database) -> list[Outcome | Exception]:
        self.late.add(asyncio.create_task(super()._run(batch, database)))
        at_us = self._clock.now_us()
        held = {f"{name}_holds": True for name in ("standing", "party", "policy", "time", "issuer")}
        hasty = Outcome(
            at_us=at_us,
            valid_until_us=at_us + self._answer_ttl_us,
            receipt=bytes(32),
            used_up=False,
            true_version=None,
            true_body=None,
            **held,
        )
        return [hasty] * len(batch)

    @classmethod
    async def settle(cls) -> None:
        """Wait for the records that are still under way."""
        await asyncio.gather(*cls.late, return_exceptions=True)
        cls.late.clear()


class ParrotDecisions(Decisions):
    """Says again what it said before, whatever happened since."""

    async def _saved(self, question: Question) -> Replay:
        saved = await super()._saved(question)
        return Replay(
            *(saved.body_hash, saved.decision, saved.at_us, saved.outcome, saved.policy),
            *(saved.score_as_of, saved.receipt, saved.valid_until_us, True),
        )


class TwoStatementReader(StandingReader):
    """Loads the body, then the version: a change between the two marries an old one to a new."""

    async def _load(self, wrong: dict[UUID, bytes]) -> dict[UUID, tuple[Entry, bytes]]:
        async with self._database.connection() as connection:
            bodies = await standings.load(connection, list(wrong))
            await asyncio.sleep(0.002)
            numbers = await standings.load(connection, list(wrong))
        loaded = {
            citizen: Entry(citizen, numbers[citizen].version, entry.body)
            for citizen, entry in bodies.items()
        }
        for citizen, entry in loaded.items():
            self._offer_later(entry, wrong[citizen])
        return {citizen: (entry, b"") for citizen, entry in loaded.items()}


class TearingWriter(StandingWriter):
    """Rebuilds the body inside the UPDATE that bumps the version, with no lock before it.

    Such an UPDATE reads with the snapshot it began with and then waits for the row: the rebuilding
    comes before the lock, as it does here.
    """

    @asynccontextmanager
    async def change(self, *citizens: UUID, closed_too: bool = False) -> AsyncIterator[Connection]:
        async with self._database.transaction() as connection:
            yield connection
            bodies = await standings.rebuild(connection, citizens)
            await standings.lock(connection, citizens)
            versions = await standings.next_versions(connection, len(bodies))
            entries = [
                Entry(citizen, version, encode_body(body))
                for (citizen, body), version in zip(bodies.items(), versions, strict=True)
            ]
            issuers = [body.issuer for body in bodies.values()]
            await standings.put(connection, entries, self._digests(entries), issuers)
        await self._cache.offer([(entry, b"") for entry in entries])

    def _digests(self, entries: Sequence[Entry]) -> list[int]:
        key = self._digest_key
        return [digest(key, entry.citizen, entry.version, entry.body) for entry in entries]


class CommitFailed(Exception):
    """The transaction did not commit."""


class EarlyWriter(StandingWriter):
    """Tells the cache before the commit, which then fails for those named."""

    failing: ClassVar[set[UUID]] = set()

    @asynccontextmanager
    async def change(self, *citizens: UUID, closed_too: bool = False) -> AsyncIterator[Connection]:
        async with self._database.transaction() as connection:
            await standings.lock(connection, citizens)
            yield connection
            entries = await self._rebuild(connection, citizens)
            await self._cache.offer([(entry, b"") for entry in entries])
            if self.failing.intersection(citizens):
                raise CommitFailed


class ReusingWriter(EarlyWriter):
    """Numbers a version by counting up the row: the number of a failed commit is used again."""

    async def _rebuild(self, connection: Connection, citizens: Sequence[UUID]) -> list[Entry]:
        bodies = await standings.rebuild(connection, citizens)
        held = await standings.load(connection, citizens)
        entries = [
            Entry(citizen, held[citizen].version + 1 if held else 1, encode_body(body))
            for citizen, body in bodies.items()
        ]
        key = self._digest_key
        seals = [digest(key, entry.citizen, entry.version, entry.body) for entry in entries]
        await standings.put(connection, entries, seals, [body.issuer for body in bodies.values()])
        return entries


class LastWriteCache(Cache):
    """Takes whatever comes last, and forgets on demand, as most caches do.

    A filler is held up until a change has overtaken it, or for a moment at most.
    """

    forgotten: ClassVar[Counter[UUID]] = Counter()

    async def offer(self, entries: Sequence[tuple[Entry, bytes]]) -> None:
        await asyncio.gather(*(self._late(entry) for entry, _ in entries))

    async def _late(self, entry: Entry) -> None:
        before = self.forgotten[entry.citizen]
        for _ in range(30):
            if self.forgotten[entry.citizen] > before:
                break
            await asyncio.sleep(0.001)
        with suppress(RedisError):
            await self._redis.set(self.key(entry.citizen), self.pack(entry), px=self._ttl())

    async def forget(self, citizens: Sequence[UUID]) -> None:
        """What DEL does, in the words that the gateway's rights allow."""
        for citizen in citizens:
            await self._redis.set(self.key(citizen), b"", px=1)
        self.forgotten.update(citizens)


class DeletingWriter(StandingWriter):
    """Deletes the entry instead of setting a newer one."""

    @asynccontextmanager
    async def change(self, *citizens: UUID, closed_too: bool = False) -> AsyncIterator[Connection]:
        async with self._database.transaction() as connection:
            await standings.lock(connection, citizens)
            yield connection
            await self._rebuild(connection, citizens)
        assert isinstance(self._cache, LastWriteCache)
        await self._cache.forget(citizens)


class ShiftedClock(SystemClock):
    """A clock that is wrong by so many seconds."""

    def __init__(self, seconds: int) -> None:
        self._shift_us = seconds * SECOND_US

    def now_us(self) -> int:
        return super().now_us() + self._shift_us
