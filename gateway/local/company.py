"""Several cities at a time on one machine, with their region where it is theirs."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TypeAlias

import msgspec

from gateway import server
from gateway.clock import SystemClock
from gateway.errors import GatewayError
from gateway.local import upfile
from gateway.local.alliance import ally
from gateway.local.atlas import REGION_HOST, DemoCity
from gateway.local.child import Child
from gateway.local.pinned import Trust
from gateway.local.places import LOCK, PlaceRefused, hold, write_private
from gateway.local.processes import Supervisor, answers, free_ports, watch
from gateway.local.region import LIST, LocalRegion
from gateway.local.region_server import APP, FOLDER_VARIABLE
from gateway.local.running import RunningCity, data_folder
from gateway.local.seeds import seeds_of
from gateway.local.settlement import settle
from gateway.scores import today

#: Told in a few words what begins.
Tell: TypeAlias = Callable[[str], None]

#: The name that the folders of `qianjiang up` begin with.
UP = "up"

#: The file of a region's folder that its cities pin.
PINNED = "pinned.json"


class AddressTaken(GatewayError):
    """Somebody listens where a city would; the message says where and what to do."""


class Berth(msgspec.Struct, frozen=True):
    """A city and the ports at its addresses."""

    city: DemoCity
    port: int
    identity_port: int
    metrics_port: int


class Company:
    """Cities that run for as long as its `with` block.

    Args:
        berths: the cities and where they listen.
        workers: gateway processes of each.
        trust: a region that runs elsewhere.
        region_port: where a region of their own listens, of which they become partners; 0 = none.
        name: begins the names of their folders, and says that their data are of this command.
    """

    def __init__(
        self,
        berths: Sequence[Berth],
        *,
        workers: int,
        trust: Trust | None = None,
        region_port: int = 0,
        name: str = UP,
        tell: Tell,
    ) -> None:
        self._name = name
        self.trust = trust
        self.cities: list[RunningCity] = []
        self._berths, self._workers, self._tell = berths, workers, tell
        self._region_port = region_port
        self._region = own_region(name)
        self._office: Supervisor | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Company:
        with ExitStack() as stack:
            if self._region_port:
                self._open_region(stack)
            for berth in self._berths:
                self.cities.append(stack.enter_context(self._city(berth)))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self, citizens: int, tell: Tell) -> list[upfile.UpFile]:
        """People the cities, make them partners, start everything and wait until it answers.

        Each city's `up.json` is written; it is removed when the block ends.
        """
        made = []
        for running in self.cities:
            (running.data / upfile.NAME).unlink(missing_ok=True)  # of a run before, elsewhere
            made.append(settle(running, citizens, tell))
        self.launch(tell)
        for running, up in zip(self.cities, made, strict=True):
            file = running.data / upfile.NAME
            upfile.write(file, up)
            self._stack.callback(file.unlink, missing_ok=True)
        return made

    def launch(self, tell: Tell) -> None:
        """Make the cities partners, where the region is theirs; start everything and wait."""
        if self._region_port:
            tell("signing the agreements")
            ally(self._region, self.cities, SystemClock())
        for running in self.cities:
            running.launch(tell)
        for supervisor in self._supervisors:
            supervisor.wait()

    def watch(self) -> Child:
        """Wait for as long as everything lives; the first process that ended."""
        return watch(self._supervisors)

    @property
    def _supervisors(self) -> list[Supervisor]:
        found = [self._office, *(running.processes for running in self.cities)]
        return [supervisor for supervisor in found if supervisor is not None]

    def _city(self, berth: Berth) -> RunningCity:
        return RunningCity(
            data_folder(self._name, berth.city),
            city=berth.city,
            port=berth.port,
            identity_port=berth.identity_port,
            metrics_port=berth.metrics_port,
            workers=self._workers,
            progress=self._tell,
            personas=seeds_of(berth.city.code).identities(today(SystemClock())),
            trust=self.trust,
        )

    def _open_region(self, stack: ExitStack) -> None:
        self._tell("starting the region")
        region, address = self._region, f"http://{REGION_HOST}:{self._region_port}"
        region.begin_at(address)
        pinned = region.folder / PINNED
        write_private(pinned, region.pinned().decode())
        self._office = stack.enter_context(Supervisor(region.folder))
        self._office.launch(
            "region",
            server.command(REGION_HOST, self._region_port, 1, APP),
            environment={FOLDER_VARIABLE: str(region.folder)},
            ready=answers(REGION_HOST, self._region_port, LIST),
        )
        self.trust = Trust(region.url, pinned)


def berths(cities: Sequence[DemoCity], port: int) -> list[Berth]:
    """Where these cities listen: the gateways at `port`, the rest at the next two; 0 = any free.

    Raises:
        AddressTaken: somebody listens there.
    """
    if port == 0:
        return [Berth(city, *free_ports(_hosts(city))) for city in cities]
    for city in cities:
        try:
            for number, host in enumerate(_hosts(city)):
                reserve(host, port + number)
        except AddressTaken:
            refuse_twice(city)
            raise
    return [Berth(city, port, port + 1, port + 2) for city in cities]


def region_berth(port: int) -> int:
    """Where a region listens; 0 = any free port.

    Raises:
        AddressTaken: somebody listens there.
    """
    if port == 0:
        return free_ports([REGION_HOST])[0]
    reserve(REGION_HOST, port)
    return port


def own_region(name: str = UP) -> LocalRegion:
    """The region of the cities of `qianjiang up`, or of those of another name."""
    folder = "region" if name == UP else f"{name}-region"
    return LocalRegion(data_folder(folder), SystemClock())


def reserve(host: str, port: int) -> None:
    """Refuse an address that is taken.

    The server shares its port among its workers (SO_REUSEPORT), so a second city would come up at
    the address of the first, and the kernel would hand each request to either.

    Raises:
        AddressTaken: the message says what to do.
    """
    with socket.socket() as probe:
        # Connections of a city that has just ended do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as fault:
            raise AddressTaken(
                f"cannot listen on {host}:{port} ({fault.strerror}); stop what listens there, or "
                "choose another port with QIANJIANG_PORT (0 = any free one)"
            ) from None


def refuse_twice(city: DemoCity) -> None:
    """Say so where it is this very city that is up.

    Raises:
        AddressTaken: the message says where, and what to do.
    """
    data = data_folder(UP, city)
    try:
        os.close(hold(data / LOCK))
    except PlaceRefused:
        file = data / upfile.NAME
        where = f"up already, at {upfile.read(file).base_url}" if file.exists() else "coming up"
        raise AddressTaken(
            f"{city.zh} {city.en} ({city.code}) is {where}: use it, or end it with Ctrl-C in its "
            "own terminal first. Another city may run beside it: see --city"
        ) from None
    except OSError:
        return


def _hosts(city: DemoCity) -> list[str]:
    return [city.gateway_host, city.identity_host, city.gateway_host]
