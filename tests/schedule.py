"""In which order tests run and on which process: a file as a whole, live cities on one alone.

Live cities are a dozen processes and seconds of work to bring up, so all that asks for them (the
fixtures `pair` and `site`) runs in one process of the run. They begin first, and after them what
says of itself that it takes long, or one process would end by waiting for the other.
"""

from __future__ import annotations

import pytest

#: Where the tests of live cities are; a file elsewhere would bring up cities of its own.
LIVE = (
    "tests/browser/",
    "tests/recognition/",
    "tests/adversity/recognition/test_between.py",
    "tests/adversity/recognition/test_canaries.py",
    "tests/gateway/cli/test_city_check.py",
    "tests/gateway/cli/test_visit.py",
    "tests/gateway/http/test_fuzz.py",
    "tests/interop/test_live.py",
)
#: Seconds: a test that may take longer begins early.
LONG_S = 120


def scope_of(name: str) -> str:
    """What has to stay together with a test of this node id."""
    return "live" if name.startswith(LIVE) else name.partition("::")[0]


def ordered(items: list[pytest.Item]) -> list[pytest.Item]:
    """The tests as they shall run, those of a file in the order that they have."""
    long = {scope_of(item.nodeid) for item in items if _may_take_s(item) > LONG_S}

    def place(item: pytest.Item) -> int:
        scope = scope_of(item.nodeid)
        return 0 if scope == "live" else 1 if scope in long else 2

    return sorted(items, key=place)


def _may_take_s(item: pytest.Item) -> float:
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) if marker else 0
