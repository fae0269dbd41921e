"""Real processes over HTTP: workers killed, PostgreSQL stopped at once, under load.

Whatever happens, an answer that left has exactly one row, an acknowledged withdrawal is there, and
whoever got no answer got none: a 503 or a broken connection, never a yes made of cache.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import asyncpg
import msgspec
import pytest

from gateway import server
from gateway.app import open_city
from gateway.local.city import LocalCity
from gateway.local.processes import answers, free_ports, listening
from gateway.local.running import GATEWAY_HOST, IDENTITY_HOST, RunningCity
from gateway.settings import as_environment
from loadtest import cpu, merchant
from loadtest.generator import Plan, read_answer

CONNECTIONS = 24
CITIZENS = 200


class Load(threading.Thread):
    """Clients in a thread of their own: they reconnect when a connection breaks."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self._plan = plan
        self._stop_asked = threading.Event()
        self.answered: list[str] = []
        self.outcomes: Counter[str] = Counter()

    def run(self) -> None:
        asyncio.run(self._all())

    def finish(self) -> None:
        """Ask every client to stop, and wait."""
        self._stop_asked.set()
        self.join(30)
        assert not self.is_alive()

    async def _all(self) -> None:
        requests = self._plan.requests()
        await asyncio.gather(*(self._client(requests[n::CONNECTIONS]) for n in range(CONNECTIONS)))

    async def _client(self, requests: list[bytes]) -> None:
        while not self._stop_asked.is_set():
            try:
                await self._connection(requests)
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                self.outcomes["broken connection"] += 1
                await asyncio.sleep(0.02)

    async def _connection(self, requests: list[bytes]) -> None:
        reader, writer = await asyncio.open_connection(self._plan.host, self._plan.port)
        try:
            for request in requests * 1000:
                if self._stop_asked.is_set():
                    return
                writer.write(request)
                async with asyncio.timeout(10):
                    status, body = await read_answer(reader)
                self.outcomes[str(status)] += 1
                if status == 200:
                    self.answered.append(msgspec.json.decode(body)["decision_id"])
                else:
                    await asyncio.sleep(0.01)
        finally:
            writer.close()


class Scene:
    """A gateway of two workers, a merchant and its citizens."""

    def __init__(self, running: RunningCity, engines: LocalCity, plan: Plan, root: int) -> None:
        self.running, self.engines = running, engines
        self.plan, self.root = plan, root
        self._first = set(self.workers)

    @property
    def workers(self) -> list[int]:
        """The worker processes' ids."""
        return [pid for pid in cpu.tree(self.root) if pid != self.root]

    def wait_for_new_workers(self, count: int) -> None:
        """Until so many live that were not there at first."""
        deadline = time.monotonic() + 10
        while len(set(self.workers) - self._first) < count:
            assert time.monotonic() < deadline, "killed workers were not replaced"
            time.sleep(0.02)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Engines and gateway of this test's own: it breaks them."""
    port, identity_port = free_ports([GATEWAY_HOST, IDENTITY_HOST])
    engines = LocalCity(tmp_path)
    running = RunningCity(tmp_path, port=port, identity_port=identity_port, engines=engines)
    with running:
        plan = asyncio.run(merchant.settled(running, CITIZENS, port))
        assert running.processes is not None
        child = running.processes.start(
            "gateway",
            server.command(GATEWAY_HOST, port, 2),
            environment=as_environment(running.settings),
            ready=answers(GATEWAY_HOST, port, "/readyz"),
        )
        yield Scene(running, engines, plan, child.pid)
    engines.places.remove()


async def _recorded(running: RunningCity) -> Counter[str]:
    connection = await asyncpg.connect(running.engines.owner_url)
    try:
        rows = await connection.fetch("SELECT id FROM decision")
    finally:
        await connection.close(timeout=5)
    return Counter(str(row["id"]) for row in rows)


async def _withdraw(running: RunningCity, count: int) -> set[UUID]:
    """Withdraw so many citizens' consents; returns those whose withdrawal was acknowledged."""
    city = open_city(running.settings)
    async with city.running():
        async with city.database.connection() as connection:
            rows = await connection.fetch("SELECT DISTINCT citizen FROM consent LIMIT $1", count)
        acknowledged = set()
        for row in rows:
            async with city.writer.change(row["citizen"]) as writing:
                await writing.execute(_WITHDRAW, row["citizen"])
            acknowledged.add(row["citizen"])
    return acknowledged


_WITHDRAW = """
INSERT INTO consent (id, version, citizen, recipient, scenario, purpose, fields, text_version,
  text_sha256, from_at, to_at, status)
SELECT id, version + 1, citizen, recipient, scenario, purpose, fields, text_version,
  text_sha256, from_at, to_at, 'withdrawn'
  FROM consent WHERE citizen = $1 ORDER BY version DESC LIMIT 1
"""


def test_every_answer_that_left_has_one_row_though_workers_and_database_are_killed(
    scene: Scene,
) -> None:
    load = Load(scene.plan)
    load.start()
    try:
        for worker in scene.workers:
            time.sleep(0.7)
            os.kill(worker, signal.SIGKILL)
        scene.wait_for_new_workers(2)
        acknowledged = asyncio.run(_withdraw(scene.running, 20))
        scene.engines.postgres.stop("immediate")
        time.sleep(0.3)
        scene.engines.postgres.start()
        time.sleep(1.5)
        before = len(load.answered)
        time.sleep(1.5)
        assert len(load.answered) > before, "no answer though everything is back"
    finally:
        load.finish()
    recorded = asyncio.run(_recorded(scene.running))
    twice = [name for name, count in recorded.items() if count > 1]
    missing = set(load.answered) - recorded.keys()
    assert not twice
    assert not missing
    assert len(set(load.answered)) == len(load.answered)
    assert set(load.outcomes) <= {"200", "503", "broken connection"}, load.outcomes
    assert load.outcomes["200"] > 100, "the load was too light to prove anything"
    beyond = len(recorded) - len(load.answered)
    # Rows without an answer that was read: their worker was killed, or their connection broke.
    assert beyond <= load.outcomes["broken connection"] + load.outcomes["503"], (beyond, load)
    assert asyncio.run(_withdrawn(scene.running)) >= acknowledged


async def _withdrawn(running: RunningCity) -> set[UUID]:
    connection = await asyncpg.connect(running.engines.owner_url)
    try:
        rows = await connection.fetch("SELECT citizen FROM consent WHERE status = 'withdrawn'")
    finally:
        await connection.close(timeout=5)
    return {row["citizen"] for row in rows}


def test_no_port_stays_open_when_the_server_is_killed(scene: Scene) -> None:
    os.kill(scene.root, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while listening(GATEWAY_HOST, scene.plan.port):
        assert time.monotonic() < deadline, "a worker outlived its server"
        time.sleep(0.05)
