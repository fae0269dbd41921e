"""A grant is presented, and judged: who holds it, by which key, whether it says what it must.

Checks go by cost, and each that fails has a name for the city's own record. The last word is not
spoken here: whether a grant was accepted before, PostgreSQL knows
(gateway/recognition/acceptance.py).
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec

from gateway.claims import Kind, RecognitionClaims
from gateway.clock import SECOND_US, Clock
from gateway.credential import Headers
from gateway.dpop import Wanted, error_of
from gateway.jose import Passed, Reason, Refused, verify
from gateway.oauth.errors import OAuthCode
from gateway.proofs import Proofs
from gateway.recognition.attempts import Attempts
from gateway.recognition.judgement import Place, fault_of, place_of
from gateway.recognition.neighbours import Schemes, Statuses, Trust
from gateway.recognition.veil import Veil
from gateway.sessions import hash_of
from gateway.settings import Settings
from gateway.store.visit_attempt import OpenAttempt

#: Visitors of one city who wait for its status list at a time, half as many as there is room for in
#: a worker: a slow city fills no worker with them.
WAITING_MAX: Final = 128

#: So many seconds may pass from the look into the status list to the decision.
STOOD_S: Final = 3.0


class Presented(msgspec.Struct, frozen=True):
    """A grant with whom it comes from: the authenticated client, the attempt's secret, the header
    fields that hold the proof. `grant` is None where the attempt keeps it."""

    client: str
    secret: str
    headers: Headers
    grant: str | None = None


class Judged(msgspec.Struct, frozen=True):
    """A grant that holds, as far as reading can tell."""

    id_hash: bytes
    home: str
    subject: str
    claims: RecognitionClaims
    place: Place


class Stop(Exception):
    """A grant is not accepted: `reason` is for the record, `code` for whoever presented it."""

    def __init__(self, reason: str, code: OAuthCode = OAuthCode.INVALID_GRANT) -> None:
        self.reason, self.code = reason, code


class Judge:
    """Judges grants; one instance per worker.

    Args:
        url: the token endpoint's, for which proofs are made.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        url: str,
        attempts: Attempts,
        proofs: Proofs,
        trust: Trust,
        schemes: Schemes,
        statuses: Statuses,
        veil: Veil,
        clock: Clock,
    ) -> None:
        self._settings, self._url = settings, url
        self._attempts, self._proofs, self._veil, self._clock = attempts, proofs, veil, clock
        self._trust, self._schemes, self._statuses = trust, schemes, statuses
        self._waiting: Counter[str] = Counter()

    async def judged(self, presented: Presented, attempt: OpenAttempt) -> Judged:
        """What a grant says for an attempt, its proof used up; `stands` is asked next.

        Raises:
            Stop: it does not hold.
            AbnormalUsage: too many bad signatures came by this attempt.
            DependencyDown, Overloaded, OutcomeUnknown: PostgreSQL cannot decide on the proof.
        """
        id_hash, now_us = hash_of(presented.secret), self._clock.now_us()
        home = self._trust.city(attempt.home)
        agreed = self._trust.agreed(attempt.home, now_us)
        if home is None or agreed is None:
            raise Stop("no-agreement")
        grant = presented.grant or self._attempts.kept(presented.secret, attempt)
        if grant is None:
            raise Stop("no-grant")
        await self._prove(presented.headers, attempt, id_hash)
        answer = verify(
            grant,
            Kind.RECOGNITION,
            self._trust,
            issuer=home.entry.issuer,
            audience=self._settings.issuer,
            now_us=now_us,
        )
        if not isinstance(answer, Passed):
            raise Stop(answer.reason.value)
        claims = answer.claims
        assert isinstance(claims, RecognitionClaims), "the guard decodes each kind to its own"
        fault = fault_of(claims, client=presented.client, attempt=attempt, home=home, agreed=agreed)
        if fault is not None:
            raise Stop(fault)
        place = self._placed(claims, attempt.home)
        subject = self._veil.subject(attempt.home, claims.sub)
        return Judged(id_hash, attempt.home, subject, claims, place)

    async def stands(self, judged: Judged) -> float:
        """Ask the home city's status list, for which a slow city lets its visitors wait; when that
        was (`Clock.monotonic`).

        Raises:
            Stop: the grant does not stand by a fresh list, or too many wait to hear so.
        """
        home, entry = judged.home, judged.claims.status.status_list
        if self._waiting[home] >= WAITING_MAX:
            raise Stop("status-unknown")
        self._waiting[home] += 1
        try:
            valid = await self._statuses.valid(home, entry.uri, entry.idx)
        finally:
            self._waiting[home] -= 1
        if not valid:
            raise Stop("status-unknown" if valid is None else "revoked")
        return self._clock.monotonic()

    def in_time(self, judged: Judged, stood: float) -> None:
        """See that a grant has not expired while it waited, and that it stood (`stands`) a moment
        ago: of what ended since, the minute is counted from then.

        Raises:
            Stop: it has, or did not.
        """
        if judged.claims.exp * SECOND_US <= self._clock.now_us():
            raise Stop(Reason.EXPIRED.value)
        if self._clock.monotonic() - stood > STOOD_S:
            raise Stop("status-unknown")

    async def _prove(self, headers: Headers, attempt: OpenAttempt, id_hash: bytes) -> None:
        wanted = Wanted(
            method="POST",
            url=self._url,
            jkt=attempt.jkt,
            nonce=self._settings.dpop_nonce_required,
        )
        proof = await self._proofs.accept(headers, wanted, f"visit {id_hash.hex()}")
        if isinstance(proof, Refused):
            raise Stop(f"proof-{proof.reason.value}", OAuthCode(error_of(proof.reason)))

    def _placed(self, claims: RecognitionClaims, home: str) -> Place:
        said = claims.recognition
        scheme = self._schemes.get(said.scheme, said.scheme_version)
        if scheme is None:
            raise Stop("scheme-unknown")
        place = place_of(claims, scheme, home, self._settings.city)
        if place is None:
            raise Stop("tier")
        return place
