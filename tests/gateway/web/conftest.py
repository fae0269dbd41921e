"""A worker's pages in process: a stranger's client and a signed-in citizen's."""

from __future__ import annotations

import pytest

from tests.gateway.callers import Callers
from tests.gateway.city import TestCity


@pytest.fixture
async def callers(town: TestCity) -> Callers:
    """Who may knock."""
    await town.party()
    return Callers(town)
