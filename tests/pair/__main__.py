"""Both cities in one process: `python -m tests.pair FOLDER`. They stay until a signal."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

import msgspec

from gateway import server
from gateway.clock import SystemClock
from gateway.local import alliance
from gateway.local.atlas import REGION_HOST, DemoCity
from gateway.local.pinned import Trust
from gateway.local.places import write_private
from gateway.local.processes import Supervisor, answers, free_ports, stop_on_sigterm
from gateway.local.region import LIST, LocalRegion
from gateway.local.region_server import APP, FOLDER_VARIABLE
from gateway.local.running import RunningCity
from gateway.local.seeds import load_seeds
from gateway.local.settlement import settle
from gateway.scores import today
from gateway.settings import as_environment
from tests.engines import Database, Engines
from tests.pair import knowing
from tests.pair.sides import CITIES, FILE, Told

WORKERS = 2


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
            if not knowing.agreed(running.base_url):
                asyncio.run(knowing.fetch(running.engines.owner_url, running.settings))
        for running in cities:
            knowing.wait(running.base_url)
        settings = {each.city.code: as_environment(each.settings) for each in cities}
        write_private(folder / FILE, msgspec.json.encode(Told(settings, up)).decode())
        signal.pause()


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
