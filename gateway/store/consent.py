"""Consents and the requests for them in PostgreSQL: consents only ever grow by versions."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("consent")


class NewRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request for consent as a party makes it; `citizen` where it asks one in person, `desk`
    where that happens at one."""

    id: UUID
    party: int
    recipient: str
    scenario: str
    purpose: str
    out_request_no: str
    body_hash: bytes
    return_uri: str | None
    citizen: UUID | None
    desk: str | None


class RequestState(msgspec.Struct, frozen=True):
    """What became of a request; `over` where it is pending and its time has run out."""

    id: UUID
    body_hash: bytes
    status: str
    expires_us: int
    over: bool
    citizen: UUID | None
    sector: int
    desk: str | None


class ShownRequest(msgspec.Struct, frozen=True):
    """A request with all that its notice needs of PostgreSQL."""

    id: UUID
    scenario: str
    purpose: str
    return_uri: str | None
    status: str
    expires_us: int
    over: bool
    citizen: UUID | None
    recipient_name: str
    recipient_contact: str
    recipient_promise: str
    party_name: str
    party_kind: str
    party: str
    party_city: str | None  # GB/T 2260, where the party is a city
    own: bool  # the citizen began it, nobody asked
    desk: str | None
    place: str | None


class Peers(msgspec.Struct, frozen=True):
    """Other parties that ask on behalf of one recipient: some names, and how many more."""

    names: tuple[str, ...] = ()
    more: int = 0


class LockedRequest(msgspec.Struct, frozen=True):
    """A request that nobody else can decide until the transaction ends."""

    id: UUID
    party: int
    recipient: str
    scenario: str
    purpose: str
    out_request_no: str
    status: str
    citizen: UUID | None
    consent: UUID | None
    desk: str | None
    over: bool


class ExpiredRequest(msgspec.Struct, frozen=True):
    """A request that has just been marked as expired."""

    id: UUID
    party: int
    scenario: str
    out_request_no: str
    desk: str | None


class Consent(msgspec.Struct, frozen=True):
    """One version of a consent. Times are microseconds (UTC); `now_us` is when it was read."""

    id: UUID
    version: int
    citizen: UUID
    recipient: str
    scenario: str
    purpose: str
    fields: Sequence[str]
    text_version: str
    text_sha256: bytes
    from_us: int
    to_us: int
    frequency: int | None
    status: str
    paused_until_us: int | None
    at_us: int
    now_us: int


class HeldConsent(msgspec.Struct, frozen=True):
    """The newest version of a consent with its recipient in words, for its citizen."""

    consent: Consent
    recipient_name: str
    recipient_contact: str
    recipient_promise: str


class Version(msgspec.Struct, frozen=True):
    """One version in a consent's history."""

    version: int
    status: str
    from_us: int
    to_us: int
    frequency: int | None
    paused_until_us: int | None
    text_version: str
    text_sha256: bytes
    at_us: int
    staff: str | None  # who recorded it at a counter, and where; None = the citizen's own act
    place: str | None


_WIDTH = len(Consent.__struct_fields__)


async def add_request(connection: Connection, request: NewRequest, ttl_s: int) -> None:
    """Add a request unless its party used its number before."""
    await connection.execute(_sql.add_request, *msgspec.structs.astuple(request), float(ttl_s))


async def request_of_number(
    connection: Connection, party: int, out_request_no: str
) -> RequestState | None:
    """A party's request by the party's own number."""
    row = await connection.fetchrow(_sql.request_of_number, party, out_request_no)
    return RequestState(*row) if row is not None else None


async def request_of_party(
    connection: Connection, request: UUID, party: int
) -> RequestState | None:
    """A request, if it is this party's."""
    row = await connection.fetchrow(_sql.request_of_party, request, party)
    return RequestState(*row) if row is not None else None


async def own_open(connection: Connection, citizen: UUID, body_hash: bytes) -> RequestState | None:
    """The citizen's own request for the same, where it is open for a while yet."""
    row = await connection.fetchrow(_sql.own_open, citizen, body_hash)
    return RequestState(*row) if row is not None else None


async def own_today(connection: Connection, citizen: UUID) -> int:
    """How many requests a citizen began within 24 hours, whatever became of them."""
    return int(await connection.fetchval(_sql.own_today, citizen))


async def one_at_a_time(connection: Connection, citizen: UUID) -> None:
    """Let no other request of this citizen's own be begun until the transaction ends."""
    await connection.execute(_sql.one_at_a_time, citizen)


async def shown(connection: Connection, request: UUID) -> ShownRequest | None:
    """A request with what its notice says of recipient and party."""
    row = await connection.fetchrow(_sql.shown, request)
    return ShownRequest(*row) if row is not None else None


async def peers(connection: Connection, request: UUID, limit: int) -> Peers:
    """The active parties, besides the one that asks, to which a grant would be open."""
    rows = await connection.fetch(_sql.peers, request, limit)
    names = tuple(row["name"] for row in rows)
    return Peers(names, rows[0]["among"] - len(names)) if rows else Peers()


async def waiting_for(connection: Connection, citizen: UUID) -> list[UUID]:
    """The open requests that ask this citizen in person, newest first."""
    return [row["id"] for row in await connection.fetch(_sql.waiting_for, citizen)]


async def open_in_person(
    connection: Connection, party: int, citizen: UUID, scenario: str, purpose: str, desk: str | None
) -> RequestState | None:
    """What a party asks a citizen in person already, for the same thing at the same desk."""
    row = await connection.fetchrow(_sql.open_in_person, party, citizen, scenario, purpose, desk)
    return RequestState(*row) if row is not None else None


async def lock_request(connection: Connection, request: UUID) -> LockedRequest | None:
    """Lock a request until the transaction ends."""
    row = await connection.fetchrow(_sql.lock_request, request)
    return LockedRequest(*row) if row is not None else None


async def decide_request(
    connection: Connection, request: UUID, status: str, citizen: UUID, consent: UUID | None
) -> None:
    """Bind a request to the citizen who decided it, and say how."""
    await connection.execute(_sql.decide_request, request, status, citizen, consent)


async def expire_requests(connection: Connection, limit: int) -> list[ExpiredRequest]:
    """Mark requests whose time has run out; those that somebody is deciding now are left."""
    return [ExpiredRequest(*row) for row in await connection.fetch(_sql.expire_requests, limit)]


async def newest(
    connection: Connection, citizen: UUID, recipient: str, scenario: str
) -> Consent | None:
    """The newest version of what a citizen allowed a recipient for a scenario."""
    return _consent(await connection.fetchrow(_sql.newest, citizen, recipient, scenario))


async def current(connection: Connection, consent: UUID, citizen: UUID) -> Consent | None:
    """The newest version of a consent, if it is this citizen's."""
    return _consent(await connection.fetchrow(_sql.current, consent, citizen))


async def now_us(connection: Connection) -> int:
    """The database's clock in microseconds."""
    return int(await connection.fetchval(_sql.now))


async def add(
    connection: Connection,
    consent: Consent,
    request: UUID | None = None,
    assisted: UUID | None = None,
) -> None:
    """Add a version; its time is the consent's `at_us`, read from the database's clock.

    `assisted` is the act of staff that recorded this version.
    """
    await connection.execute(
        _sql.add,
        consent.id,
        consent.version,
        consent.citizen,
        consent.recipient,
        consent.scenario,
        consent.purpose,
        consent.fields,
        consent.text_version,
        consent.text_sha256,
        consent.from_us,
        consent.to_us,
        consent.frequency,
        consent.status,
        consent.paused_until_us,
        request,
        consent.at_us,
        assisted,
    )


async def of_citizen(connection: Connection, citizen: UUID) -> list[HeldConsent]:
    """Every consent of a citizen in its newest version, the last changed first."""
    rows = await connection.fetch(_sql.of_citizen, citizen)
    return [HeldConsent(Consent(*row[:_WIDTH]), *row[_WIDTH:]) for row in rows]


async def versions(connection: Connection, consent: UUID, citizen: UUID) -> list[Version]:
    """The history of a consent, oldest first; empty where it is not this citizen's."""
    return [Version(*row) for row in await connection.fetch(_sql.versions, consent, citizen)]


async def asked_today(connection: Connection, citizen: UUID) -> dict[UUID, int]:
    """Consent → answers given under it today (Asia/Shanghai)."""
    rows = await connection.fetch(_sql.asked_today, citizen)
    return {row["consent"]: row["answers"] for row in rows}


async def uses_today(connection: Connection, consents: Sequence[UUID]) -> dict[UUID, int]:
    """Consent → how often it was used today, as its daily frequency counts."""
    rows = await connection.fetch(_sql.uses_today, consents)
    return {row["consent"]: row["uses"] for row in rows}


async def ended(connection: Connection, limit: int) -> list[tuple[UUID, UUID]]:
    """Consents (and their citizens) whose time has run out without a version that says so."""
    return [(row["id"], row["citizen"]) for row in await connection.fetch(_sql.ended, limit)]


def _consent(row: asyncpg.Record | None) -> Consent | None:
    return Consent(*row) if row is not None else None
