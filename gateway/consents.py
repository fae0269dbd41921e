"""Consents: given, declined, paused, resumed and withdrawn by the citizen alone (PIPL 14, 15, 23).

One id for a citizen, recipient and scenario; every act adds a version and changes none. All of it
happens with the citizen's standing locked (gateway/standing.py), so when a withdrawal is
acknowledged it is durable, and no question that starts afterwards is answered from the consent.
What parties are told is written in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final
from uuid import UUID

import msgspec

from gateway import misses
from gateway.consent_rules import (
    end_of,
    expired,
    frequency_of,
    limited,
    paused,
    resumed,
    state,
    withdrawn,
)
from gateway.errors import Conflict, NotFound, TextChanged
from gateway.idempotency import Act, citizen_key, once
from gateway.ids import Ids
from gateway.outbox import Outbox
from gateway.own_requests import is_own
from gateway.parties import Parties
from gateway.standing import StandingWriter
from gateway.store import consent as rows
from gateway.store.consent import Consent, ExpiredRequest, HeldConsent, LockedRequest, Version
from gateway.store.database import Connection, Database
from scenarios.manifest import Consent as ConsentText
from scenarios.registry import Registry

Revise = Callable[[Consent], Consent]

#: What nobody is made to wait for: taking back, and what time itself does.
_UNBOUNDED: Final = frozenset({"consent.withdrawn", "consent.expired"})


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """On which terms a citizen consents: to the very text shown, how often, how long.

    `frequency` is questions a day; `until_us` microseconds (UTC); both may only narrow what the
    scenario's text says.
    """

    text_sha256: str
    frequency: int | None = None
    until_us: int | None = None


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a citizen is asked to allow: to whom, for which scenario and purpose."""

    recipient: str
    scenario: str
    purpose: str


class Declined(msgspec.Struct, frozen=True):
    """A request that the citizen declined. Nothing follows from it."""

    request: UUID


class Consents:
    """The citizens' acts on consents; one instance per worker."""

    def __init__(
        self,
        *,
        database: Database,
        writer: StandingWriter,
        registry: Registry,
        parties: Parties,
        outbox: Outbox,
        ids: Ids,
    ) -> None:
        self._database, self._writer = database, writer
        self._registry, self._parties = registry, parties
        self._outbox, self._ids = outbox, ids

    async def grant(
        self, citizen: UUID, request: UUID, terms: Terms, act: Act | None = None
    ) -> Consent:
        """Consent to what a request asks; granting it again returns the consent as it is now.

        Raises:
            NotFound: there is no such request, or another citizen has decided it.
            TextChanged: the text is not the one that was shown.
            Conflict: the request can no longer be granted.
            Malformed: the terms are wider than the scenario's text.
        """
        async with self._writer.change(citizen) as connection:
            work = partial(self._grant, connection, citizen, request, terms)
            return await once(connection, act, Consent, work)

    async def grant_within(
        self, connection: Connection, citizen: UUID, request: UUID, terms: Terms
    ) -> Consent:
        """`grant` inside a change of this citizen's standing, for many citizens in one change."""
        return await self._grant(connection, citizen, request, terms)

    async def give_aloud_within(
        self,
        connection: Connection,
        citizen: UUID,
        wanted: Wanted,
        text_sha256: bytes,
        assisted: UUID,
    ) -> Consent:
        """A consent said at a counter to words read aloud, inside a change of the standing.

        No request led to it; `assisted` is the act of staff that records it.

        Raises:
            TextChanged: the text is not the one that was read.
            Conflict: the scenario has gone.
        """
        terms = Terms(text_sha256=text_sha256.hex())
        consent = await self._next(connection, citizen, wanted, terms)
        await rows.add(connection, consent, assisted=assisted)
        await self._outbox.consent(connection, "consent.granted", consent)
        return consent

    async def give_within(
        self, connection: Connection, citizen: UUID, wanted: Wanted, text_sha256: str
    ) -> Consent:
        """A consent to the text that was shown, inside a change of the standing, by no request.

        One that stands is given anew: its time begins again, and what the citizen narrowed stays.

        Raises:
            TextChanged: the text is not the one that was shown.
            Conflict: the scenario has gone.
        """
        before = await rows.newest(connection, citizen, wanted.recipient, wanted.scenario)
        stands = before is not None and state(before) in ("active", "paused")
        frequency = before.frequency if before is not None and stands else None
        terms = Terms(text_sha256=text_sha256, frequency=frequency)
        consent = await self._next(connection, citizen, wanted, terms)
        await rows.add(connection, consent)
        await self._outbox.consent(connection, "consent.granted", consent)
        return consent

    async def withdraw_aloud_within(
        self, connection: Connection, citizen: UUID, consent: UUID, assisted: UUID
    ) -> Consent:
        """`withdraw` at a counter, inside a change of the standing."""
        return await self._revise(
            connection, citizen, consent, "consent.withdrawn", withdrawn, assisted
        )

    async def decline(self, citizen: UUID, request: UUID, act: Act | None = None) -> Declined:
        """Decline a request. No consent changes and nothing is remembered against the citizen.

        Raises:
            NotFound: there is no such request, or another citizen has decided it.
            Conflict: it was granted, or its time has run out.
        """
        async with self._database.transaction() as connection:
            work = partial(self._decline, connection, citizen, request)
            return await once(connection, act, Declined, work)

    async def pause(
        self, citizen: UUID, consent: UUID, until_us: int | None = None, act: Act | None = None
    ) -> Consent:
        """See `paused`; raises NotFound where the citizen has no such consent."""
        revise = partial(paused, until_us=until_us)
        return await self._change(citizen, consent, "consent.paused", revise, act)

    async def resume(self, citizen: UUID, consent: UUID, act: Act | None = None) -> Consent:
        """See `resumed`; raises NotFound where the citizen has no such consent."""
        return await self._change(citizen, consent, "consent.resumed", resumed, act)

    async def withdraw(self, citizen: UUID, consent: UUID, act: Act | None = None) -> Consent:
        """See `withdrawn`; raises NotFound where the citizen has no such consent.

        When this returns, the withdrawal is durable and binds every question that starts now.
        """
        return await self._change(citizen, consent, "consent.withdrawn", withdrawn, act)

    async def limit(
        self, citizen: UUID, consent: UUID, frequency: int | None, act: Act | None = None
    ) -> Consent:
        """See `limited`; raises NotFound where the citizen has no such consent."""

        def revise(before: Consent) -> Consent:
            text = self._text(before.scenario)
            return limited(before, text.frequency_per_day if text else None, frequency)

        # How often a citizen wants to be asked about is not for parties to know: no message.
        return await self._change(citizen, consent, None, revise, act)

    async def withdraw_all_within(self, connection: Connection, citizen: UUID) -> None:
        """`withdraw` of every consent that has not ended, inside a change of this standing."""
        for held in await rows.of_citizen(connection, citizen):
            if held.consent.status in ("active", "paused"):
                identifier = held.consent.id
                await self._revise(connection, citizen, identifier, "consent.withdrawn", withdrawn)

    async def expire(self, citizen: UUID, consent: UUID) -> Consent:
        """See `expired`; the job that looks for ended consents calls it."""
        return await self._change(citizen, consent, "consent.expired", expired, None)

    async def expire_requests(self, limit: int) -> int:
        """Mark at most so many requests whose time has run out, and tell those who asked."""
        async with self._database.transaction() as connection:
            over = await rows.expire_requests(connection, limit)
            for request in over:
                await self._tell(connection, "consent.expired", request)
        return len(over)

    async def held(self, citizen: UUID) -> tuple[list[HeldConsent], dict[UUID, int]]:
        """The citizen's consents, and how many answers each gave today (Asia/Shanghai)."""
        async with self._database.connection() as connection:
            return await rows.of_citizen(connection, citizen), await rows.asked_today(
                connection, citizen
            )

    async def history(self, citizen: UUID, consent: UUID) -> list[Version]:
        """Every version of a consent, oldest first.

        Raises:
            NotFound: the citizen has no such consent.
        """
        async with self._database.connection() as connection:
            versions = await rows.versions(connection, consent, citizen)
        if not versions:
            raise NotFound
        return versions

    async def _change(
        self, citizen: UUID, consent: UUID, event: str | None, revise: Revise, act: Act | None
    ) -> Consent:
        async with self._writer.change(citizen) as connection:
            work = partial(self._revise, connection, citizen, consent, event, revise)
            return await once(connection, act, Consent, work)

    async def _revise(
        self,
        connection: Connection,
        citizen: UUID,
        consent: UUID,
        event: str | None,
        revise: Revise,
        assisted: UUID | None = None,
    ) -> Consent:
        before = await rows.current(connection, consent, citizen)
        if before is None:
            raise NotFound
        after = revise(before)
        if after is before:
            return before
        if event not in _UNBOUNDED:
            await misses.count(connection, {f"consents/{citizen_key(citizen)}": misses.OF_CHANGES})
        after = msgspec.structs.replace(after, version=before.version + 1, at_us=before.now_us)
        await rows.add(connection, after, assisted=assisted)
        if event is not None:
            await self._outbox.consent(connection, event, after)
        return after

    async def _grant(
        self, connection: Connection, citizen: UUID, request: UUID, terms: Terms
    ) -> Consent:
        locked = await _locked(connection, citizen, request)
        if locked.status == "granted" and locked.consent is not None:
            return await self._still(connection, citizen, locked.consent)
        if locked.status != "pending" or locked.over or not self._asks(locked):
            raise Conflict
        wanted = Wanted(
            recipient=locked.recipient, scenario=locked.scenario, purpose=locked.purpose
        )
        consent = await self._next(connection, citizen, wanted, terms)
        await rows.add(connection, consent, request)
        await rows.decide_request(connection, request, "granted", citizen, consent.id)
        # Of a request that the citizen began the party knows nothing: it learns of a consent alone.
        named = None if is_own(locked.out_request_no) else (locked.party, _named(locked))
        await self._outbox.consent(connection, "consent.granted", consent, requested=named)
        return consent

    async def _next(
        self, connection: Connection, citizen: UUID, wanted: Wanted, terms: Terms
    ) -> Consent:
        """The version that consenting now makes; it is not added yet."""
        text = self._text(wanted.scenario)
        if text is None:
            raise Conflict
        # The hash is of the very words shown: a consent to other words is no consent (PIPL 14).
        if terms.text_sha256 != text.text_sha256.hex():
            raise TextChanged
        before = await rows.newest(connection, citizen, wanted.recipient, wanted.scenario)
        now_us = await rows.now_us(connection)
        return Consent(
            id=before.id if before else self._ids.random_uuid(),
            version=before.version + 1 if before else 1,
            citizen=citizen,
            recipient=wanted.recipient,
            scenario=wanted.scenario,
            purpose=wanted.purpose,
            fields=text.fields,
            text_version=text.version,
            text_sha256=text.text_sha256,
            from_us=now_us,
            to_us=end_of(text, now_us, terms.until_us),
            frequency=frequency_of(text.frequency_per_day, terms.frequency),
            status="active",
            paused_until_us=None,
            at_us=now_us,
            now_us=now_us,
        )

    async def _decline(self, connection: Connection, citizen: UUID, request: UUID) -> Declined:
        locked = await _locked(connection, citizen, request)
        if locked.status == "declined":
            return Declined(request)
        if locked.status != "pending" or locked.over:
            raise Conflict
        await rows.decide_request(connection, request, "declined", citizen, None)
        await self._tell(connection, "consent.declined", locked)
        return Declined(request)

    async def _tell(
        self, connection: Connection, event: str, request: LockedRequest | ExpiredRequest
    ) -> None:
        """Tell the party that asked how its request ended; of another's it hears nothing."""
        if is_own(request.out_request_no):
            return
        data = {"scenario": request.scenario, **_named(request)}
        now_us = await rows.now_us(connection)
        await self._outbox.request(connection, event, request.party, now_us, data)

    async def _still(self, connection: Connection, citizen: UUID, consent: UUID) -> Consent:
        found = await rows.current(connection, consent, citizen)
        assert found is not None, "a granted request names a consent of the citizen it is bound to"
        return found

    def _text(self, scenario: str) -> ConsentText | None:
        compiled = self._registry.get(scenario)
        return compiled.manifest.consent if compiled is not None else None

    def _asks(self, request: LockedRequest) -> bool:
        """Whether the party still may ask, for the same recipient that the notice named."""
        party = self._parties.by_number(request.party)
        if party is None or not party.active:
            return False
        registration = party.registrations.get(request.scenario)
        return registration is not None and registration.recipient.entity == request.recipient


async def _locked(connection: Connection, citizen: UUID, request: UUID) -> LockedRequest:
    """The request, locked. The first citizen to decide it is the only one who ever sees it."""
    locked = await rows.lock_request(connection, request)
    if locked is None or locked.citizen not in (None, citizen):
        raise NotFound
    return locked


def _named(request: LockedRequest | ExpiredRequest) -> dict[str, str]:
    named = {"consent_request": str(request.id), "out_request_no": request.out_request_no}
    # Which of its desks or devices it was: an unattended bike must know that it is the one.
    return named if request.desk is None else {**named, "desk": request.desk}
