"""The door, opened once for a file of tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import Engines
from tests.gateway.http.door import Door, open_door


@pytest.fixture(scope="module")
def door(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A gateway that this file's tests attack."""
    folder: Path = tmp_path_factory.mktemp("door")
    with open_door(engines, folder) as opened:
        yield opened
