"""What a home city said of its citizens, arranged as the token endpoint would leave it."""

from __future__ import annotations

from uuid import UUID

from gateway.clock import DAY_US, from_us
from tests.gateway.city import TestCity

CITY = "330200"
NAME = "ningbo"


async def scheme(town: TestCity, name: str = "example-delta") -> None:
    """A recognition scheme, for rows to name."""
    await town.owner.execute(
        "INSERT INTO recognition_scheme (id, version, valid_from, text, sha256)"
        " VALUES ($1, 1, '2026-01-01', '', sha256('')) ON CONFLICT DO NOTHING",
        name,
    )


async def partner(town: TestCity) -> None:
    """Another city as a party, and a scheme agreed with it."""
    await scheme(town)
    if town.city.parties.get(NAME) is None:
        await town.party(
            NAME, scenarios=("recognition",), kind="city", entity="ningbo-office", city=CITY
        )


async def recognised(
    town: TestCity,
    citizen: UUID,
    *,
    consent: UUID | None = None,
    band_floor: int = 4,
    until_us: int | None = None,
    reserved_fen: int = 0,
) -> UUID:
    """A recognition of a citizen who consents to it; returns its id."""
    await partner(town)
    ends = town.city.clock.now_us() + 30 * DAY_US
    given = consent or await town.consent(
        citizen, recipient="ningbo-office", scenario="recognition", to_us=ends
    )
    ends_at = await town.owner.fetchval(
        "SELECT to_at FROM consent WHERE id = $1 ORDER BY version DESC LIMIT 1", given
    )
    identifier = town.city.ids.random_uuid()
    async with town.city.writer.change(citizen) as connection:
        slot = await town.city.status_lists.allocate_within(connection)
        await connection.execute(
            "INSERT INTO recognition (id, citizen, party, city, consent, scenarios, scheme,"
            " scheme_version, tier, band_floor, status_list, status_idx, until_at, reserved_fen)"
            " SELECT $1, $2, num, $3, $4, '{library}', 'example-delta', 1, 'T1', $5, $6, $7, $8,"
            " $9 FROM party WHERE id = $10",
            *(identifier, citizen, CITY, given, band_floor, slot.list, slot.idx),
            *(ends_at if until_us is None else from_us(until_us), reserved_fen, NAME),
        )
    return identifier


async def reason(town: TestCity, recognition: UUID) -> str | None:
    """Why a recognition ended; None while it stands."""
    found: str | None = await town.owner.fetchval(
        "SELECT reason FROM recognition WHERE id = $1", recognition
    )
    return found


async def consent_of(town: TestCity, recognition: UUID) -> UUID:
    """The consent that a recognition rests on."""
    found: UUID = await town.owner.fetchval(
        "SELECT consent FROM recognition WHERE id = $1", recognition
    )
    return found
