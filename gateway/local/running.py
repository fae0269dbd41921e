"""A whole city on one machine: engines, keys, gateway, identity provider and background worker.

For the demo, for `qianjiang up`, for journeys through the tests and for measurements. Throw-away
keys, synthetic people, plain http between loopback addresses: never for production.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import asyncpg

from gateway import gcra, server
from gateway.ids import SystemIds
from gateway.keys import load_keys, write_keys
from gateway.local.city import LocalCity
from gateway.local.identity import write_identity_file
from gateway.local.people import Identity
from gateway.local.processes import Supervisor, answers
from gateway.oidc import CALLBACK
from gateway.publication import publish
from gateway.settings import Settings, as_environment
from gateway.working_days import calendar
from scenarios.registry import load_registry

#: Cookies do not know ports, so the identity provider has an address of its own.
GATEWAY_HOST, IDENTITY_HOST = "127.0.0.1", "127.0.0.2"

CITY = "330100"


class RunningCity:
    """A city that runs for as long as its `with` block.

    Args:
        data: its folder, kept between runs.
        port, identity_port: where gateway and identity provider listen; free ones, picked before.
        metrics_port: where the gateway's address shows its metrics; 0 = nowhere.
        workers: gateway processes.
        progress: told in a few words what begins.
        app: what the gateway's processes run; the tests' negative controls name another.
        personas: who may sign in besides the generated people.
    """

    def __init__(
        self,
        data: Path,
        *,
        port: int,
        identity_port: int,
        metrics_port: int = 0,
        workers: int = 2,
        progress: Callable[[str], None] = lambda _: None,
        app: str = "gateway.app:create_app",
        personas: Sequence[Identity] = (),
    ) -> None:
        self.engines = LocalCity(data, progress)
        self.data = data
        self.base_url = f"http://{GATEWAY_HOST}:{port}"
        self.identity_url = f"http://{IDENTITY_HOST}:{identity_port}"
        self._ports = port, identity_port
        self._metrics_port = metrics_port
        self._workers = workers
        self._progress = progress
        self._app = app
        self._personas = personas
        self._stack = ExitStack()
        self.processes: Supervisor | None = None

    @property
    def settings(self) -> Settings:
        """The settings that every process of the city gets."""
        return Settings(
            issuer=self.base_url,
            city=CITY,
            database_url=self.engines.gateway_url,
            valkey_url=self.engines.valkey_url,
            keys_file=self.keys_file,
            oidc_issuer=self.identity_url,
            oidc_synthetic=True,
            allow_loopback_http=True,
            workers=self._workers,
            # A measurement asks for a whole city in one party's name.
            party_rate_per_s=gcra.RATE_MAX,
            party_burst=gcra.RATE_MAX,
            metrics_host=GATEWAY_HOST,
            metrics_port=self._metrics_port,
        )

    @property
    def keys_file(self) -> Path:
        """The city's throw-away keys."""
        return self.data / "secrets" / "keys.json"

    @property
    def identity_file(self) -> Path:
        """The identity provider's clients and personas; written at every start."""
        return self.data / "secrets" / "identity.json"

    def __enter__(self) -> RunningCity:
        with ExitStack() as stack:
            stack.enter_context(self.engines)
            self._prepare()
            self.processes = stack.enter_context(Supervisor(self.engines.places.log("x").parent))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stack.close()

    def start(self, progress: Callable[[str], None] | None = None) -> None:
        """Start the processes and wait until they answer."""
        self._progress = progress or self._progress
        assert self.processes is not None, "start inside the with block"
        environment = {**as_environment(self.settings), "PYTHONUNBUFFERED": "1"}
        port, identity_port = self._ports
        self._progress("starting the identity provider")
        self.processes.start(
            "identity",
            server.command(IDENTITY_HOST, identity_port, 1, "gateway.local.identity:create_app"),
            environment=environment | self._identity_environment(),
            ready=answers(IDENTITY_HOST, identity_port, "/.well-known/openid-configuration"),
        )
        self._progress(f"starting the gateway with {self._workers} workers")
        self.processes.start(
            "gateway",
            server.command(GATEWAY_HOST, port, self._workers, self._app),
            environment=environment,
            ready=answers(GATEWAY_HOST, port, "/readyz"),
        )
        self._progress("starting the background worker")
        self.processes.start(
            "worker",
            [sys.executable, "-m", "gateway.cli", "worker"],
            environment=environment,
            ready=lambda: True,
        )

    def _prepare(self) -> None:
        if not self.keys_file.exists():
            write_keys(self.keys_file, SystemIds())
        settings = self.settings
        client = load_keys(self.keys_file).oidc_client
        write_identity_file(
            self.identity_file,
            [(settings.oidc_client_id, settings.issuer + CALLBACK, client)],
            self._personas,
        )
        asyncio.run(self._publish())

    async def _publish(self) -> None:
        connection = await asyncpg.connect(self.engines.owner_url, timeout=10)
        try:
            await publish(connection, load_registry(calendar()), CITY)
        finally:
            await connection.close(timeout=5)

    def _identity_environment(self) -> dict[str, str]:
        return {
            "QIANJIANG_IDENTITY_ISSUER": self.identity_url,
            "QIANJIANG_IDENTITY_FILE": str(self.identity_file),
        }


def data_folder(name: str) -> Path:
    """Where a command's city lives: QIANJIANG_DATA, or a folder of the user's."""
    chosen = os.environ.get("QIANJIANG_DATA")
    base = Path(chosen) if chosen else Path.home() / ".local" / "share" / "qianjiang"
    return base / name
