"""A shop with a counter."""

import pytest

from tests.gateway.callers import Callers
from tests.gateway.city import TestCity
from tests.gateway.counter.till import Till


@pytest.fixture
async def till(town: TestCity) -> Till:
    await town.party()
    return Till(Callers(town))
