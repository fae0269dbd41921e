"""Citizens for a measurement, written through the one writer, many in a transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

import asyncpg

from gateway.city import City

_BATCH = 500


async def settle(
    city: City, owner: asyncpg.Connection[asyncpg.Record], recipient: str, count: int
) -> list[UUID]:
    """So many scored citizens who consented and committed to `rent` at one recipient."""
    citizens = [city.ids.random_uuid() for _ in range(count)]
    for batch in _batches(citizens):
        await owner.executemany(
            "INSERT INTO score VALUES ($1, 1, 720, 4, 'sealed')", [(each,) for each in batch]
        )
        async with city.writer.change(*batch) as connection:
            await connection.executemany(
                "INSERT INTO citizen (id, wrapped_key, synthetic) VALUES ($1, $2, true)",
                [(each, city.vault.new_key(each)) for each in batch],
            )
            rows = [(each, city.ids.random_uuid(), recipient) for each in batch]
            await connection.executemany(_AUTHORISE, [(each,) for each in batch])
            await connection.executemany(_CONSENT, rows)
            await connection.executemany(_COMMIT, [row[:2] for row in rows])
    return citizens


def _batches(citizens: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(citizens), _BATCH):
        yield citizens[start : start + _BATCH]


_AUTHORISE = """
INSERT INTO score_authorisation (citizen, version, status, notice, text_sha256)
VALUES ($1, 1, 'given', '1', sha256('notice'))
"""
_CONSENT = """
INSERT INTO consent (id, version, citizen, recipient, scenario, purpose, fields, text_version,
  text_sha256, from_at, to_at, status)
VALUES ($2, 1, $1, $3, 'rent', 'deposit_free_rental', '{answer}', '1', sha256('text'),
  clock_timestamp() - interval '1 hour', clock_timestamp() + interval '1 day', 'active')
"""
_COMMIT = """
INSERT INTO commitment (id, version, citizen, scenario, template, template_version, text_sha256,
  device, jws, status, signed_at)
VALUES ($2, 1, $1, 'rent', 'rent_return', '1', sha256('text'), $2, '', 'signed',
  clock_timestamp() - interval '1 hour')
"""
