"""A gateway with two workers, on the suite's engines and a database of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from gateway import server
from gateway.local.processes import Supervisor, answers, free_ports
from gateway.sessions import csrf_token
from gateway.settings import Settings, as_environment
from loadtest import cpu
from tests.engines import Database, Engines
from tests.gateway.callers import Callers
from tests.gateway.city import TestCity, open_test_city

HOST = "127.0.0.1"
SCOPE = "scenario:rent"


class Caller(msgspec.Struct, frozen=True):
    """A party with a token, and its name for the citizen."""

    name: str
    token: str
    subject: str


class Visit(msgspec.Struct, frozen=True):
    """A signed-in citizen's browser."""

    citizen: UUID
    cookie: str
    csrf: str


class Clerk(msgspec.Struct, frozen=True):
    """A signed-in browser of the party's staff."""

    cookie: str
    csrf: str


class Door(msgspec.Struct, frozen=True):
    """The running gateway, and one of each kind of caller."""

    settings: Settings
    port: int
    database: Database
    folder: Path
    root: int
    caller: Caller
    visit: Visit
    clerk: Clerk
    facts: str

    @property
    def workers(self) -> set[int]:
        """The worker processes' ids."""
        return {pid for pid in cpu.tree(self.root) if pid != self.root}

    @property
    def metrics(self) -> str:
        """Where the processes show what they count."""
        return f"http://{self.settings.metrics_host}:{self.settings.metrics_port}/metrics"

    @property
    def log(self) -> str:
        """All that the server's processes have said."""
        return (self.folder / "gateway.log").read_text("utf-8")

    @property
    def question(self) -> str:
        """A good body for the hot route."""
        return f'{{"subject":"{self.caller.subject}","facts":{self.facts}}}'


@contextmanager
def open_door(
    engines: Engines, folder: Path, app: str = "gateway.app:create_app", **changes: Any
) -> Iterator[Door]:
    """Start it, with other settings where given, and end it with everything that it started."""
    database = engines.clone()
    valkey = engines.flushed()
    port, metrics_port = free_ports([HOST, HOST])
    issuer = f"http://{HOST}:{port}"
    try:
        settings, caller, visit, clerk, facts = asyncio.run(
            _arranged(
                database, valkey.url, folder, issuer, {"metrics_port": metrics_port} | changes
            )
        )
        with Supervisor(folder) as processes:
            child = processes.start(
                "gateway",
                server.command(HOST, port, 2, app),
                environment=as_environment(settings),
                ready=answers(HOST, port, "/readyz"),
            )
            yield Door(settings, port, database, folder, child.pid, caller, visit, clerk, facts)
    finally:
        engines.drop(database)


async def _arranged(
    database: Database, valkey_url: str, folder: Path, issuer: str, changes: dict[str, Any]
) -> tuple[Settings, Caller, Visit, Clerk, str]:
    owner = await asyncpg.connect(database.owner_url)
    try:
        async with open_test_city(
            database.gateway_url, owner, valkey_url, folder, issuer=issuer, **changes
        ) as town:
            caller = await party(town)
            people = await visit(town), await clerk(town)
            return town.city.settings, caller, *people, _facts(town)
    finally:
        await owner.close(timeout=5)


async def party(town: TestCity, name: str = "bike-shop", entity: str = "rent-a-bike") -> Caller:
    """A registered party with a token and a citizen to ask about."""
    principal = await town.party(name, entity=entity)
    citizen = await town.citizen()
    await town.consent(citizen, recipient=entity)
    await town.commitment(citizen)
    sector = principal.party.registrations["rent"].view.sector
    token = town.city.tokens.issue(principal.party, "k1", [SCOPE]).token
    return Caller(name, token, town.city.pseudonyms.subject(citizen, sector))


async def visit(town: TestCity) -> Visit:
    """A citizen who has signed in."""
    citizen = await town.citizen()
    cookie = await town.city.sessions.begin(citizen)
    return Visit(citizen, cookie, csrf_token(cookie))


async def clerk(town: TestCity) -> Clerk:
    """A member of the party's staff who has signed in."""
    page = await Callers(town).clerk()
    cookie = page.cookies[town.city.counter_sessions.cookie]
    return Clerk(cookie, csrf_token(cookie))


def _facts(town: TestCity) -> str:
    example = town.city.registry["rent"].manifest.example_at(town.city.clock.now_us())
    return msgspec.json.encode(example).decode()
