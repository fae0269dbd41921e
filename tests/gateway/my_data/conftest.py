"""A town with a party, its office, and callers over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.local.valkey import Valkey
from gateway.office import Office
from tests.engines import Database
from tests.gateway.callers import Callers
from tests.gateway.city import TestCity


@pytest.fixture
async def office(town: TestCity, database: Database, valkey: Valkey) -> AsyncIterator[Office]:
    """The town's office: the owner's rights."""
    given = town.city.keys, town.city.clock, town.city.ids
    async with Office(database.owner_url, valkey.url, *given).open() as opened:
        yield opened


@pytest.fixture
async def callers(town: TestCity) -> Callers:
    """Callers of a town with one party."""
    await town.party(scenarios=("rent", "library"))
    return Callers(town)
