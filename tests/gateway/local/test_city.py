"""A local city's engines come up migrated, every time they come up."""

import asyncio
from pathlib import Path

import pytest

from gateway.local.city import LocalCity
from gateway.store.migrate import MigrationRefused, available, connected, current, make_months
from tests.gateway.cli.test_migrate import drop_newest_month


def test_a_city_that_rested_has_its_schema_and_its_months_when_it_is_up_again(
    tmp_path: Path,
) -> None:
    city = LocalCity(tmp_path)
    with city:
        asyncio.run(drop_newest_month(city.owner_url))
    with city:
        asyncio.run(is_ready(city.owner_url))


def test_a_city_of_another_version_may_be_thrown_away_and_is_told_so(tmp_path: Path) -> None:
    city = LocalCity(tmp_path)
    with city:
        asyncio.run(forget_the_text(city.owner_url))
    with pytest.raises(MigrationRefused, match=f"delete {tmp_path} and run the command again"):
        city.start()


async def forget_the_text(url: str) -> None:
    """As if the newest migration had been applied with another text."""
    async with connected(url) as owner:
        await owner.execute(
            "UPDATE schema_migration SET sha256 = repeat('0', 64) "
            "WHERE version = (SELECT max(version) FROM schema_migration)"
        )


async def is_ready(url: str) -> None:
    """Migrated, and no month is missing."""
    async with connected(url) as owner:
        assert await current(owner) == available()[-1].version
        assert await make_months(owner) == (0, [])
