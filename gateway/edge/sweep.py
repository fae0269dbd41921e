"""All connections of a worker looked at by one timer: what takes too long on one ends there.

A timer for each would be set and cancelled with every request. gateway/edge/patience.py does the
same for bodies, where a task is what waits.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Final

from uvicorn.server import ServerState

#: How often they are looked at, in seconds.
STEP_S: Final = 0.5


class Sweep:
    """Runs for as long as there are connections."""

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._is_running = False

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """There is a connection."""
        if not self._is_running:
            self._is_running = True
            loop.call_later(STEP_S, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for connection in tuple(self._state.connections):
            connection.look(now)  # type: ignore[union-attr]  # all are ours
        self._is_running = False
        if self._state.connections:
            self.begin(loop)


@lru_cache(maxsize=4)
def sweep(state: ServerState) -> Sweep:
    """The one sweep of a worker."""
    return Sweep(state)
