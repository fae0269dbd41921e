"""Other cities' requests in PostgreSQL: pushed, opened, decided, redeemed, exchanged, each once."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from gateway.store.consent import Consent
from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("recognition_request")


class NewRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a city asks: hashes of what must stay secret, everything else as it was sent."""

    id: UUID
    uri_hash: bytes
    party: int
    redirect_uri: str
    scenarios: Sequence[str]
    state: str
    code_challenge: str
    jkt: str


class PushedRequest(msgspec.Struct, frozen=True):
    """A request that nobody opened yet, and where its answer goes."""

    id: UUID
    redirect_uri: str
    state: str


class HeldRequest(msgspec.Struct, frozen=True):
    """A request before its citizen; `city` is GB/T 2260, the recipient as its notice names it."""

    id: UUID
    status: str
    city: str
    redirect_uri: str
    scenarios: Sequence[str]
    state: str
    expires_us: int
    over: bool
    party_name: str
    recipient_name: str
    recipient_contact: str
    recipient_promise: str


class CodeUse(msgspec.Struct, frozen=True):
    """What is known of a code that bought nothing."""

    id: UUID
    party: int
    status: str
    citizen: UUID
    over: bool


class Taken(msgspec.Struct, frozen=True):
    """What a token that was used just now stands for."""

    id: UUID
    citizen: UUID
    consent: UUID
    scenarios: Sequence[str]
    jkt: str


async def push(connection: Connection, request: NewRequest, life_s: int) -> None:
    """Keep a request for so many seconds."""
    await connection.execute(_sql.push, *msgspec.structs.astuple(request), float(life_s))


async def pushed(connection: Connection, uri_hash: bytes, city: str) -> PushedRequest | None:
    """A city's own request that can still be opened."""
    row = await connection.fetchrow(_sql.pushed, uri_hash, city)
    return PushedRequest(*row) if row is not None else None


async def opened(connection: Connection, request: UUID, life_s: int) -> bool:
    """Open a request, once; it can be decided for so many seconds."""
    return await connection.fetchval(_sql.open, request, float(life_s)) is not None


async def turn_away(connection: Connection, request: UUID) -> bool:
    """End a request that was not opened; False where another was first."""
    return await connection.fetchval(_sql.turn_away, request) is not None


async def bind(connection: Connection, request: UUID, citizen: UUID, session: bytes) -> None:
    """Give a request to the session that was begun for it; the first one keeps it."""
    await connection.execute(_sql.bind, request, citizen, session)


async def held(
    connection: Connection, request: UUID, citizen: UUID, session: bytes
) -> HeldRequest | None:
    """The request, if it is this session's."""
    row = await connection.fetchrow(_sql.held, request, citizen, session)
    return HeldRequest(*row) if row is not None else None


async def lock(connection: Connection, request: UUID) -> None:
    """Let nobody else decide a request until the transaction ends."""
    await connection.execute(_sql.lock, request)


async def allow(
    connection: Connection,
    request: UUID,
    scenarios: Sequence[str],
    consent: Consent,
    code_hash: bytes,
    life_s: int,
) -> None:
    """Say for what the citizen allowed it, under which consent, and by which code it is told."""
    given = consent.id, consent.version
    await connection.execute(_sql.allow, request, scenarios, *given, code_hash, float(life_s))


async def decline(connection: Connection, request: UUID) -> None:
    """Say that the citizen declined it."""
    await connection.execute(_sql.decline, request)


async def redeem(
    connection: Connection,
    code_hash: bytes,
    party: int,
    redirect_uri: str,
    code_challenge: str,
    *,
    token_hash: bytes,
    life_s: int,
) -> Sequence[str] | None:
    """Exchange a code for a token of so many seconds: the scenarios, or None."""
    found: Sequence[str] | None = await connection.fetchval(
        _sql.redeem, code_hash, party, redirect_uri, code_challenge, token_hash, float(life_s)
    )
    return found


async def of_code(connection: Connection, code_hash: bytes) -> CodeUse | None:
    """The request that a code is of."""
    row = await connection.fetchrow(_sql.of_code, code_hash)
    return CodeUse(*row) if row is not None else None


async def spoil(connection: Connection, request: UUID) -> bool:
    """End a code that was tried wrongly; False where it was used meanwhile."""
    return await connection.fetchval(_sql.spoil, request) is not None


async def take(connection: Connection, token_hash: bytes, party: int) -> Taken | None:
    """Use a token up, if it is this party's and good."""
    row = await connection.fetchrow(_sql.take, token_hash, party)
    return Taken(*row) if row is not None else None


async def is_taken_back(connection: Connection, request: UUID) -> bool:
    """Whether its consent ended since it was allowed, even where it was given anew."""
    return bool(await connection.fetchval(_sql.taken_back, request))


async def led_to(connection: Connection, request: UUID, recognition: UUID) -> bool:
    """Note what came of a request; False where it was made void meanwhile."""
    return await connection.fetchval(_sql.led_to, request, recognition) is not None


async def void(connection: Connection, request: UUID) -> UUID | None:
    """Make void a request whose code was used; returns what came of it and still stands."""
    await connection.execute(_sql.void, request)
    recognition: UUID | None = await connection.fetchval(_sql.still_living, request)
    return recognition


async def forget(connection: Connection, citizen: UUID) -> None:
    """Remove every request that a citizen was shown."""
    await connection.execute(_sql.forget, citizen)
