"""`node`: other implementations, run by Node. `town`: a city to run them against.

A machine without Node is told so and the tests are skipped; in CI that is a failure.
"""

from __future__ import annotations

import os

import pytest

from tests.gateway.conftest import town as town  # the same city as the gateway's own tests
from tests.interop.node import Node, NodeMissing


@pytest.fixture(scope="session")
def node() -> Node:
    """Node with its packages, installed at the first test that asks for it."""
    try:
        return Node()
    except NodeMissing as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))  # a user's machine may do without; CI fails above
