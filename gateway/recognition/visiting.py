"""The visited city's parts, put together: the only place that knows how they fit."""

from __future__ import annotations

from gateway.clock import Clock
from gateway.errors import TooManyRequests
from gateway.ids import Ids
from gateway.keys import Keyring
from gateway.oauth.assertions import CLIENTS_PER_ADDRESS
from gateway.oauth.metadata import TOKEN_PATH
from gateway.oauth.throttle import Throttle
from gateway.proofs import Proofs
from gateway.recognition.acceptance import Acceptance
from gateway.recognition.attempts import Attempts
from gateway.recognition.home_city import HomeCities
from gateway.recognition.neighbours import Schemes, Statuses, Trust
from gateway.recognition.presentation import Judge
from gateway.recognition.refusals import Refusals
from gateway.recognition.veil import Veil
from gateway.recognition.visit_sessions import VisitSessions
from gateway.recognition.visits import Visits
from gateway.sessions import Sessions
from gateway.settings import Settings
from gateway.standing import StandingWriter
from gateway.store.database import Database
from gateway.vault import Vault


class Visiting:
    """What makes another city's citizen a visitor here; one instance per worker."""

    def __init__(
        self,
        settings: Settings,
        keys: Keyring,
        *,
        database: Database,
        writer: StandingWriter,
        vault: Vault,
        proofs: Proofs,
        sessions: Sessions,
        trust: Trust,
        schemes: Schemes,
        statuses: Statuses,
        refusals: Refusals,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self.homes = HomeCities(settings, keys, clock, ids)
        veil = Veil(keys.link)
        self.attempts = Attempts(keys.cookie, database, trust, self.homes, refusals, clock, ids)
        judge = Judge(
            settings=settings,
            url=settings.issuer + TOKEN_PATH,
            attempts=self.attempts,
            proofs=proofs,
            trust=trust,
            schemes=schemes,
            statuses=statuses,
            veil=veil,
            clock=clock,
        )
        self.acceptance = Acceptance(
            settings=settings,
            database=database,
            attempts=self.attempts,
            judge=judge,
            statuses=statuses,
            refusals=refusals,
            writer=writer,
            vault=vault,
            veil=veil,
            ids=ids,
        )
        self.sessions = VisitSessions(settings, database, proofs, sessions, refusals)
        self.visits = Visits(database, writer, trust, schemes)
        # Nothing of a visit is proven yet, so what is bounded is the address, which stands for
        # many people: as many as at the token endpoint.
        per_s, burst = settings.token_attempts_per_s, settings.token_attempts_burst
        many = CLIENTS_PER_ADDRESS
        self._throttle = Throttle(clock, per_s=per_s * many, burst=burst * many)
        # Each beginning takes one of the calls that a home city allows this whole city, by the same
        # figures: one address alone must not use them up.
        self._beginnings = Throttle(clock, per_s=per_s, burst=burst)

    def count_beginning(self, address: str) -> None:
        """Count a visit that is begun from an address; raises as `count`."""
        if wait_s := self._beginnings.wait_s(address):
            raise TooManyRequests(wait_s)

    def count(self, address: str) -> None:
        """Count a step of some visit from an address, before it costs anything.

        Raises:
            TooManyRequests: there were too many.
        """
        if wait_s := self._throttle.wait_s(address):
            raise TooManyRequests(wait_s)

    async def close(self) -> None:
        """Let go of the connections."""
        await self.homes.close()
