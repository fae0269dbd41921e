"""What the workers remember of themselves: pauses of the collector, and a loop that came late."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from typing import Any

from gateway.local.running import GATEWAY_HOST
from loadtest.stalls.evidence import GC, LOOP, Evidence

_CAUSES = {"gc": GC, "loop": LOOP}

#: Workers write down what they remember once a second.
WRITTEN_S = 1.0

_SEATS = "gateway.seats"


def available() -> bool:
    """Whether this gateway remembers."""
    return importlib.util.find_spec(_SEATS) is not None


def remembered(metrics_port: int, since: float) -> Iterator[Evidence]:
    """The stalls of all processes behind a metrics address that ended after a monotonic second."""
    if not available():
        return
    seats: Any = importlib.import_module(_SEATS)
    for snapshot in seats.read_all(seats.folder_of(GATEWAY_HOST, metrics_port)):
        for cause, end, seconds in snapshot.stalls:
            if end >= since and snapshot.process == "server":
                yield Evidence(_CAUSES.get(cause, cause), end - seconds, end, "a worker")
