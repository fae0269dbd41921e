"""One worker's working parts, put together: the only place that knows how they fit.

Everything that handlers and jobs need hangs on a `City`. It is opened with the application and
closed with it; tests open one on the same engines.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

from gateway.admission import Admission
from gateway.assisted.acts import Books
from gateway.assisted.service import Assisted
from gateway.authorisations import Authorisations
from gateway.citizens import Citizens
from gateway.clock import Clock
from gateway.closing import Closing
from gateway.commitments import Commitments
from gateway.committer import PLANNER, Committer
from gateway.consent_requests import ConsentRequests
from gateway.consents import Consents
from gateway.corrections import Corrections
from gateway.counter.attempts import Attempts
from gateway.counter.enrolment import Enrolments
from gateway.counter.passwords import Passwords
from gateway.counter.questions import CounterQuestions
from gateway.counter.security_keys import SecurityKeys
from gateway.counter.sessions import CounterSessions
from gateway.counter.sign_in import SignIn
from gateway.counter.tickets import Tickets
from gateway.counter.totp import OneTime
from gateway.counter.trials import Trials
from gateway.counts import Counts
from gateway.credit_codes import CreditCodes
from gateway.decision import Decisions
from gateway.desk_requests import DeskRequests
from gateway.desks import DeskLinks
from gateway.devices import Devices
from gateway.dpop import Wanted
from gateway.errors import DependencyDown, Overloaded
from gateway.export import Exports
from gateway.forgeries import Forgeries
from gateway.gcra import Rate
from gateway.ids import Ids
from gateway.keys import Keyring
from gateway.limits import Limits
from gateway.lookups import Lookups
from gateway.notice import load_notice
from gateway.oauth.clients import ClientAuthentication
from gateway.oauth.code import AUTHORIZATION_CODE, CodeGrant
from gateway.oauth.desk import CityDesk
from gateway.oauth.exchange import TOKEN_EXCHANGE, ExchangeGrant
from gateway.oauth.jwt_bearer import JWT_BEARER, JwtBearer
from gateway.oauth.metadata import TOKEN_PATH
from gateway.oauth.pushed import PushedRequests
from gateway.oauth.token import CLIENT_CREDENTIALS, ClientCredentials, GrantType, TokenEndpoint
from gateway.offers import ScenarioOffers
from gateway.oidc import Oidc
from gateway.outbox import Outbox
from gateway.own_requests import OwnRequests
from gateway.parties import Parties
from gateway.policies import Policies
from gateway.proofs import Proofs
from gateway.proposer import Proposer
from gateway.pseudonyms import Pseudonyms
from gateway.recognition.authorization import Authorization
from gateway.recognition.freshness import Freshness
from gateway.recognition.grants import Grants
from gateway.recognition.held import Recognitions
from gateway.recognition.limits import cap_fen
from gateway.recognition.partners import Partners
from gateway.recognition.refusals import Refusals
from gateway.recognition.requests import RecognitionRequests
from gateway.recognition.schemes import Schemes
from gateway.recognition.status_lists import StatusLists
from gateway.recognition.status_reader import StatusReader
from gateway.recognition.trust import Trust
from gateway.recognition.trust_fetch import TrustFetcher
from gateway.recognition.veil import Veil
from gateway.recognition.visiting import Visiting
from gateway.scores import Scores
from gateway.search import Searches
from gateway.search_committer import SearchCommitter
from gateway.sessions import Sessions
from gateway.settings import Settings
from gateway.standing import CacheRelay, StandingReader, StandingWriter
from gateway.store import standing as standing_rows
from gateway.store.cache import Cache
from gateway.store.database import Database
from gateway.tokens import AccessTokens
from gateway.vault import Vault
from gateway.watch import Watch
from scenarios.registry import Registry

#: While a commit is under way a standing read now would only wait for the next one, so reads
#: gather for so long and share one MGET, whose cost is nearly the same for one key and for fifty.
GATHER_S = 0.001

#: Reads and fills under way hold connections to the cache; a worker that stops waits so long.
SETTLE_S = 0.2


class City:
    """The parts of one worker.

    Args:
        settings: what can be set.
        keys: the city's secret keys.
        registry: the compiled scenarios.
        clock: where time comes from.
        ids: where identifiers and randomness come from.
    """

    def __init__(
        self, settings: Settings, keys: Keyring, registry: Registry, clock: Clock, ids: Ids
    ) -> None:
        self.settings, self.keys, self.registry = settings, keys, registry
        self.clock, self.ids = clock, ids
        self.counts = Counts(clock)
        self.database = self._database(settings.pool_max, {})
        self._batch = self._database(1, PLANNER)
        self._single = self._database(2, PLANNER)
        self.cache = Cache(
            settings.valkey_url,
            timeout_s=settings.cache_timeout_s,
            ttl_s=settings.cache_ttl_s,
            clock=clock,
            ids=ids,
            counts=self.counts,
        )
        self.vault = Vault(keys.city, ids)
        self.pseudonyms = Pseudonyms(keys.subject, settings.city)
        self.forgeries = Forgeries(clock, settings.bad_signatures_max, self.counts)
        self.proofs = Proofs(
            keys.link,
            clock,
            self.database,
            self.forgeries,
            batch_max=settings.batch_max,
            waiting_max=settings.waiting_max,
        )
        self.admission = Admission(
            clock,
            counts=self.counts,
            per_s=settings.admission_per_s / settings.workers,
            in_flight=settings.admission_in_flight,
            waiting=settings.admission_waiting,
        )
        self.limits = Limits(self.cache, clock, self.counts, workers=settings.workers)
        self.parties = Parties(
            self.database, registry, Rate.of(settings.party_rate_per_s, settings.party_burst)
        )
        self.refusals = Refusals(self.database)
        self.trust = Trust(settings, self.database, clock)
        self.trust_fetcher = TrustFetcher(settings, self.trust, self.database, clock, self.counts)
        self.tokens = AccessTokens(
            keys, settings, clock, ids, self.parties, self.forgeries, self.counts
        )
        self.clients = ClientAuthentication(
            settings,
            clock,
            self.database,
            self.parties,
            self.forgeries,
            self.counts,
            self.trust,
        )
        self.policies = Policies(self.database, registry)
        self.freshness = Freshness()
        self.schemes = Schemes(self.database)
        self.committer = Committer(
            self._batch,
            self._single,
            clock,
            answer_ttl_s=settings.answer_ttl_s,
            batch_max=settings.batch_max,
            waiting_max=settings.waiting_max,
            counts=self.counts,
        )
        self.standings = StandingReader(self.cache, self.database, self.limits, self.counts)
        self.writer = StandingWriter(
            self.database, self.cache, keys.standing_digest, partial(cap_fen, registry.get("rent"))
        )
        self.status_lists = StatusLists(settings, keys, self.database, clock, ids)
        self.status_reader = StatusReader(
            settings, self.trust, self.database, self.writer, Veil(keys.link), clock, ids
        )
        self.oidc = Oidc(settings, keys, clock, ids)
        self.sessions = Sessions(settings, ids, self.database)
        self._passwords = Passwords()
        self.tickets = Tickets(keys.cookie, clock, ids)
        self.counter_sessions = CounterSessions(settings, ids, self.database, self.parties)
        factors = self.database, self._passwords, OneTime(self.vault, clock, ids)
        attempts = Attempts(clock)
        self.sign_in = SignIn(*factors, self.counter_sessions, self.tickets, attempts)
        self.enrolments = Enrolments(
            *factors, self.counter_sessions, self.tickets, self.sign_in, attempts
        )
        self.security_keys = SecurityKeys(
            settings, self.database, self.sign_in, self.tickets, clock, ids
        )
        self.visiting = Visiting(
            settings,
            keys,
            database=self.database,
            writer=self.writer,
            vault=self.vault,
            proofs=self.proofs,
            sessions=self.sessions,
            trust=self.trust,
            schemes=self.schemes,
            statuses=self.status_reader,
            refusals=self.refusals,
            clock=clock,
            ids=ids,
        )
        self.citizens = Citizens(
            *(settings, keys.blind_index, self.vault, self.database, self.writer),
            trust=self.trust,
            clock=clock,
            ids=ids,
        )
        self.authorisations = Authorisations(
            self.database,
            self.writer,
            Scores(self.vault, clock),
            self.vault,
            clock,
            load_notice(settings),
        )
        self.devices = Devices(self.database, self.writer, clock, ids)
        self.commitments = Commitments(
            self.database, self.writer, registry, self.parties, self.pseudonyms, clock, ids
        )
        self.relay = CacheRelay(self.database, self.cache)
        self.lookups = Lookups(self.database, registry, self.vault)
        self.watch = Watch(self.database, clock, self.counts)
        self.outbox = Outbox(ids, self.pseudonyms)
        self.consent_requests = ConsentRequests(
            settings=settings,
            link_key=keys.link,
            database=self.database,
            registry=registry,
            pseudonyms=self.pseudonyms,
            clock=clock,
            ids=ids,
        )
        self.own_requests = OwnRequests(
            settings=settings,
            database=self.database,
            registry=registry,
            parties=self.parties,
            clock=clock,
            ids=ids,
        )
        self.offers = ScenarioOffers(
            database=self.database,
            standings=self.standings,
            writer=self.writer,
            registry=registry,
            policies=self.policies,
            parties=self.parties,
            clock=clock,
        )
        self.desks = DeskLinks(settings.issuer, keys.link)
        self.desk_requests = DeskRequests(
            links=self.desks,
            database=self.database,
            parties=self.parties,
            requests=self.consent_requests,
            clock=clock,
            ids=ids,
        )
        self.credit_codes = CreditCodes(
            link_key=keys.link,
            database=self.database,
            registry=registry,
            requests=self.consent_requests,
            pseudonyms=self.pseudonyms,
            clock=clock,
            ids=ids,
        )
        self.consents = Consents(
            database=self.database,
            writer=self.writer,
            registry=registry,
            parties=self.parties,
            outbox=self.outbox,
            ids=ids,
        )
        self.assisted = Assisted(
            settings=settings,
            database=self.database,
            books=Books(self.writer, self.authorisations, self.consents, self.commitments),
            registry=registry,
            parties=self.parties,
            citizens=self.citizens,
            pseudonyms=self.pseudonyms,
            tickets=self.tickets,
            clock=clock,
            ids=ids,
        )
        self.exports = Exports(
            *(settings, self.database, self.vault, self.lookups, self.authorisations),
            trust=self.trust,
            clock=clock,
        )
        self.corrections = Corrections(self.database, self.vault, clock, ids)
        self.recognitions = Recognitions(self.database)
        self.closing = Closing(
            database=self.database,
            writer=self.writer,
            consents=self.consents,
            commitments=self.commitments,
            devices=self.devices,
            authorisations=self.authorisations,
            recognitions=self.recognitions,
            text=load_notice(settings, "closure"),
        )
        self.decisions = Decisions(
            standings=self.standings,
            writer=self.writer,
            committer=self.committer,
            proposer=Proposer(
                self.policies,
                self.freshness,
                self.vault,
                ids,
                digest_key=keys.standing_digest,
                facts_key=keys.facts_hash,
            ),
            policies=self.policies,
            parties=self.parties,
            freshness=self.freshness,
            clock=clock,
            waiting_max=settings.waiting_max,
            linger_s=lambda: GATHER_S if self.committer.batcher.busy else 0.0,
            counts=self.counts,
        )
        self._recognise()
        self.counter_questions = CounterQuestions(
            database=self.database,
            codes=self.credit_codes,
            requests=self.consent_requests,
            decisions=self.decisions,
            pseudonyms=self.pseudonyms,
            tickets=self.tickets,
            trials=Trials(keys.link, self.database),
            clock=clock,
            ids=ids,
            deadline_s=settings.decision_deadline_s,
        )
        self.search_committer = SearchCommitter(
            self._single,
            clock,
            answer_ttl_s=settings.answer_ttl_s,
            waiting_max=settings.waiting_max,
        )
        self.searches = Searches(
            standings=self.standings,
            writer=self.writer,
            committer=self.search_committer,
            policies=self.policies,
            parties=self.parties,
            freshness=self.freshness,
            vault=self.vault,
            clock=clock,
            ids=ids,
            digest_key=keys.standing_digest,
            facts_key=keys.facts_hash,
            answer_ttl_s=settings.answer_ttl_s,
            waiting_max=settings.waiting_max,
        )

    def _recognise(self) -> None:
        """The parts by which other cities may recognise this one's citizens."""
        settings = self.settings
        partners = Partners(settings.city, self.trust, self.schemes, self.parties, self.clock)
        self.authorization = Authorization(
            settings=settings,
            trust=self.trust,
            partners=partners,
            oidc=self.oidc,
            refusals=self.refusals,
            database=self.database,
        )
        self.recognition_requests = RecognitionRequests(
            settings=settings,
            link_key=self.keys.link,
            partners=partners,
            database=self.database,
            writer=self.writer,
            consents=self.consents,
            registry=self.registry,
        )
        grants = Grants(
            settings=settings,
            keys=self.keys.city_grant,
            writer=self.writer,
            decisions=self.decisions,
            registry=self.registry,
            policies=self.policies,
            pseudonyms=self.pseudonyms,
            status_lists=self.status_lists,
            clock=self.clock,
            ids=self.ids,
        )
        desk = CityDesk(self.clients, partners, self.limits, self.refusals, self.database)
        self.pushed_requests = PushedRequests(desk, self.ids)
        wanted = Wanted(
            method="POST", url=settings.issuer + TOKEN_PATH, nonce=settings.dpop_nonce_required
        )
        own = ClientCredentials(self.clients, self.tokens, self.limits, self.proofs, wanted)
        grant_types: dict[str, GrantType] = {CLIENT_CREDENTIALS: own}
        if settings.trust_list_url:
            grant_types[AUTHORIZATION_CODE] = CodeGrant(desk, self.writer, self.ids)
            grant_types[TOKEN_EXCHANGE] = ExchangeGrant(desk, grants)
            grant_types[JWT_BEARER] = JwtBearer(desk, self.visiting.acceptance)
        self.token_endpoint = TokenEndpoint(grant_types)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[City]:
        """Open every connection, load what workers hold in memory, and close it all at the end."""
        pools = (self.database, self._batch, self._single)
        for pool in pools:
            await pool.open()
        try:
            # A worker that is replaced while PostgreSQL is away must not fail to start: it would
            # be started anew each second. It answers 503 until the tick succeeds.
            with suppress(DependencyDown, Overloaded):
                await self.refresh()
            yield self
        finally:
            await self.watch.stop()
            with suppress(TimeoutError):
                async with asyncio.timeout(SETTLE_S):
                    await self.decisions.settled()
                    await self.standings.settled()
            self._passwords.close()
            await self.oidc.close()
            await self.visiting.close()
            await self.trust_fetcher.close()
            await self.status_reader.close()
            await self.cache.close()
            for pool in pools:
                await pool.close()

    async def refresh(self) -> None:
        """Bring up to date what this worker holds in memory; called every second or so."""
        async with self.database.connection() as connection:
            self.cache.generation = await standing_rows.generation(connection)
        await self.policies.refresh()
        await self.parties.refresh()
        await self.schemes.refresh()
        await self.trust.refresh()
        await self.refusals.flush()
        self.forgeries.roll()

    def _database(self, pool_max: int, session: dict[str, str]) -> Database:
        settings = self.settings
        return Database(
            settings.database_url,
            pool_max=pool_max,
            timeout_s=settings.database_timeout_s,
            session=session,
        )
