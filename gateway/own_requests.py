"""A citizen begins a consent without being asked: the same request, in the party's place.

It is shown, granted and declined like one that a party made (gateway/consent_requests.py), but the
party does not know of it. It cannot read it, hears nothing of one that was declined or ran out, and
learns of a grant as every party of the recipient does: that there is a consent, not how it began.
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Final
from uuid import UUID

import msgspec

from gateway.clock import Clock
from gateway.errors import Malformed, NotFound, TooManyRequests
from gateway.idempotency import Act, once
from gateway.ids import Ids
from gateway.parties import Parties, Party
from gateway.settings import Settings
from gateway.store import consent as rows
from gateway.store.consent import NewRequest, RequestState
from gateway.store.database import Connection, Database
from scenarios.registry import Registry

#: How these requests are numbered. A party's own numbers hold no `/`, so none can be like them.
PREFIX: Final = "citizen/"

#: So many may be begun in 24 hours: reading about every party of a district, and no flood of rows.
DAY_MAX: Final = 50


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a citizen would allow what. Without a purpose it is the scenario's first one."""

    scenario: str
    party: str
    purpose: str | None = None


class OwnRequests:
    """Requests that citizens begin; one instance per worker."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        registry: Registry,
        parties: Parties,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._settings, self._database = settings, database
        self._registry, self._parties = registry, parties
        self._clock, self._ids = clock, ids

    async def begin(self, citizen: UUID, wish: Wish, act: Act | None = None) -> RequestState:
        """A request that asks this citizen alone; one that is open for the same is found again.

        Raises:
            NotFound: there is no such scenario.
            Malformed: the party does not offer it, or the purpose is not one of it.
            TooManyRequests: too many were begun within a day.
        """
        party, purpose = self._checked(wish)
        recipient = party.registrations[wish.scenario].recipient.entity
        said = [str(citizen), wish.scenario, wish.party, recipient, purpose]
        request = NewRequest(
            id=self._ids.uuid7(self._clock.now_us()),
            party=party.row.num,
            recipient=recipient,
            scenario=wish.scenario,
            purpose=purpose,
            out_request_no=PREFIX + self._ids.token(),
            body_hash=hashlib.sha256(msgspec.json.encode(said)).digest(),
            return_uri=None,
            citizen=citizen,
            desk=None,
        )
        async with self._database.transaction() as connection:
            work = partial(self._begin, connection, citizen, request)
            return await once(connection, act, RequestState, work, status=201)

    async def _begin(
        self, connection: Connection, citizen: UUID, request: NewRequest
    ) -> RequestState:
        await rows.one_at_a_time(connection, citizen)
        held = await rows.own_open(connection, citizen, request.body_hash)
        if held is not None:
            return held
        if await rows.own_today(connection, citizen) >= DAY_MAX:
            raise TooManyRequests(retry_after_s=3600)
        await rows.add_request(connection, request, self._settings.consent_request_ttl_s)
        begun = await rows.request_of_number(connection, request.party, request.out_request_no)
        assert begun is not None, "its number was made at random a moment ago"
        return begun

    def _checked(self, wish: Wish) -> tuple[Party, str]:
        compiled = self._registry.get(wish.scenario)
        if compiled is None:
            raise NotFound
        party = self._parties.get(wish.party)
        if party is None or not party.active or wish.scenario not in party.registrations:
            raise Malformed([("/party", "not a party of this scenario")])
        purposes = compiled.manifest.purposes
        if wish.purpose not in (None, *purposes):
            raise Malformed([("/purpose", "not a purpose of this scenario")])
        return party, wish.purpose or purposes[0]


def is_own(out_request_no: str) -> bool:
    """Whether a request with this number was begun by its citizen."""
    return out_request_no.startswith(PREFIX)
