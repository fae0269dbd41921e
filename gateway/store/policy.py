"""The live set of compiled scenarios: what a commit accepts."""

from __future__ import annotations

from datetime import date

from gateway.errors import Conflict
from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("policy")


async def live(connection: Connection) -> dict[tuple[str, bytes], int]:
    """(scenario, revision) → number, of every revision that may answer."""
    return {
        (row["scenario"], row["revision"]): row["num"] for row in await connection.fetch(_sql.live)
    }


async def publish(connection: Connection, scenario: str, revision: bytes, manifest: str) -> int:
    """Add a revision to the live set (again); returns its number."""
    return int(await connection.fetchval(_sql.publish, scenario, revision, manifest))


async def retire_others(connection: Connection, scenario: str, revision: bytes) -> None:
    """Take every other revision of a scenario out of the live set."""
    await connection.execute(_sql.retire_others, scenario, revision)


async def score_as_of(connection: Connection) -> date | None:
    """The day of the newest publication of scores, the same for every citizen."""
    day: date | None = await connection.fetchval(_sql.score_as_of)
    return day


async def claim_realm(connection: Connection, city: str) -> None:
    """Say which city this database belongs to; the first word counts.

    Raises:
        Conflict: it belongs to another one.
    """
    await connection.execute(_sql.claim_realm, city)
    if await connection.fetchval(_sql.realm_city) != city:
        raise Conflict("the database belongs to another city")
