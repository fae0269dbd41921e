"""Whom this city trusts, as a worker holds it in memory: the list that PostgreSQL keeps.

No question here ever fetches anything: the list is fetched by one background job
(gateway/recognition/trust_fetch.py), and a key that it does not name is unknown. When the list's
time is over nobody is known, by this machine's clock at each question.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
import structlog

from gateway.claims import Kind, SchemeName
from gateway.clock import Clock
from gateway.jwk import Key
from gateway.recognition.agreements import Agreement, State, Statement, conclude
from gateway.recognition.entries import Memory
from gateway.recognition.entry import City, Purpose
from gateway.recognition.region import Region, load_region
from gateway.recognition.statements import Statements
from gateway.recognition.trust_list import ListRefused, TrustList, read_kept
from gateway.settings import Settings
from gateway.store import trust_list as rows
from gateway.store.database import Database

_log = structlog.get_logger(__name__)

#: What another city's keys may sign here.
_PURPOSES: dict[Kind, Purpose] = {
    Kind.ASSERTION: "client",
    Kind.RECOGNITION: "grant",
    Kind.STATUS_LIST: "status",
}


class Agreed(msgspec.Struct, frozen=True):
    """What is open between this city and another one now."""

    agreement: str
    scenarios: frozenset[str]
    scheme: SchemeName


class _Known(msgspec.Struct, frozen=True):
    """A list, made ready."""

    listed: TrustList
    by_issuer: dict[str, City]
    statements: dict[str, tuple[Statement, ...]]
    between: dict[str, list[str]]


class Trust:
    """The other cities, refreshed when the list changes; also a `Keys` of the token guard.

    Raises:
        RegionRefused: the file of the region's keys is not usable.
    """

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self._settings, self._database, self._clock = settings, database, clock
        path = settings.trust_list_keys
        self.region: Region | None = load_region(Path(path)) if path else None
        self._memory, self._statements = Memory(), Statements(settings.city)
        self._loading = asyncio.Lock()
        self._known: _Known | None = None
        self._expires_us = 0
        #: Of what was last read, be it good or not: it is not read again.
        self._content: bytes | None = None

    @property
    def until_us(self) -> int:
        """When the list's time is over (µs since the epoch); 0 = there is none."""
        return self._expires_us if self._known is not None else 0

    @property
    def content(self) -> bytes | None:
        """What names the list that is judged by; None = there is none."""
        return self._content if self._known is not None else None

    async def refresh(self) -> None:
        """Look at what PostgreSQL keeps: its times always, its text only where that is new."""
        if self.region is None:
            return
        async with self._loading:
            async with self._database.connection() as connection:
                head = await rows.head(connection)
                if head is None:
                    return
                fresh = None
                if head.content != self._content:
                    fresh = await rows.kept(connection)
            if fresh is not None:
                head, token = fresh
                await self._load(self.region, head.content, token)
            self._expires_us = head.expires_us

    def city(self, code: str) -> City | None:
        """The city of a GB/T 2260 code, as the list that holds now has it."""
        known = self._now()
        return known.listed.cities.get(code) if known else None

    def by_issuer(self, issuer: str) -> City | None:
        """The city of an issuer, compared exactly."""
        known = self._now()
        return known.by_issuer.get(issuer) if known else None

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        """The key by which a city signs what it sends here; the guard's `Keys`.

        `issuer` is the city's https origin, and its code for an assertion: there a city is its
        own client (RFC 7523 3).
        """
        purpose = _PURPOSES.get(kind)
        city = self.city(issuer) if kind is Kind.ASSERTION else self.by_issuer(issuer)
        return city.keys.get((purpose, kid)) if city is not None and purpose else None

    def agreed(self, code: str, now_us: int) -> Agreed | None:
        """What is open between this city and another one at an instant (µs since the epoch).

        Where several agreements are in force the one that began last counts, at both ends.
        """
        known = self._now(now_us)
        if known is None:
            return None
        own, other = (known.listed.cities.get(each) for each in (self._settings.city, code))
        if own is None or other is None or own is other:
            return None
        concluded = _concluded(known, known.between.get(code, ()), now_us)
        in_force = [
            each
            for each in concluded
            if each.state is State.IN_FORCE and each.other(self._settings.city) == code
        ]
        if not in_force:
            return None
        agreement = max(in_force, key=lambda each: (each.terms.from_, each.id))
        return _open(agreement, own, other)

    def partners(self, now_us: int) -> frozenset[str]:
        """The cities with which something is open at an instant."""
        known = self._now(now_us)
        codes = known.between if known else ()
        return frozenset(code for code in codes if self.agreed(code, now_us) is not None)

    def agreements(self, now_us: int) -> list[Agreement]:
        """This city's agreements at an instant, by id, whatever their state."""
        known = self._now(now_us)
        concluded = _concluded(known, sorted(known.statements), now_us) if known else []
        return [each for each in concluded if each.other(self._settings.city) is not None]

    def _now(self, now_us: int | None = None) -> _Known | None:
        now_us = self._clock.now_us() if now_us is None else now_us
        return self._known if now_us < self._expires_us else None

    async def _load(self, region: Region, content: bytes, token: str) -> None:
        try:
            # A list of many cities takes a tenth of a second, which the event loop does not have.
            known = await asyncio.to_thread(self._read, region, token)
        except ListRefused as fault:
            _log.error("trust_list_unusable", reason=fault.reason)
            known = None
        self._known, self._content = known, content

    def _read(self, region: Region, token: str) -> _Known:
        code = self._settings.city
        listed = read_kept(
            token,
            region,
            iss=region.iss,
            url=self._settings.trust_list_url,
            memory=self._memory,
            allow_loopback_http=self._settings.allow_loopback_http,
        )
        own = listed.cities.get(code)
        if own is None or own.entry.issuer != self._settings.issuer:
            # Nothing is open to a city whose entry is absent, or is another gateway's.
            _log.error("trust_list_without_us")
            others = {each: city for each, city in listed.cities.items() if each != code}
            listed = msgspec.structs.replace(listed, cities=others)
        by_issuer = {city.entry.issuer: city for city in listed.cities.values()}
        statements = self._statements.read(listed)
        return _Known(listed, by_issuer, statements, _between(code, statements))


def _between(code: str, statements: Mapping[str, Sequence[Statement]]) -> dict[str, list[str]]:
    """The agreements of `code`, by the other city that their statements name."""
    found: dict[str, list[str]] = {}
    for name, said in sorted(statements.items()):
        for other in {city for each in said for city in each.cities} - {code}:
            found.setdefault(other, []).append(name)
    return found


def _concluded(known: _Known, names: Iterable[str], now_us: int) -> list[Agreement]:
    concluded = (conclude(name, known.statements[name], now_us) for name in names)
    return [each for each in concluded if each is not None]


def _open(agreement: Agreement, own: City, other: City) -> Agreed | None:
    """What an agreement opens: scenarios that both list, by a scheme that both have."""
    terms = agreement.terms
    scenarios = terms.scenarios & set(own.entry.scenarios) & set(other.entry.scenarios)
    if not scenarios or any(terms.scheme not in each.entry.schemes for each in (own, other)):
        return None
    return Agreed(agreement.id, scenarios, terms.scheme)
