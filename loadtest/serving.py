"""A throw-away city with a gateway in front of it, and the clocks of all that it runs on."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeAlias
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import msgspec

from gateway import server
from gateway.local.processes import answers, free_port, free_ports
from gateway.local.running import GATEWAY_HOST, IDENTITY_HOST, RunningCity
from gateway.settings import Settings, as_environment
from loadtest import cpu

Progress: TypeAlias = Callable[[str], None]
Owner: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

#: Limits of one party, and as far as a measurement lifts them.
_LIMITS: dict[str, Any] = {
    "token_attempts_per_s": 1_000_000.0,
    "token_attempts_burst": 1_000_000,
    "party_rate_per_s": 100_000,
    "party_burst": 1_000_000,
}

ROOT = Path(__file__).parent.parent
APP = "gateway.app:create_app"


class Cost(msgspec.Struct, frozen=True):
    """CPU of one call in microseconds: the gateway's workers, PostgreSQL, Valkey."""

    workers: float
    postgres: float
    valkey: float

    @property
    def summed(self) -> float:
        """All three."""
        return self.workers + self.postgres + self.valkey


class Spread(msgspec.Struct, frozen=True):
    """Least, middle and greatest of some rounds."""

    least: float
    middle: float
    greatest: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """The spread of these values, of which there is at least one."""
        known = sorted(values)
        return cls(known[0], statistics.median(known), known[-1])

    def __str__(self) -> str:
        return f"{self.least:.2f} {self.middle:.2f} {self.greatest:.2f}"


class Recorded(NamedTuple):
    """Rows, and the statements that made them; their quotient is the batch."""

    rows: int
    statements: int

    @property
    def batch(self) -> float:
        """Decisions of one statement; 0 where there are none."""
        return self.rows / self.statements if self.statements else 0.0


class Target(Protocol):
    """A gateway that answers at an address, and the CPU seconds spent behind it so far."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...

    def seconds(self) -> tuple[float, float, float]:
        """Of workers, PostgreSQL and Valkey."""
        ...


class Serving:
    """A gateway that answers, and the processes behind it."""

    def __init__(self, running: RunningCity, root: int, port: int, metrics_port: int) -> None:
        self.running, self.root, self.metrics_port = running, root, metrics_port
        self.host, self.port = GATEWAY_HOST, port

    def seconds(self) -> tuple[float, float, float]:
        """CPU seconds spent so far by workers, PostgreSQL and Valkey."""
        engines = self.running.engines
        return (
            cpu.seconds(cpu.tree(self.root)),
            cpu.seconds(cpu.tree(engines.postgres.pid)),
            cpu.seconds([engines.valkey.pid]),
        )

    def recorded(self, first: UUID) -> Recorded:
        """The decisions on record from an id on."""
        return asyncio.run(self._recorded(first))

    async def _recorded(self, first: UUID) -> Recorded:
        async with owner_of(self.running) as owner:
            # Rows of one statement have been inserted by one transaction.
            row = await owner.fetchrow(
                "SELECT count(*) AS rows, count(DISTINCT xmin::text) AS statements"
                " FROM decision WHERE id >= $1",
                first,
            )
        assert row is not None, "an aggregate is one row"
        return Recorded(row["rows"], row["statements"])


class Meter:
    """What has been spent since it was made, divided by calls."""

    def __init__(self, target: Target) -> None:
        self._target, self._before = target, target.seconds()

    def each(self, calls: int) -> Cost:
        """The cost of one of so many calls."""
        spent = zip(self._before, self._target.seconds(), strict=True)
        return Cost(*((after - before) / max(calls, 1) * 1e6 for before, after in spent))


def unthrottled(settings: Settings) -> Settings:
    """The settings with room for one party at one address to ask for everything.

    Limits per party are lifted as far as they go.
    """
    return with_known(settings, **_LIMITS)


def with_known(settings: Settings, **wanted: Any) -> Settings:
    """The settings with those of the wanted ones that this gateway has."""
    known = {field.name for field in msgspec.structs.fields(settings)}
    return msgspec.structs.replace(
        settings, **{name: value for name, value in wanted.items() if name in known}
    )


@contextmanager
def throw_away_city(progress: Progress) -> Iterator[RunningCity]:
    """A city in a folder of its own: engines, keys and the packaged scenarios; all of it goes."""
    ports = free_ports([GATEWAY_HOST, IDENTITY_HOST])
    with tempfile.TemporaryDirectory(prefix="qianjiang-scale-") as folder:
        running = RunningCity(
            Path(folder), port=ports[0], identity_port=ports[1], progress=progress
        )
        try:
            with running:
                yield running
        finally:
            # As root the engines' files lie outside the folder.
            running.engines.places.remove()


def serve(
    running: RunningCity,
    *,
    workers: int,
    app: str = APP,
    settings: Settings | None = None,
    environment: Mapping[str, str] | None = None,
    port: int | None = None,
) -> Serving:
    """Start the gateway of a city with the flags of production; it ends with the city.

    Limits of one party are lifted, since one party asks for everything that a measurement asks.
    Another application, such as a yardstick, may be named and wants a `port` of its own.
    """
    assert running.processes is not None, "inside the city's with block"
    port = port or urlsplit(running.base_url).port or 0
    # Metrics are on, as in production, and each gateway on this machine has its own.
    metrics_port = free_port(GATEWAY_HOST)
    settings = with_known(settings or running.settings, metrics_port=metrics_port, workers=workers)
    child = running.processes.start(
        "gateway" if app == APP else app.replace(":", "-"),
        server.command(GATEWAY_HOST, port, workers, app),
        environment={
            **as_environment(unthrottled(settings)),
            "PYTHONPATH": str(ROOT),
            **(environment or {}),
        },
        ready=answers(GATEWAY_HOST, port, "/readyz"),
    )
    return Serving(running, child.pid, port, metrics_port)


@asynccontextmanager
async def owner_of(running: RunningCity) -> AsyncIterator[Owner]:
    """A connection as the database's owner."""
    connection = await asyncpg.connect(running.engines.owner_url)
    try:
        yield connection
    finally:
        await connection.close(timeout=5)


async def checkpoint(running: RunningCity) -> None:
    """Write out what loading in bulk left dirty, or decisions would pay for it page by page."""
    connection = await asyncpg.connect(running.engines.postgres.superuser_url)
    try:
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close(timeout=5)
