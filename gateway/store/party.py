"""Parties in PostgreSQL: who may ask, with which keys, about which scenarios, for whom."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("party")


class Recipient(msgspec.Struct, frozen=True):
    """The legal entity that receives the answers of one party and scenario (PIPL 23)."""

    entity: str
    sector: int
    name: str
    contact: str


class Offer(msgspec.Struct, frozen=True):
    """A party that offers a scenario, in words for citizens, with who receives the answer."""

    party: str
    name: str
    kind: str
    entity: str
    recipient_name: str
    recipient_contact: str
    recipient_promise: str


class PartyKey(msgspec.Struct, frozen=True):
    """A key that a party may authenticate with, until its end if that is set."""

    jwk: str  # public JWK as JSON
    until_us: int | None


class PartyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A party as registered, at one revision."""

    num: int
    id: str
    entity: str
    own_sector: int
    kind: str
    name: str
    status: str
    revision: int
    tokens_not_before_us: int
    city: str | None
    community: str | None
    webhook_url: str | None
    rate_per_s: int | None  # None = the settings' limit
    rate_burst: int | None
    dpop: bool
    """Whether its tokens must be bound to a key (RFC 9449 5.2)."""
    scenarios: dict[str, Recipient]
    keys: dict[str, PartyKey]  # by kid


async def revisions(connection: Connection) -> int:
    """A number that grows with every committed change of any party."""
    return int(await connection.fetchval(_sql.revisions))


async def everyone(connection: Connection) -> list[PartyRow]:
    """All parties, whatever their status."""
    return [
        PartyRow(
            **{
                **row,
                "scenarios": {name: Recipient(*rest) for name, *rest in row["scenarios"]},
                "keys": {kid: PartyKey(*rest) for kid, *rest in row["keys"]},
            }
        )
        for row in await connection.fetch(_sql.everyone)
    ]


async def offers(
    connection: Connection, scenario: str, words: str, first: Sequence[str], limit: int
) -> list[Offer]:
    """The active parties of a scenario whose name or recipient's name holds `words`.

    Those of the recipients `first` come first, then by name; at most `limit`.
    """
    rows = await connection.fetch(_sql.offers, scenario, words, first, limit)
    return [Offer(*row) for row in rows]


async def put_entity(
    connection: Connection, entity: str, *, name: str, contact: str, promise: str
) -> None:
    """Register a legal entity, or bring its name, contact and promise up to date."""
    await connection.execute(_sql.put_entity, entity, name, contact, promise)


async def add(
    connection: Connection,
    party: str,
    *,
    entity: str,
    kind: str,
    name: str,
    city: str | None,
    community: str | None,
    webhook_url: str | None,
    dpop: bool,
) -> int:
    """Register a party without scenarios and keys; returns its number."""
    given = party, entity, kind, name, city, community, webhook_url, dpop
    return int(await connection.fetchval(_sql.add, *given))


async def add_scenario(connection: Connection, num: int, scenario: str, recipient: str) -> None:
    """Let a party ask about a scenario, with a legal entity to receive the answers."""
    await connection.execute(_sql.add_scenario, num, scenario, recipient)


async def add_key(connection: Connection, num: int, kid: str, jwk: str) -> None:
    """Let a party authenticate with a key. A kid is never used twice by one party."""
    await connection.execute(_sql.add_key, num, kid, jwk)


async def find(connection: Connection, party: str) -> tuple[int, str] | None:
    """A party's number and status, locked until the transaction ends."""
    row = await connection.fetchrow(_sql.find, party)
    return (row["num"], row["status"]) if row else None


async def suspend(connection: Connection, num: int) -> None:
    """End a party's right to ask, and every token that it holds."""
    await connection.execute(_sql.suspend, num)


async def resume(connection: Connection, num: int) -> None:
    """Give a party its right back; it needs a new token."""
    await connection.execute(_sql.resume, num)


async def limit(connection: Connection, num: int, per_s: int | None, burst: int | None) -> None:
    """Set how much a party may ask; None for both leaves it to the settings."""
    await connection.execute(_sql.limit, num, per_s, burst)


async def bind(connection: Connection, num: int, dpop: bool) -> None:
    """Say whether a party's tokens must be bound to a key."""
    await connection.execute(_sql.bind, num, dpop)


async def end_other_keys(connection: Connection, num: int, kid: str, overlap_s: int) -> None:
    """Let every other key of a party end after so many seconds; 0 ends them with the commit."""
    await connection.execute(_sql.end_other_keys, num, kid, float(overlap_s))


async def use_assertion(
    connection: Connection, issuer: str, jti: str, expires_us: int
) -> int | None:
    """The party's present revision at the first use of a client assertion, None at any other.

    PostgreSQL decides, once; `expires_us` is when the assertion may be forgotten.
    """
    revision: int | None = await connection.fetchval(_sql.use_assertion, issuer, jti, expires_us)
    return revision


async def use_city_assertion(
    connection: Connection, code: str, jti: str, expires_us: int
) -> int | None:
    """`use_assertion` of a city, by its code; 0 where no party stands for it here."""
    revision: int | None = await connection.fetchval(_sql.use_city_assertion, code, jti, expires_us)
    return revision


async def forget_assertions(connection: Connection) -> int:
    """Remove what no assertion can be replayed against any more; returns how many rows."""
    return int(await connection.fetchval(_sql.forget_assertions))
