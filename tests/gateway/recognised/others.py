"""What a city knows of others, arranged for tests: a region's list, really signed and read."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from gateway.clock import SECOND_US
from gateway.local.seeds import seeds_folder
from gateway.recognition.schemes import publish
from gateway.store import trust_list as rows
from gateway.store.trust_list import Head
from tests.gateway.city import TestCity
from tests.gateway.recognition.region import SCHEME, City, TestRegion

OWN = "http://127.0.0.1:8700"
TERMS: dict[str, Any] = {
    "scenarios": ["library", "rent"],
    "from": "2026-01-01",
    "to": "2100-01-01",
}
#: Schemes besides the example: one whose rent needs the higher tier, one that begins later.
STEEP = {"id": "example-steep", "version": 1}
LATE = {"id": "example-late", "version": 1}


class Neighbours:
    """The region, in which this city is 330100."""

    def __init__(self, folder: Path) -> None:
        self.own = _city("330100", OWN)
        self.region = TestRegion(self.own)
        self.pinned = folder / "region.json"
        self.pinned.write_bytes(self.region.pin())
        self.workers: list[TestCity] = []

    async def settle(self, town: TestCity) -> None:
        """Publish the schemes at a city."""
        for scheme in _schemes():
            await publish(town.owner, scheme.encode())
        self.workers.append(town)
        await town.city.schemes.refresh()

    def city(self, code: str) -> City:
        """The side of a city of the list; one that is not in it yet joins."""
        found = [each for each in self.region.cities if each.code == code]
        if not found:
            found = [_city(code, f"https://{code}.example")]
            self.region.cities += found
        return found[0]

    def leave(self, code: str) -> City:
        """Take a city out of the list."""
        city = self.city(code)
        self.region.cities.remove(city)
        return city

    def agree(self, code: str, **terms: Any) -> None:
        """Let this city and another agree, in place of what they agreed on before."""
        self.disagree(code)
        low, high = sorted((self.own, self.city(code)), key=lambda each: each.code)
        now_s = self.workers[0].city.clock.now_us() // SECOND_US
        self.region.agree(f"own-{code}", low, high, now_s - 100, **(TERMS | terms))

    def disagree(self, code: str) -> None:
        """Let there be no agreement with a city."""
        self.region.agreements.pop(f"own-{code}", None)

    async def publish(self) -> None:
        """Have every worker read the list as it is now."""
        town = self.workers[0]
        self.region.serial += 1
        now_s = town.city.clock.now_us() // SECOND_US
        token = self.region.token(now_s)
        owners = {id(worker.owner): worker.owner for worker in self.workers}
        head = Head(
            self.region.serial,
            hashlib.sha256(token.encode()).digest(),
            now_s * SECOND_US,
            (now_s + 60) * SECOND_US,
        )
        for owner in owners.values():
            assert await rows.put(owner, head, token)
        for worker in self.workers:
            await worker.city.trust.refresh()


def _city(code: str, issuer: str) -> City:
    city = City(code, issuer=issuer)
    callbacks = [f"{issuer}/recognition/callback", f"{issuer}/recognition/other"]
    city.changes = {"schemes": [SCHEME, STEEP, LATE], "redirect_uris": callbacks}
    return city


def _schemes() -> list[str]:
    """The example scheme with more cities, and the two others made of it."""
    text = (seeds_folder() / "schemes" / "example-delta-1.toml").read_text("utf-8")
    for code in ("310100", "340100", "330400"):
        text += (
            f'\n[cities.{code}]\nbands = {{ T1 = [3, 5], T2 = [5, 6] }}\nsource = "示例"\n'
            "illustrative = true\n"
        )
    steep = text.replace("example-delta", str(STEEP["id"])).replace(
        '[needs.rent]\ntier = "T1"', '[needs.rent]\ntier = "T2"'
    )
    late = text.replace("example-delta", str(LATE["id"])).replace("from = 2026-", "from = 2200-")
    return [text, steep, late]
