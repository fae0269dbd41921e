"""A city that lets visitors in."""

import pytest

from tests.gateway.city import TestCity
from tests.gateway.recognition.visitors import Visitors


@pytest.fixture
async def visitors(town: TestCity) -> Visitors:
    """At a city with one merchant that rents and lends."""
    await town.party(scenarios=("library", "rent"))
    return await Visitors.at(town)
