"""Answers read back: a party sees its own answer, the citizen every reason (PIPL 24, 44, 45).

Reasons are told in the words of the rule that answered. That rule may have been replaced since;
its manifest is kept with its revision for as long as answers refer to it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import UUID

import msgspec

from gateway.errors import Malformed, NotFound
from gateway.jwk import unb64url
from gateway.keys import b64url
from gateway.lookup_filter import EVERYTHING, is_sparse
from gateway.store import lookup as rows
from gateway.store.database import Database
from gateway.store.lookup import Answered, Line, Recorded, Wanted
from gateway.vault import SealBroken, Vault
from scenarios.registry import Registry
from scenarios.universal import ClauseInfo, universal_of

#: Lines of one kind that a page looks at where a filter may pass over them, and lines of a page
#: when all are read.
LOOKED_AT_MAX: Final = 2000
PAGE_OF_ALL: Final = 200


class Obligation(msgspec.Struct, frozen=True):
    """What the party owes the citizen with the benefit."""

    id: str
    zh: str
    en: str


class ClauseWords(msgspec.Struct, frozen=True):
    """A clause of the rule in words."""

    id: str
    zh: str = ""
    en: str = ""
    help_zh: str = ""
    help_en: str = ""

    @classmethod
    def of(cls, clause: ClauseInfo) -> ClauseWords:
        """Those of a clause as it stands."""
        return cls(clause.id, clause.zh, clause.en, clause.help_zh, clause.help_en)


class Rule(msgspec.Struct, frozen=True):
    """What of a rule is told: its clauses in the order of their bits, and the obligations.

    It reads a stored manifest as well, of whatever revision, and takes from it what is there.
    """

    clauses: tuple[ClauseWords, ...] = ()
    obligations: tuple[Obligation, ...] = ()


class Reason(msgspec.Struct, frozen=True):
    """A clause, and whether it was met."""

    clause: ClauseWords
    met: bool


class Explained(msgspec.Struct, frozen=True):
    """An answer with its reasons; `facts` is what the party sent, None where it is erased."""

    record: Recorded
    reasons: tuple[Reason, ...]
    facts: dict[str, Any] | None


class Page(msgspec.Struct, frozen=True):
    """A page of "who asked about me", newest first; `next` is the cursor of the following one.

    Under a filter a page may hold fewer lines than were asked for, even none, and yet have a next.
    """

    lines: list[Line]
    next: str | None


class Lookups:
    """Reads answers back; one instance per worker."""

    def __init__(self, database: Database, registry: Registry, vault: Vault) -> None:
        self._database, self._registry, self._vault = database, registry, vault

    async def answer(self, decision: UUID, party: int) -> tuple[Answered, Rule]:
        """A party's own answer, with the rule that gave it.

        Raises:
            NotFound: this party got no such answer.
        """
        async with self._database.connection() as connection:
            answered = await rows.of_party(connection, decision, party)
        if answered is None:
            raise NotFound
        rule = self.rule(answered.scenario, answered.revision, answered.manifest, answered.compiler)
        return answered, rule

    async def reasons(self, decision: UUID, citizen: UUID) -> Explained:
        """An answer about a citizen, explained to that citizen.

        Raises:
            NotFound: no such answer is about this citizen.
        """
        async with self._database.connection() as connection:
            record = await rows.of_citizen(connection, decision, citizen)
        if record is None:
            raise NotFound
        rule = self.rule(record.scenario, record.revision, record.manifest, record.compiler)
        reasons = tuple(
            Reason(clause, bool(record.clauses >> bit & 1))
            for bit, clause in enumerate(rule.clauses)
        )
        return Explained(record, reasons, self._facts(record, citizen))

    async def page(
        self, citizen: UUID, cursor: str | None, limit: int, wanted: Wanted = EVERYTHING
    ) -> Page:
        """A page of questions, searches and acts of staff about a citizen, newest first.

        Raises:
            Malformed: the cursor is not one that a page gave.
        """
        before = wanted.ceiling if cursor is None else min(_place(cursor), wanted.ceiling)
        end = None
        async with self._database.connection() as connection:
            if is_sparse(wanted):
                end = await rows.reach(connection, citizen, wanted, before, LOOKED_AT_MAX)
                wanted = msgspec.structs.replace(wanted, floor=end or wanted.floor)
            # One line more than asked for shows whether anything follows.
            lines = await rows.page(connection, citizen, wanted, before, limit + 1)
        if len(lines) > limit:
            lines, end = lines[:limit], lines[limit - 1].id
        return Page(lines, b64url(end.bytes) if end else None)

    async def all(self, citizen: UUID, wanted: Wanted = EVERYTHING) -> AsyncIterator[list[Line]]:
        """Every such line, newest first, in pages: no more than one is ever in memory."""
        cursor, follows = None, True
        while follows:
            page = await self.page(citizen, cursor, PAGE_OF_ALL, wanted)
            cursor, follows = page.next, page.next is not None
            yield page.lines

    def rule(self, scenario: str, revision: bytes, manifest: str, compiler: int) -> Rule:
        """A rule in words, of whatever revision; `manifest` is the one stored with it, and
        `compiler` the version that made it, which says what was asked before its own clauses."""
        compiled = self._registry.get(scenario)
        if compiled is not None and compiled.revision == revision:
            return Rule(
                tuple(map(ClauseWords.of, compiled.clauses)),
                tuple(
                    Obligation(each.id, each.zh, each.en) for each in compiled.manifest.obligations
                ),
            )
        stored = msgspec.json.decode(manifest, type=Rule)
        universal = tuple(map(ClauseWords.of, universal_of(compiler)))
        return Rule(universal + stored.clauses, stored.obligations)

    def _facts(self, record: Recorded, citizen: UUID) -> dict[str, Any] | None:
        if record.wrapped_key is None or record.sealed is None:
            return None
        try:
            seal = self._vault.person(record.wrapped_key, citizen)
            plain = seal.open(record.sealed, b"decision_facts/" + record.id.bytes)
        except SealBroken:
            return None  # sealed under a key that has been destroyed since
        facts: dict[str, Any] = msgspec.json.decode(plain)
        return facts


def _place(cursor: str) -> UUID:
    try:
        return UUID(bytes=unb64url(cursor))
    except ValueError:
        raise Malformed([("", "the cursor is not one that a page gave")]) from None
