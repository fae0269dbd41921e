"""Whether every worker of a live city knows what the region's list says now of its agreement."""

from __future__ import annotations

import time

import httpx
import msgspec

from gateway.local.populate import owned_city
from gateway.settings import Settings
from tests.gateway.city import registry

#: So many connections one after the other miss one of two workers once in sixteen million times.
ASKED = 24
#: How long a city may take to know its agreement, in seconds.
KNOWN_S = 30.0


async def fetch(owner_url: str, settings: Settings) -> None:
    """Fetch the list now: the city's own job may have done so before it changed."""
    quiet = msgspec.structs.replace(settings, metrics_port=0)
    async with owned_city(owner_url, quiet, registry()).running() as city:
        await city.trust_fetcher.step()


def wait(base_url: str) -> None:
    """Wait until every worker of a city knows its agreement: within its next tick.

    Each listens on a socket of its own, and the kernel deals connections out among them. One that
    knows the list knows the other city as a party too: that was registered before, and is read
    first.

    Raises:
        TimeoutError: some worker does not.
    """
    deadline = time.monotonic() + KNOWN_S
    while not all(agreed(base_url) for _ in range(ASKED)):
        if time.monotonic() > deadline:
            raise TimeoutError(f"no agreement in force at {base_url} after {KNOWN_S:.0f} s")
        time.sleep(0.1)


def agreed(base_url: str) -> bool:
    """Whether some worker knows an agreement in force, asked by a connection of its own."""
    told = httpx.get(f"{base_url}/v1/recognition/agreements", trust_env=False, timeout=10).json()
    return any(each["state"] == "in_force" for each in told["agreements"])
