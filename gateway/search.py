"""Which of a party's scenarios are open to one citizen now: standing → scenarios → commit → answer.

One look at the standing, all rules at once (scenarios/sieve.py), one record. It is bound as a
decision is: nothing leaves before one statement of PostgreSQL has recorded the search and
confirmed every premise, and what no longer holds is searched again from what the commit returned.
A search says as little as decisions do, and never more cheaply: its facts count for the watch
against probing, and a consent with a daily frequency is left out of it.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec
import structlog

from gateway.batching import Batcher
from gateway.body import (
    NOBODY,
    Body,
    Viewpoint,
    consent_of,
    consents_to,
    decode_body,
    digest,
    is_body,
    values_at,
)
from gateway.clock import SECOND_US, Clock
from gateway.errors import DependencyDown, Forbidden, Overloaded
from gateway.evidence import facts_hash
from gateway.glimpse import glimpse
from gateway.ids import Ids
from gateway.parties import Parties, Principal
from gateway.policies import Policies
from gateway.recognition.freshness import Freshness
from gateway.search_committer import BATCH_MAX, SearchCommitter
from gateway.search_evidence import SearchRecord
from gateway.search_places import Place, Places, Prepared
from gateway.standing import Standing, StandingReader, StandingWriter, Wanted
from gateway.store.cache import Entry
from gateway.store.search import SearchOutcome, SearchProposal
from gateway.vault import Seal, SealBroken, Vault
from scenarios.contract import FOREVER_US
from scenarios.sheet import Sheet
from scenarios.sieve import Sifted

_log = structlog.get_logger(__name__)

#: A search is made at most so often: once from the cache, twice from what commits returned.
TRIES = 3

#: What the keyed hash of a search's facts is labelled with; no scenario can have this name.
FACTS_LABEL = "*search"


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What a party searches, understood and authenticated, about one citizen."""

    principal: Principal
    place: Place
    citizen: UUID
    facts: bytes  # a JSON object; members that no scenario declares are ignored
    received_us: int
    deadline: float  # monotonic seconds; not sent to PostgreSQL after it
    staff: str | None = None
    reference: str | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What was recorded, and all that the party will read.

    `scenarios` are those that answer `eligible`; `cannot_assess` those for which the facts (or
    the city's own figures) did not suffice, whoever the citizen.
    """

    search: UUID
    scenarios: tuple[str, ...]
    cannot_assess: tuple[str, ...]
    at_us: int
    valid_until_us: int
    receipt: bytes
    score_as_of: date | None


class Searches:
    """Searches; one instance per worker."""

    def __init__(
        self,
        *,
        standings: StandingReader,
        writer: StandingWriter,
        committer: SearchCommitter,
        policies: Policies,
        parties: Parties,
        freshness: Freshness,
        vault: Vault,
        clock: Clock,
        ids: Ids,
        digest_key: bytes,
        facts_key: bytes,
        answer_ttl_s: int,
        waiting_max: int,
    ) -> None:
        self._reads: Batcher[Wanted, Standing] = Batcher(
            standings.read_many, batch_max=BATCH_MAX, waiting_max=waiting_max
        )
        self._standings, self._committer = standings, committer
        self._writer = writer
        self._policies, self._parties = policies, parties
        self._freshness = freshness
        self._vault, self._clock, self._ids = vault, clock, ids
        self._digest_key, self._facts_key = digest_key, facts_key
        self._answer_ttl_us = answer_ttl_s * SECOND_US
        self.places = Places(policies)

    async def search(self, search: Search) -> Found:
        """What is open to the citizen, recorded.

        Raises:
            DependencyDown, OutcomeUnknown, Overloaded: there is no answer (503).
            Forbidden: the party may no longer ask.
            QuotaExceeded: the party's own limit is spent.
        """
        attempt = self._attempt(search)
        premises = await self._premises(search, attempt.shelf)
        at_us = self._clock.now_us()
        for _ in range(TRIES):
            sifted, proposal = self._propose(search, attempt, premises, at_us)
            outcome = await self._committer.record(proposal, search.deadline)
            if outcome.receipt is not None:
                return _found(attempt, sifted, proposal.record, outcome, outcome.receipt)
            # Not recorded: learn what no longer holds, and search again from the truth.
            at_us = outcome.at_us
            if outcome.standing_holds and not outcome.issuer_holds:
                self._freshness.learn(premises.body.issuer, assumed=proposal.fresh)
            if not outcome.party_holds or not outcome.policies_hold:
                search = await self._refreshed(search)
                attempt = self._attempt(search)
            if not outcome.standing_holds:
                premises = await self._corrected(search, premises, outcome)
        raise Overloaded(retry_after_s=1)

    def _attempt(self, search: Search) -> _Attempt:
        """The facts, matched to those scenarios whose rule of this worker is in the live set."""
        prepared = self.places.prepared(search.place)
        sheet = prepared.sieve.read(search.facts)
        return _Attempt(prepared, sheet, prepared.shelf(sheet))

    async def _premises(self, search: Search, shelf: tuple[str, str] | None) -> _Premises:
        """The standing from the cache; where its bytes are unusable, from PostgreSQL."""
        wanted = Wanted(search.citizen, shelf, search.principal.party)
        standing = await self._reads.submit(wanted)
        try:
            return self._usable(standing)
        except (msgspec.DecodeError, SealBroken):
            _log.warning("standing_unusable", origin="cache")
        true = await self._sound(wanted)
        self._standings.heal(standing.cached, Entry(true.citizen, true.version, true.body))
        return self._stored(msgspec.structs.replace(true, stock=standing.stock))

    async def _sound(self, wanted: Wanted) -> Standing:
        """The standing from PostgreSQL, built anew where it is of an earlier layout."""
        true = await self._standings.read_stored(wanted)
        if true.version and not is_body(true.body):
            await self._writer.rebuild(wanted.citizen)
            true = await self._standings.read_stored(wanted)
        return true

    async def _corrected(
        self, search: Search, premises: _Premises, outcome: SearchOutcome
    ) -> _Premises:
        """The premises that the commit statement itself returned, and a healed cache."""
        used = premises.standing
        version, body = outcome.true_version or 0, outcome.true_body or b""
        if version and not is_body(body):
            true = await self._sound(Wanted(search.citizen))
            version, body = true.version, true.body
        if version:
            self._standings.heal(used.cached, Entry(search.citizen, version, body))
        return self._stored(Standing(search.citizen, version, body, used.stock))

    def _stored(self, standing: Standing) -> _Premises:
        try:
            return self._usable(standing)
        except (msgspec.DecodeError, SealBroken):
            # PostgreSQL's own copy cannot be read: a wrong key file or a damaged row.
            _log.error("standing_unusable", origin="database")
            raise DependencyDown("standing") from None

    def _usable(self, standing: Standing) -> _Premises:
        body = decode_body(standing.body) if standing.version else NOBODY
        # Who opens to nobody is searched for at the same cost: the facts are sealed under a key
        # that is thrown away at once.
        wrapped = body.key if body.living else self._vault.new_key(standing.citizen)
        return _Premises(standing, body, self._vault.person(wrapped, standing.citizen))

    def _propose(
        self, search: Search, attempt: _Attempt, premises: _Premises, at_us: int
    ) -> tuple[Sifted, SearchProposal]:
        """Sift, purely, and put the search into the form of its record."""
        prepared, sheet, standing = attempt.prepared, attempt.sheet, premises.standing
        sector, row = search.place.sector, search.principal.party.row
        view = Viewpoint(sector, "", prepared.reads, row.city, row.community)
        consents = consents_to(premises.body, sector, prepared.known)
        fresh = self._freshness.guess(premises.body.issuer)
        seen = glimpse(
            *(premises.body, view, consents, prepared.known, at_us),
            stock=standing.stock,
            fresh=fresh is not False,
        )
        sifted = prepared.sieve.sift(seen, sheet, at_us)
        slips = [consents[prepared.names[place]] for place in sifted.open]
        identifier = self._ids.uuid7(at_us)
        record = SearchRecord(
            id=identifier,
            received_us=search.received_us,
            party=row.num,
            party_revision=row.revision,
            sector=sector,
            citizen=search.citizen,
            standing_version=standing.version,
            evaluated=tuple([prepared.policies[place] for place in sifted.asked]),
            found=tuple([prepared.policies[place] for place in sifted.open]),
            consents=tuple([slip.id for slip in slips]),
            consent_versions=tuple([slip.version for slip in slips]),
            since_us=sifted.since_us,
            until_us=sifted.until_us,
            score_as_of=self._policies.score_as_of,
            facts_hash=facts_hash(self._facts_key, sector, FACTS_LABEL, sheet.sent),
            staff=search.staff,
            reference=search.reference,
        )
        return sifted, SearchProposal(
            record=record,
            digest=digest(self._digest_key, search.citizen, standing.version, standing.body),
            sealed=premises.seal.seal(sheet.sent, b"search_facts/" + identifier.bytes),
            good_until_us=self._good_until(search, attempt, premises, sifted, at_us),
            fresh=fresh,
        )

    def _good_until(
        self, search: Search, attempt: _Attempt, premises: _Premises, sifted: Sifted, at_us: int
    ) -> int:
        """The end of what was found, made of what that alone rests on: the interval of the whole
        search would tell of pauses and due dates that are none of this answer's."""
        if not sifted.open:
            return FOREVER_US
        if sifted.until_us - at_us > 2 * self._answer_ttl_us:
            return sifted.until_us  # beyond the end of any answer
        registrations = search.principal.party.registrations
        ends = []
        for place in sifted.open:
            scenario = attempt.prepared.sieve.scenarios[place]
            view, stock = registrations[scenario.id].view, premises.standing.stock
            slip = consent_of(premises.body, view)
            values = values_at(premises.body, view, at_us, slip=slip, stock=stock)
            ends.append(scenario.decide(values, attempt.sheet.each[place], at_us).until_us)
        return min(ends)

    async def _refreshed(self, search: Search) -> Search:
        """The same search by the party as it is now.

        Raises:
            Unauthenticated: the token's key was revoked, or the token is older than allowed.
            Forbidden: the party was suspended, or has no scenario left for this recipient.
        """
        await self._parties.refresh(force=True)
        await self._policies.refresh()
        principal = self._parties.readmit(search.principal)
        for place in self.places.of(principal):
            if place.sector == search.place.sector:
                return msgspec.structs.replace(search, principal=principal, place=place)
        raise Forbidden("scenario")


class _Premises(msgspec.Struct, frozen=True):
    """A standing made usable: decoded, with a seal."""

    standing: Standing
    body: Body
    seal: Seal


class _Attempt(msgspec.Struct, frozen=True):
    """The scenarios of a search as they are now, and the facts as they take them."""

    prepared: Prepared
    sheet: Sheet
    shelf: tuple[str, str] | None


def _found(
    attempt: _Attempt, sifted: Sifted, record: SearchRecord, outcome: SearchOutcome, receipt: bytes
) -> Found:
    assert outcome.valid_until_us is not None, "set with the receipt"
    return Found(
        search=record.id,
        scenarios=tuple(attempt.prepared.names[place] for place in sifted.open),
        cannot_assess=tuple(attempt.prepared.names[place] for place in sifted.unassessed),
        at_us=outcome.at_us,
        valid_until_us=outcome.valid_until_us,
        receipt=receipt,
        score_as_of=record.score_as_of,
    )
