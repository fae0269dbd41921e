"""One real city of a league: its database, its workers, its front, its citizens' provider."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from gateway.clock import SECOND_US, SystemClock
from gateway.ids import SystemIds
from gateway.jwk import Alg, Key, public_jwk, thumbprint
from gateway.keys import load_keys, write_keys
from gateway.local import identity
from gateway.local.identity import Client, IdentityFile, Provider
from gateway.local.valkey import Valkey
from gateway.oidc import CALLBACK
from tests.adversity.recognition.front import Front
from tests.engines import Database
from tests.gateway.apps import app_of
from tests.gateway.city import TestCity, open_test_city
from tests.gateway.recognised.home import Citizen
from tests.gateway.recognition.region import City

#: The scenarios that a party of each town is registered for.
OFFERED = ("library", "rent")
PARTY = "library-main"


class Wrong(SystemClock):
    """A clock that may be wrong by some seconds, or stand still."""

    def __init__(self) -> None:
        self.off_s = 0.0
        self._stood_us: int | None = None

    def stand(self) -> None:
        """Stand still, so that the bounds of a token's time can be tried one by one."""
        self._stood_us = self.now_us()

    def go_on(self) -> None:
        """Tell the time again."""
        self._stood_us = None

    def now_us(self) -> int:
        if self._stood_us is not None:
            return self._stood_us
        return super().now_us() + int(self.off_s * SECOND_US)


class OwnProvider(Provider):
    """The identity provider, whose last ID token is known, and which may be told to say another."""

    last = ""
    says: str | None = None

    def exchange(self, form: dict[str, str]) -> dict[str, Any]:
        said = super().exchange(form)
        self.last = said["id_token"]
        return said if self.says is None else said | {"id_token": self.says}


class Town(City):
    """The city as the region lists it, and as it runs."""

    def __init__(
        self, code: str, place: int, database: Database, valkey: Valkey, folder: Path
    ) -> None:
        super().__init__(code)
        self._place, self.database, self._valkey = place, database, valkey
        self._folder = folder / code
        self.clock = Wrong()
        self.workers: list[TestCity] = []
        self._sites: list[httpx.ASGITransport] = []
        self._stack = AsyncExitStack()

    async def open(self, **settings: Any) -> None:
        """Begin to run, with one worker."""
        self._folder.mkdir()
        self.front = await self._stack.enter_async_context(Front(f"127.0.0.{20 + self._place}"))
        self.issuer = self.front.url
        write_keys(self._folder / "keys.json", SystemIds())
        held = load_keys(self._folder / "keys.json")
        by_purpose = {
            "client": held.city_client,
            "grant": held.city_grant,
            "status": held.city_status,
        }
        self.keys = [
            (purpose, kid, key) for purpose, keys in by_purpose.items() for kid, key in keys.items()
        ]
        self.owner = await asyncpg.connect(self.database.owner_url)
        self._stack.push_async_callback(self.owner.close, timeout=5)
        self._settings: dict[str, Any] = {
            "issuer": self.issuer,
            "city": self.code,
            "oidc_issuer": f"http://127.0.0.{120 + self._place}:8701",
            "token_attempts_burst": 5_000,
            "bad_signatures_max": 10_000,
            "database_timeout_s": 5.0,  # three cities on a busy machine
        } | settings
        await self.worker()
        await self.owner.execute("UPDATE realm SET city = $1", self.code)
        await self.owner.execute(
            "INSERT INTO publish_run (model, as_of, scored, changed, band_moves, started_at)"
            " VALUES ('m', '2026-11-01', 1, 1, 1, clock_timestamp())"
        )
        await self.town.city.refresh()
        self.front.stand_before(self.sites[0].app)
        await self.town.party(PARTY, scenarios=OFFERED, entity="library")

    async def worker(self) -> TestCity:
        """One more worker."""
        given = self.database.gateway_url, self.owner, self._valkey.url, self._folder
        made = await self._stack.enter_async_context(
            open_test_city(*given, clock=self.clock, **self._settings)
        )
        self.workers.append(made)
        if len(self.workers) == 1:
            self.provider = OwnProvider(
                made.city.settings.oidc_issuer,
                IdentityFile((_client_of(made),)),
                self.clock,
                SystemIds(),
            )
            self.identity: Any = identity.build_app(self.provider)
        wire = httpx.AsyncClient(transport=httpx.ASGITransport(self.identity))
        made.city.oidc._opened = wire  # closed with the city
        return made

    async def close(self) -> None:
        """Stop all of it."""
        await self._stack.aclose()

    @property
    def town(self) -> TestCity:
        """The first worker."""
        return self.workers[0]

    @property
    def sites(self) -> list[httpx.ASGITransport]:
        """What answers for each worker; made once."""
        made = self._sites
        made += [_site(each) for each in self.workers[len(made) :]]
        return made

    @property
    def now_s(self) -> int:
        """What this city's clock says."""
        return self.clock.now_us() // SECOND_US

    def http(self, worker: int = 0, **headers: str) -> httpx.AsyncClient:
        """A client that proves nothing, in front of a worker."""
        site = self.sites[worker]
        return httpx.AsyncClient(transport=site, base_url=self.issuer, headers=headers)

    async def person(self, number: int, band: int = 5) -> UUID:
        """A citizen by number, with a score of a band; the login is `person-<number>`."""
        async with self.http() as page:
            citizen = Citizen(self.town, page, page, f"person-{number}")
            return await citizen.settle(band)

    async def rows(self, query: str, *given: Any) -> list[asyncpg.Record]:
        """Rows of its database."""
        return list(await self.owner.fetch(query, *given))

    async def refusals(self) -> dict[tuple[str, str], int]:
        """What was refused to other cities and to visitors: how often, by place and reason."""
        found = await self.rows(
            "SELECT place, reason, sum(times)::integer AS times FROM recognition_refusal"
            " GROUP BY place, reason"
        )
        return {(row["place"], row["reason"]): row["times"] for row in found}


def _site(worker: TestCity) -> httpx.ASGITransport:
    app: Any = app_of(worker.city)  # httpx and Litestar type ASGI each in their own way
    return httpx.ASGITransport(app)


def _client_of(town: TestCity) -> Client:
    public = town.city.keys.oidc_client.public_key()
    jwk = public_jwk(Key(thumbprint(public), Alg.ES256, public))
    settings = town.city.settings
    return Client(settings.oidc_client_id, (settings.issuer + CALLBACK,), jwk)
