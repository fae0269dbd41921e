"""A throw-away city with a gateway, a shop and its citizens, all of them in the cache."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import msgspec

from gateway.city import City
from gateway.local.running import RunningCity
from gateway.settings import Settings
from gateway.working_days import calendar
from loadtest import cpu, manifests, population
from loadtest.accounts import Account, looked_up
from loadtest.closed import Contender, fresh_id, generate
from loadtest.generator import Plan
from loadtest.options import Options
from loadtest.party import Shop, register
from loadtest.peers import Site
from loadtest.popularity import Distribution
from loadtest.population import Holding, Holdings
from loadtest.serving import (
    APP,
    Progress,
    Recorded,
    Serving,
    checkpoint,
    owner_of,
    serve,
    throw_away_city,
)
from scenarios.registry import load_registry

SCENARIO = "rent"

#: Consents of each citizen, one of them at the shop.
CONSENTS = 3

#: Length of the run in which every id is kept, and its connections.
AUDIT_S, AUDIT_CONNECTIONS = 2, 32


class Town:
    """What measurements of decisions need."""

    def __init__(
        self,
        running: RunningCity,
        city: City,
        shop: Shop,
        scenarios: Sequence[str],
        citizens: Sequence[UUID],
        folder: Path,
    ) -> None:
        self.running, self.city, self.shop, self.folder = running, city, shop, folder
        self.scenarios = list(scenarios)
        self.subjects = tuple(city.pseudonyms.subject(each, shop.sector) for each in citizens)
        # The same facts in every round: who asks with ever other ones would be taken for a prober.
        now_us = city.clock.now_us()
        self.facts = {
            name: city.registry[name].manifest.example_at(now_us) for name in self.scenarios
        }
        self.serving: Serving

    def plan(self, connections: int, distribution: Distribution = "uniform") -> Plan:
        """Questions about everybody, with a fresh token."""
        scenario = self.scenarios[0]
        return Plan(
            host=self.serving.host,
            port=self.serving.port,
            path=f"/v1/scenarios/{scenario}/eligibility",
            connections=connections,
            seconds=1,
            token=self.shop.token(self.city, [scenario]),
            facts=msgspec.json.encode(self.facts[scenario]).decode(),
            subjects=self.subjects,
            distribution=distribution,
        )

    def contender(
        self, name: str, connections: int, distribution: Distribution = "uniform"
    ) -> Contender:
        """The gateway, asked for decisions."""
        return self.asked(name, lambda: self.plan(connections, distribution))

    def asked(self, name: str, plan: Callable[[], Plan]) -> Contender:
        """The gateway, asked whatever the plan says."""
        return Contender(name=name, plan=plan, spent=self.spent, ledger=self)

    def spent(self) -> dict[str, float]:
        """CPU seconds so far of the workers and of each engine."""
        return dict(zip(("server", "postgres", "valkey"), self.serving.seconds(), strict=True))

    def recorded(self, first: UUID) -> Recorded:
        """Decisions on record from an id on."""
        return self.serving.recorded(first)

    def rows(self, query: str, first: UUID) -> int:
        """What a query counts from an id on."""

        async def count() -> int:
            async with owner_of(self.running) as owner:
                return int(await owner.fetchval(query, first))

        return asyncio.run(count())

    def audit(self, run: str) -> Account:
        """A short run of our own generator, in which every answered id is kept and looked up."""
        first = fresh_id()
        plan = msgspec.structs.replace(self.plan(AUDIT_CONNECTIONS), seconds=float(AUDIT_S))
        came = generate(plan, own=True)

        async def account() -> Account:
            async with owner_of(self.running) as owner:
                return await looked_up(owner, run, first, came["ids"], came["statuses"])

        return asyncio.run(account())

    def site(self, workers: int) -> Site:
        """Where peers are run beside the gateway, on its engines and about as many subjects."""
        engines = self.running.engines
        return Site(
            postgres=engines.postgres,
            valkey=engines.valkey,
            folder=self.folder,
            subjects=self.subjects,
            workers=workers,
        )

    def resident_bytes(self) -> int:
        """Memory of all the workers' processes."""
        return cpu.resident_bytes(cpu.tree(self.serving.root))


class Kind(msgspec.Struct, frozen=True):
    """What a town is like: so many generated scenarios instead of the packaged ones (0 = these),
    all of them asked about and consented to, and the gateway's settings, changed."""

    generated: int = 0
    settings: Callable[[Settings], Settings] = lambda settings: settings


PACKAGED = Kind()


@contextmanager
def open_town(options: Options, progress: Progress, kind: Kind = PACKAGED) -> Iterator[Town]:
    """A town for as long as the block lasts."""
    count = kind.generated
    with (
        tempfile.TemporaryDirectory(prefix="qianjiang-town-") as folder,
        throw_away_city(progress) as running,
    ):
        town = asyncio.run(_settled(running, options, count, Path(folder), progress))
        progress("starting the gateway")
        town.serving = serve(
            running,
            workers=options.workers,
            app="loadtest.manifests:create_app" if count else APP,
            settings=kind.settings(running.settings),
            environment=manifests.environment(count, packaged=False) if count else None,
        )
        yield town


async def _settled(
    running: RunningCity, options: Options, generated: int, folder: Path, progress: Progress
) -> Town:
    known = (
        manifests.registry(generated, packaged=False) if generated else load_registry(calendar())
    )
    asked = list(known) if generated else [SCENARIO]
    city = manifests.city_with(population.patient(running.settings), known)
    async with (
        owner_of(running) as owner,
        population.room(running.engines.valkey.admin_url),
        city.running(),
    ):
        await manifests.put_live(owner, known)
        shop = await register(city, owner, asked)
        if generated:
            holdings = _everything(shop, asked)
        else:
            holdings = population.shoppers(shop, list(known), asked, CONSENTS)
        people = await population.settle(city, owner, options.citizens, holdings, progress)
        await population.warm(city, owner, people, progress)
        await checkpoint(running)
        return Town(running, city, shop, asked, people, folder)


def _everything(shop: Shop, scenarios: Sequence[str]) -> Holdings:
    """Consents at the shop and promises for all of these."""
    held = Holding(tuple((shop.sector, name) for name in scenarios), tuple(scenarios))
    return lambda _number: held
