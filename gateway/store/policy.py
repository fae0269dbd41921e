"""The live set of compiled scenarios: what a commit accepts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from gateway.errors import Conflict
from gateway.store.database import Connection
from gateway.store.sql import queries
from scenarios.compiler import COMPILER_VERSION
from scenarios.manifest import Text

_sql = queries("policy")


class TextKey(NamedTuple):
    """What names the words of a commitment: its scenario, template, version and hash."""

    scenario: str
    template: str
    version: str
    text_sha256: bytes


async def live(connection: Connection) -> dict[tuple[str, bytes], int]:
    """(scenario, revision) → number, of every revision that may answer."""
    return {
        (row["scenario"], row["revision"]): row["num"] for row in await connection.fetch(_sql.live)
    }


async def publish(connection: Connection, scenario: str, revision: bytes, manifest: str) -> int:
    """Add a revision that this compiler made to the live set (again); returns its number."""
    given = scenario, revision, manifest, COMPILER_VERSION
    return int(await connection.fetchval(_sql.publish, *given))


async def retire_others(connection: Connection, scenario: str, revision: bytes) -> None:
    """Take every other revision of a scenario out of the live set."""
    await connection.execute(_sql.retire_others, scenario, revision)


async def commitment_texts(
    connection: Connection, wanted: Iterable[TextKey]
) -> dict[TextKey, Text]:
    """The words of commitments from every manifest that was ever published, retired ones too."""
    columns = zip(*dict.fromkeys(wanted), strict=True)
    return {
        TextKey(*row["key"]): Text(zh=row["zh"], en=row["en"])
        for row in await connection.fetch(_sql.commitment_texts, *columns)
    }


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
    if await realm_city(connection) != city:
        raise Conflict("the database belongs to another city")


async def realm_city(connection: Connection) -> str | None:
    """The city (GB/T 2260) whose database this is; None before it was said."""
    city: str | None = await connection.fetchval(_sql.realm_city)
    return city
