"""What each scenario offers one citizen: open or what is missing, and the parties that offer it.

All of it is read from PostgreSQL for the citizen who looks, and recorded nowhere. A city may have
thousands of parties; what is tried for an overview and listed on a page is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Final
from uuid import UUID

import msgspec

from gateway.body import NOBODY, Body, Viewpoint, decode_body
from gateway.clock import Clock
from gateway.consent_rules import state
from gateway.errors import DependencyDown, NotFound
from gateway.openness import Example, Openness, Prospect, Surroundings
from gateway.parties import Parties, Party
from gateway.policies import Policies
from gateway.standing import StandingReader, StandingWriter, Wanted
from gateway.store import commitment as commitment_rows
from gateway.store import consent as consent_rows
from gateway.store import party as party_rows
from gateway.store import standing as standing_rows
from gateway.store import stock as stock_rows
from gateway.store.consent import HeldConsent
from gateway.store.database import Database
from gateway.store.party import Offer
from scenarios.contract import Outcome
from scenarios.registry import Registry

#: Parties that are tried for an overview: of each recipient or community, and in all.
TRIED_OF_EACH: Final = 2
TRIED_MAX: Final = 12
#: Parties on a scenario's page; a search finds the others.
LISTED_MAX: Final = 30


class Look(msgspec.Struct, frozen=True):
    """What the rule says from one viewpoint, with the facts that were asked with."""

    openness: Openness
    example: Example


class Offered(msgspec.Struct, frozen=True):
    """A party that offers a scenario; `held` is what the citizen allows its recipient."""

    offer: Offer
    look: Look
    held: HeldConsent | None


class Prospects(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario as it stands for one citizen.

    `look` is at the party where most is met, and `party` names it: None where none offers it.
    `consents` are the live and paused ones, of this scenario.
    """

    prospect: Prospect
    look: Look
    party: str | None
    committed: bool
    consents: Sequence[HeldConsent]


class Offers(msgspec.Struct, frozen=True):
    """The parties that offer a scenario; `more` where some were left out."""

    offered: Sequence[Offered]
    more: bool


class _Mine(msgspec.Struct, frozen=True):
    """All that is read of a citizen, once for a page."""

    body: Body
    consents: Mapping[str, Sequence[HeldConsent]]  # live and paused, by scenario
    committed: frozenset[str]
    uses: Mapping[UUID, int]
    fresh: bool  # the word of a visitor's home city
    at_us: int


class ScenarioOffers:
    """What scenarios offer to citizens; one instance per worker."""

    def __init__(
        self,
        *,
        database: Database,
        standings: StandingReader,
        writer: StandingWriter,
        registry: Registry,
        policies: Policies,
        parties: Parties,
        clock: Clock,
    ) -> None:
        self._database, self._standings, self._writer = database, standings, writer
        self._policies, self._parties, self._clock = policies, parties, clock
        self._prospects = {name: Prospect(registry[name]) for name in registry}

    async def overview(self, citizen: UUID) -> list[Prospects]:
        """Every live scenario, in the order of their ids."""
        mine = await self._mine(citizen)
        live = [name for name in self._prospects if self._is_live(name)]
        return [await self._prospects_of(name, mine) for name in live]

    async def of(self, citizen: UUID, scenario: str, words: str = "") -> tuple[Prospects, Offers]:
        """One scenario, and the parties of it whose name or recipient's name holds `words`.

        Raises:
            NotFound: no live scenario is called so.
        """
        if not self._is_live(scenario):
            raise NotFound
        mine = await self._mine(citizen)
        return await self._prospects_of(scenario, mine), await self._offers(scenario, mine, words)

    async def at(self, citizen: UUID, scenario: str, client_id: str) -> Look | None:
        """The same at one party; None where it does not offer the scenario now."""
        party = self._parties.get(client_id)
        registration = party.registrations.get(scenario) if party and party.active else None
        if registration is None or not self._is_live(scenario):
            return None
        mine = await self._mine(citizen)
        (look,) = await self._look(self._prospects[scenario], [registration.view], mine)
        return look

    def _is_live(self, scenario: str) -> bool:
        prospect = self._prospects.get(scenario)
        if prospect is None or prospect.compiled.manifest.status != "live":
            return False
        return self._policies.number(scenario) is not None

    async def _prospects_of(self, scenario: str, mine: _Mine) -> Prospects:
        prospect, consents = self._prospects[scenario], mine.consents.get(scenario, ())
        tried = self._tried(scenario, mine)
        views = [party.registrations[scenario].view for party in tried] or [_nobodys(prospect)]
        looks = await self._look(prospect, views, mine)
        # A city may answer nothing to one example; the most that is open to the citizen counts.
        best = min(range(len(looks)), key=lambda place: _distance(looks[place].openness))
        return Prospects(
            prospect=prospect,
            look=looks[best],
            party=tried[best].row.name if tried else None,
            committed=scenario in mine.committed,
            consents=consents,
        )

    def _tried(self, scenario: str, mine: _Mine) -> list[Party]:
        """The parties that are tried first: those allowed, those near home, then any."""
        near = [stay.community for stay in mine.body.residency]
        places = [held.consent.recipient for held in mine.consents.get(scenario, ())] + near + [""]
        found = {
            party.row.num: party
            for whose in places
            for party in self._parties.offering(scenario, whose)[:TRIED_OF_EACH]
        }
        return list(islice(found.values(), TRIED_MAX))

    async def _offers(self, scenario: str, mine: _Mine, words: str) -> Offers:
        prospect = self._prospects[scenario]
        held = {each.consent.recipient: each for each in mine.consents.get(scenario, ())}
        async with self._database.connection() as connection:
            found = await party_rows.offers(connection, scenario, words, list(held), LISTED_MAX + 1)
        views: list[tuple[Offer, Viewpoint]] = []
        for offer in found[:LISTED_MAX]:
            party = self._parties.get(offer.party)
            registration = party.registrations.get(scenario) if party else None
            # One that has changed a moment ago is not known here yet, or with another recipient.
            if registration is not None and registration.recipient.entity == offer.entity:
                views.append((offer, registration.view))
        looks = await self._look(prospect, [view for _, view in views], mine)
        offered = [
            Offered(offer, look, held.get(offer.entity))
            for (offer, _), look in zip(views, looks, strict=True)
        ]
        return Offers(offered, len(found) > LISTED_MAX)

    async def _look(
        self, prospect: Prospect, views: Iterable[Viewpoint], mine: _Mine
    ) -> list[Look]:
        asked = [(view, prospect.example(view, mine.at_us)) for view in views]
        shelves = sorted({example.shelf for _, example in asked if example.shelf is not None})
        around = Surroundings(mine.uses, await self._stock(shelves), mine.fresh)
        return [
            Look(prospect.look(mine.body, view, example, mine.at_us, around), example)
            for view, example in asked
        ]

    async def _stock(self, shelves: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], int]:
        if not shelves:
            return {}
        async with self._database.connection() as connection:
            return await stock_rows.load(connection, shelves)

    async def _mine(self, citizen: UUID) -> _Mine:
        body = await self._body(citizen)
        async with self._database.connection() as connection:
            held = await consent_rows.of_citizen(connection, citizen)
            promises = await commitment_rows.newest(connection, citizen)
            counted = [each.consent.id for each in held if each.consent.frequency]
            uses = await consent_rows.uses_today(connection, counted) if counted else {}
            fresh = body.issuer is None or await standing_rows.word_is_fresh(
                connection, body.issuer
            )
        consents: dict[str, list[HeldConsent]] = {}
        for each in held:
            if state(each.consent) in ("active", "paused"):
                consents.setdefault(each.consent.scenario, []).append(each)
        signed = frozenset(row.scenario for row in promises if row.status == "signed")
        return _Mine(body, consents, signed, uses, fresh, self._clock.now_us())

    async def _body(self, citizen: UUID) -> Body:
        """What decisions read of the citizen, as PostgreSQL holds it now.

        Raises:
            DependencyDown: it cannot be read.
        """
        try:
            return await self._stored(citizen)
        except msgspec.DecodeError:
            await self._writer.rebuild(citizen)  # written in an earlier layout
        try:
            return await self._stored(citizen)
        except msgspec.DecodeError:
            raise DependencyDown("standing") from None

    async def _stored(self, citizen: UUID) -> Body:
        standing = await self._standings.read_stored(Wanted(citizen))
        return decode_body(standing.body) if standing.version else NOBODY


def _nobodys(prospect: Prospect) -> Viewpoint:
    """The viewpoint of no party in particular: what stands towards the city alone is seen."""
    reads = tuple(sorted(prospect.compiled.reads))
    return Viewpoint(sector=0, scenario=prospect.compiled.id, reads=reads)


def _distance(openness: Openness) -> int:
    """How far a scenario is from being open; where nothing can be told, the farthest."""
    if openness.outcome is Outcome.CANNOT_ASSESS:
        return len(Outcome) + 64
    return len(openness.missing)
