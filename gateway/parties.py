"""The parties, as every worker holds them in memory, each at a revision that the commit checks.

The copy may be a moment old: what it is used for (a token's party, the recipient of an answer) is
compared with PostgreSQL in the statement that records the answer, and a party found stale there
is loaded again before anything else is said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import msgspec

from gateway.body import Viewpoint
from gateway.errors import Forbidden, GatewayError, Unauthenticated
from gateway.gcra import Rate
from gateway.store import party as rows
from gateway.store.database import Database
from gateway.store.party import PartyRow, Recipient
from scenarios.registry import Registry


class Registration(msgspec.Struct, frozen=True):
    """One party's place in one scenario: who receives the answer, and what may be looked at."""

    recipient: Recipient
    view: Viewpoint


class Party(msgspec.Struct, frozen=True):
    """A party at one revision."""

    row: PartyRow
    registrations: dict[str, Registration]
    rate: Rate

    @property
    def active(self) -> bool:
        """Whether the party may ask at all."""
        return self.row.status == "active"


class Principal(msgspec.Struct, frozen=True):
    """A party that proved who it is: what its access token, or the session of one of its staff,
    says, with the party as known here."""

    party: Party
    kid: str | None  # of the client's own key that bought the token; None: staff at a counter
    issued_us: int
    expires_us: int
    scopes: frozenset[str]
    jkt: str | None = None
    """Thumbprint of the key that the token is bound to (RFC 9449 6); None: a Bearer token."""


class _Look(msgspec.Struct, frozen=True):
    """A look at what PostgreSQL has: its number, whether it loads anyway, and how it failed."""

    number: int
    forced: bool = False
    fault: GatewayError | None = None


class Parties:
    """All parties of the city, refreshed when one changes.

    Args:
        rate: how much a party may ask that has no limit of its own.
    """

    def __init__(self, database: Database, registry: Registry, rate: Rate) -> None:
        self._database = database
        self._registry = registry
        self._rate = rate
        self._by_id: dict[str, Party] = {}
        self._offering: dict[tuple[str, str], list[Party]] = {}
        self._revisions = -1
        self._looking = asyncio.Lock()
        self._begun = 0
        self._last = _Look(0)

    def get(self, client_id: str) -> Party | None:
        """The party of an OAuth client id, at the newest revision known here."""
        return self._by_id.get(client_id)

    def readmit(self, principal: Principal) -> Principal:
        """The principal with its party as it is now, if its token would still be good.

        Raises:
            Unauthenticated: the token's client key was revoked, it was issued too early, or it is
                bound to no key and the party's must be.
            Forbidden: the party is suspended or closed.
        """
        party = self._by_id.get(principal.party.row.id)
        if party is None:
            raise Unauthenticated("client-key-revoked")
        expires_us = principal.expires_us
        if principal.kid is not None:
            key = party.row.keys.get(principal.kid)
            if key is None:
                raise Unauthenticated("client-key-revoked")
            if party.row.dpop and principal.jkt is None:
                raise Unauthenticated("unbound")
            # A token does not outlive the key that bought it.
            expires_us = min(expires_us, key.until_us or expires_us)
        if not party.active:
            raise Forbidden("party-suspended")
        if principal.issued_us < party.row.tokens_not_before_us:
            raise Unauthenticated("issued-before-cut-off")
        return msgspec.structs.replace(principal, party=party, expires_us=expires_us)

    def of_city(self, code: str) -> Party | None:
        """The party that a partner city is here, by its GB/T 2260 code; whatever its status.

        Where several are registered, the one whose client id is the code.
        """
        found = [party for party in self._by_id.values() if party.row.city == code]
        own = (party for party in found if party.row.id == code)
        return next(own, None) or next(iter(found), None)

    def by_number(self, num: int) -> Party | None:
        """The party of an internal number."""
        return next((party for party in self._by_id.values() if party.row.num == num), None)

    def offering(self, scenario: str, whose: str = "") -> Sequence[Party]:
        """The active parties of a scenario, by id; with `whose` those of a recipient (its entity)
        or of a community alone."""
        return self._offering.get((scenario, whose), ())

    async def refresh(self, *, force: bool = False) -> None:
        """Load what changed; without `force` only where some party has a newer revision.

        One at a time, or a load that took long would undo what a later one found. Whoever waited
        takes a look that began meanwhile for their own, with its fault: however many want one,
        two are made.
        """
        before = self._begun
        async with self._looking:
            last = self._last
            if last.number > before and last.forced >= force:
                if last.fault is not None:
                    raise last.fault
                return
            self._begun = number = self._begun + 1
            try:
                await self._look(force)
            except GatewayError as fault:
                self._last = _Look(number, force, fault)
                raise
            self._last = _Look(number, force)

    async def _look(self, force: bool) -> None:
        async with self._database.connection() as connection:
            # The revisions are read before the rows: one that arrives between the two is loaded
            # again next time, never missed.
            newest = await rows.revisions(connection)
            if newest == self._revisions and not force:
                return
            loaded = await rows.everyone(connection)
        self._by_id = {row.id: self._party(row) for row in loaded}
        self._offering = _by_offer(self._by_id.values())
        self._revisions = newest

    def _party(self, row: PartyRow) -> Party:
        registrations = {
            scenario: Registration(
                recipient,
                Viewpoint(
                    sector=recipient.sector,
                    scenario=scenario,
                    reads=tuple(sorted(self._registry[scenario].reads)),
                    city=row.city,
                    community=row.community,
                ),
            )
            for scenario, recipient in row.scenarios.items()
            if scenario in self._registry
        }
        own = Rate.of(row.rate_per_s, row.rate_burst) if row.rate_per_s and row.rate_burst else None
        return Party(row, registrations, own or self._rate)


def _by_offer(parties: Iterable[Party]) -> dict[tuple[str, str], list[Party]]:
    """Active parties by scenario, and by scenario with recipient or community."""
    found: dict[tuple[str, str], list[Party]] = {}
    for party in sorted((each for each in parties if each.active), key=lambda each: each.row.id):
        for scenario, registration in party.registrations.items():
            # A community's code and an entity's id may be equal: both may then be meant.
            places = {"", registration.recipient.entity, party.row.community or ""}
            for whose in places:
                found.setdefault((scenario, whose), []).append(party)
    return found
