"""What every peer is to a measurement: it starts, answers the requests of a plan, and ends."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from gateway.local.postgres import Postgres
from gateway.local.processes import Supervisor
from gateway.local.valkey import Valkey
from gateway.settings import is_loopback
from loadtest import cpu
from loadtest.closed import Contender
from loadtest.generator import SUBJECT, Plan
from loadtest.popularity import Distribution

HOST = "127.0.0.1"
ROOT = Path(__file__).parent.parent.parent


class WrongAnswer(Exception):
    """A peer does not decide as it must, so its figures would mean nothing."""


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """Where peers are run: engines that are up, a folder, and who is asked about."""

    postgres: Postgres
    valkey: Valkey
    folder: Path
    """For logs and files; on a disk like the engines' own."""
    subjects: tuple[str, ...]
    workers: int = 2

    @contextmanager
    def processes(self) -> Iterator[Supervisor]:
        """Processes that end with the block, with their logs in the folder."""
        with Supervisor(self.folder) as supervisor:
            yield supervisor


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """A peer that is up."""

    plan: Plan
    """Address and requests; whoever measures sets connections, seconds and distribution."""
    roots: dict[str, int]
    """Process ids whose trees do the work: `server`, and `postgres` and `valkey` where used."""
    yes: bytes = b""
    """What is in an answer that grants, and in no other."""
    ordinary: str = ""
    """A subject, as the plan has them, whose answer does not grant; empty = grants to everybody."""

    def spent(self) -> dict[str, float]:
        """CPU seconds so far, of the server and of each engine."""
        return {name: cpu.seconds(cpu.tree(root)) for name, root in self.roots.items()}

    def contender(
        self, name: str, connections: int, distribution: Distribution = "uniform"
    ) -> Contender:
        """The peer as one of those that are asked in turn."""
        plan = msgspec.structs.replace(
            self.plan, connections=connections, distribution=distribution
        )
        return Contender(name=name, plan=lambda: plan, spent=self.spent)

    def check(self) -> None:
        """See that it decides.

        Raises:
            WrongAnswer: it does not grant where it must, or grants where it must not.
        """
        first = self.plan.subjects[0] if self.plan.subjects else ""
        self._expect(first, granted=True)
        if self.ordinary:
            self._expect(self.ordinary, granted=False)

    def _expect(self, subject: str, *, granted: bool) -> None:
        plan = self.plan
        assert is_loopback(f"http://{plan.host}"), "peers run on this machine"
        connection = http.client.HTTPConnection(plan.host, plan.port, timeout=10)
        try:
            body = plan.template.replace(SUBJECT, subject) if plan.subjects else None
            fields = {"Content-Type": "application/json", "Authorization": f"Bearer {plan.token}"}
            connection.request("POST" if body else "GET", plan.path, body, fields)
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        if answer.status != http.client.OK or (self.yes in said) is not granted:
            raise WrongAnswer(f"{answer.status}: {said[:500]!r}")


class Peer(Protocol):
    """Something that people use today, or the floor beneath it."""

    @property
    def name(self) -> str:
        """Its name in tables."""

    @property
    def what(self) -> str:
        """What it does and does not do, for whoever reads its figures."""

    def missing(self) -> str:
        """Why it cannot be run on this machine; empty where it can."""

    def start(self, site: Site) -> AbstractContextManager[Started]:
        """Bring it up for as long as the block. From the main thread, as all children are.

        Raises ChildFailed where it does not come up.
        """


def plan_at(port: int, path: str, **given: object) -> Plan:
    """A plan at this machine, with what whoever measures will set."""
    return msgspec.convert(
        {"host": HOST, "port": port, "path": path, "connections": 64, "seconds": 5.0, **given}, Plan
    )
