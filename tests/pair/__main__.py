"""Both cities in one process: `python -m tests.pair FOLDER`. They stay until a signal."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import msgspec

from gateway import server
from gateway.clock import SystemClock
from gateway.local import alliance
from gateway.local.atlas import REGION_HOST, DemoCity
from gateway.local.pinned import Trust
from gateway.local.places import write_private
from gateway.local.populate import owned_city
from gateway.local.processes import Supervisor, answers, free_ports, stop_on_sigterm
from gateway.local.region import LIST, LocalRegion
from gateway.local.region_server import APP, FOLDER_VARIABLE
from gateway.local.running import RunningCity
from gateway.local.seeds import load_seeds
from gateway.local.settlement import settle
from gateway.scores import today
from gateway.settings import as_environment
from tests.engines import Database, Engines
from tests.gateway.city import registry
from tests.pair.sides import CITIES, FILE, Told

WORKERS = 2

#: So many connections one after the other miss one of two workers once in sixteen million times.
ASKED = 24
#: How long a city may take to know its agreement, in seconds.
KNOWN_S = 30.0


class Cloned:
    """A database of the test engines, and their cache: entries are told apart by generation."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._database: Database | None = None

    @property
    def owner_url(self) -> str:
        return self._found.owner_url

    @property
    def gateway_url(self) -> str:
        return self._found.gateway_url

    @property
    def valkey_url(self) -> str:
        return self._engines.valkey.url

    @property
    def _found(self) -> Database:
        assert self._database is not None, "inside its with block"
        return self._database

    def __enter__(self) -> Cloned:
        self._database = self._engines.clone()
        return self

    def __exit__(self, *_: object) -> None:
        """The engines go with all their databases."""


def run(folder: Path) -> None:
    """Bring everything up in this process, say so in a file, and stay."""
    hosts = [(city.gateway_host, city.identity_host) for city in CITIES]
    ports = free_ports([REGION_HOST, *(host for both in hosts for host in both)])
    region = LocalRegion(folder / "region", SystemClock())
    region.begin(f"http://{REGION_HOST}:{ports[0]}")
    pinned = folder / "region-keys.json"
    pinned.write_bytes(region.pinned())
    with ExitStack() as stack:
        engines = Engines()
        stack.callback(engines.stop)
        engines.start()
        trust = Trust(region.url, pinned)
        cities = [
            _city(folder, city, ports[1 + 2 * place], ports[2 + 2 * place], engines, trust)
            for place, city in enumerate(CITIES)
        ]
        processes = stack.enter_context(Supervisor(folder))
        processes.launch(
            "region",
            server.command(REGION_HOST, ports[0], 1, APP),
            environment={FOLDER_VARIABLE: str(region.folder)},
            ready=answers(REGION_HOST, ports[0], LIST),
        )
        up = {}
        for running in cities:
            stack.enter_context(running)
            running.launch()
            up[running.city.code] = settle(running, 0, staff=False)
        alliance.ally(region, cities, SystemClock())
        processes.wait()
        for running in cities:
            running.wait()
            if not _agreed(running.base_url):
                asyncio.run(_fetch(running))
        for running in cities:
            _acquainted(running)
        settings = {each.city.code: as_environment(each.settings) for each in cities}
        write_private(folder / FILE, msgspec.json.encode(Told(settings, up)).decode())
        signal.pause()


async def _fetch(running: RunningCity) -> None:
    """Fetch the list now: the city's own job may have done so before there were agreements."""
    quiet = msgspec.structs.replace(running.settings, metrics_port=0)
    async with owned_city(running.engines.owner_url, quiet, registry()).running() as city:
        await city.trust_fetcher.step()


def _acquainted(running: RunningCity) -> None:
    """Wait until every worker of a city knows its agreement: within its next tick.

    Each listens on a socket of its own, and the kernel deals connections out among them. One that
    knows the list knows the other city as a party too: that was registered before, and is read
    first.
    """
    deadline = time.monotonic() + KNOWN_S
    while not all(_agreed(running.base_url) for _ in range(ASKED)):
        if time.monotonic() > deadline:
            sys.exit(f"{running.city.code} has no agreement in force after {KNOWN_S:.0f} s")
        time.sleep(0.1)


def _agreed(base_url: str) -> bool:
    """Whether some worker knows an agreement in force, asked by a connection of its own."""
    told = httpx.get(f"{base_url}/v1/recognition/agreements", trust_env=False, timeout=10).json()
    return any(each["state"] == "in_force" for each in told["agreements"])


def _city(
    folder: Path, city: DemoCity, port: int, identity_port: int, engines: Engines, trust: Trust
) -> RunningCity:
    return RunningCity(
        folder / city.slug,
        city=city,
        port=port,
        identity_port=identity_port,
        workers=WORKERS,
        personas=load_seeds(city.slug).identities(today(SystemClock())),
        engines=Cloned(engines),
        trust=trust,
    )


if __name__ == "__main__":
    stop_on_sigterm()
    try:
        run(Path(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit(0)
