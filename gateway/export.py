"""A copy of everything about a citizen, as one JSON document (PIPL 45).

It is written in pages, each read when the one before has left, so that a worker never holds more
than a page of it however much there is. The pages are not one snapshot: what happens while it is
written may be in it or not. One that was cut off lacks its last member and is no JSON.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from gateway import export_document as document
from gateway.authorisations import Authorisations
from gateway.citizens import Person, identity_of, visitor_of
from gateway.clock import MINUTE_US, SECOND_US, Clock, rfc3339
from gateway.errors import AccountClosed, Overloaded, TooManyRequests
from gateway.export_parts import TextAgreed
from gateway.export_sections import SECTIONS, Section, Teller
from gateway.gcra import Rate
from gateway.lookups import Lookups
from gateway.recognition.neighbours import Trust
from gateway.settings import Settings
from gateway.store import citizen as citizen_rows
from gateway.store import citizen_limit
from gateway.store import export as rows
from gateway.store.database import Connection, Database
from gateway.store.export import Row
from gateway.vault import Vault

#: Rows of one page.
PAGE: Final = 200
#: Texts that are read at a time.
TEXTS: Final = 50
#: An export costs as much as hundreds of decisions: three at once, then one in ten minutes.
RATE: Final = Rate(10 * MINUTE_US, 3)
#: Pages that one worker reads at a time, and exports that it writes.
READING_MAX, WRITING_MAX = 2, 16

_encode = msgspec.json.Encoder().encode


class Exports:
    """Writes exports; one instance per worker."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        vault: Vault,
        lookups: Lookups,
        authorisations: Authorisations,
        trust: Trust,
        clock: Clock,
    ) -> None:
        self._trust = trust
        self._settings, self._database, self._vault = settings, database, vault
        self._lookups, self._authorisations, self._clock = lookups, authorisations, clock
        self._turns = asyncio.Semaphore(READING_MAX)
        self._writing = 0

    async def begin(self, citizen: UUID) -> AsyncIterator[bytes]:
        """The document's bytes, to be read page by page. What can be refused is refused here.

        Raises:
            TooManyRequests: the citizen has had so many lately.
            Overloaded: this worker writes too many already.
            AccountClosed: the account was closed meanwhile.
        """
        if self._writing >= WRITING_MAX:
            raise Overloaded(retry_after_s=5)
        async with self._database.transaction() as connection:
            grant = await citizen_limit.take(connection, citizen, "export", RATE)
        if not grant.admitted:
            raise TooManyRequests(-(-grant.retry_us // SECOND_US))
        head, teller = await self._head(citizen)
        return self._written(citizen, head, teller)

    async def _head(self, citizen: UUID) -> tuple[document.Head, Teller]:
        async with self._database.connection() as connection:
            who = await citizen_rows.person(connection, citizen)
        if who is None:
            raise AccountClosed
        seal = self._vault.person(who.wrapped_key, citizen)
        person = (
            identity_of(who, citizen, seal)
            if who.home is None
            else visitor_of(who.home, who, self._trust)
        )
        shown = await self._authorisations.score(citizen)
        score = None
        if shown is not None:
            score = document.ScoreNow(**msgspec.structs.asdict(shown))
        settings, notice = self._settings, self._authorisations.notice
        head = document.Head(
            made_at=rfc3339(self._clock.now_us()),
            handler=document.Handler(
                city=settings.city, name=settings.city_name, contact=settings.city_contact
            ),
            identity=_identity(person),
            notice=document.NoticeNow(
                version=notice.version, text_sha256=notice.sha256.hex(), items=notice.items
            ),
            score=score,
        )
        return head, Teller(seal, self._lookups)

    async def _written(
        self, citizen: UUID, head: document.Head, teller: Teller
    ) -> AsyncIterator[bytes]:
        self._writing += 1
        try:
            yield _encode(head).removesuffix(b"}")
            for section in SECTIONS:
                yield b',\n"%b":[\n' % section.name.encode()
                async for page in self._pages(citizen, section, teller):
                    yield page
                yield b"]"
            yield b',\n"rules":%b,\n"texts":{' % _lines(teller.rules())
            async for part in self._texts(teller):
                yield part
            yield b'},\n"complete":true}\n'
        finally:
            self._writing -= 1

    async def _pages(self, citizen: UUID, section: Section, teller: Teller) -> AsyncIterator[bytes]:
        """A list's elements, without its brackets."""
        after: tuple[Any, ...] = section.start
        separator = b""
        while True:
            page = await self._page(citizen, section, after, teller)
            if page:
                yield separator + b",\n".join(_encode(section.tell(teller, row)) for row in page)
                separator = b",\n"
            if len(page) < PAGE:
                return
            after = tuple(page[-1][key] for key in section.keys)

    async def _texts(self, teller: Teller) -> AsyncIterator[bytes]:
        """The members of the texts that were agreed to, without their braces."""
        wanted, separator = sorted(teller.agreed), b"\n"
        for first in range(0, len(wanted), TEXTS):
            async with self._turns, self._database.connection() as connection:
                found = await rows.texts(connection, wanted[first : first + TEXTS])
            for row in found:
                yield separator + b"%b:%b" % (_encode(row.text_sha256), _encode(_agreed(row)))
                separator = b",\n"

    async def _page(
        self, citizen: UUID, section: Section, after: Sequence[Any], teller: Teller
    ) -> list[Row]:
        async with self._turns, self._database.connection() as connection:
            # Who closes the account while a copy is written gets no more of it.
            if await citizen_rows.person(connection, citizen) is None:
                raise AccountClosed
            page = await rows.page(connection, section.name, citizen, after, PAGE)
            if section.name == "questions":
                await _learn(connection, page, teller)
        return page


def _lines(parts: Sequence[Any]) -> bytes:
    """A list with a line for each element."""
    return b"[\n" + b",\n".join(map(_encode, parts)) + b"]"


def _agreed(row: rows.TextRow) -> TextAgreed:
    return msgspec.convert(
        {name: getattr(row, name) for name in TextAgreed.__struct_fields__}, TextAgreed
    )


async def _learn(connection: Connection, questions: Sequence[Row], teller: Teller) -> None:
    if unknown := teller.unknown(questions):
        teller.learn(await rows.rules(connection, unknown))


def _identity(person: Person) -> document.Identity:
    return document.Identity(
        name=person.name,
        id_number=person.id_number,
        birthdate=person.birthdate,
        home=person.home,
        synthetic=person.synthetic,
        since=rfc3339(person.since_us),
    )
