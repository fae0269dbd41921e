"""A local city's engines come up migrated, every time they come up."""

import asyncio
from pathlib import Path

from gateway.local.city import LocalCity
from gateway.store.migrate import available, connected, current, make_months
from tests.gateway.cli.test_migrate import drop_newest_month


def test_a_city_that_rested_has_its_schema_and_its_months_when_it_is_up_again(
    tmp_path: Path,
) -> None:
    city = LocalCity(tmp_path)
    with city:
        asyncio.run(drop_newest_month(city.owner_url))
    with city:
        asyncio.run(is_ready(city.owner_url))


async def is_ready(url: str) -> None:
    """Migrated, and no month is missing."""
    async with connected(url) as owner:
        assert await current(owner) == available()[-1].version
        assert await make_months(owner) == (0, [])
