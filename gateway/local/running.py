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
from typing import Protocol

import asyncpg

from gateway import gcra, server
from gateway.ids import SystemIds
from gateway.key_rotation import PURPOSES, add_city_key
from gateway.keys import load_keys, write_keys
from gateway.local.atlas import HANGZHOU, DemoCity
from gateway.local.city import LocalCity
from gateway.local.identity import write_identity_file
from gateway.local.people import Identity
from gateway.local.pinned import Trust, forget_foreign
from gateway.local.processes import Supervisor, answers
from gateway.local.seeds import published_schemes
from gateway.oidc import CALLBACK
from gateway.publication import publish
from gateway.recognition.schemes import publish as publish_scheme
from gateway.settings import Settings, as_environment
from gateway.working_days import calendar
from scenarios.registry import load_registry

#: Where Hangzhou is, the city that commands bring up unless another is named.
GATEWAY_HOST, IDENTITY_HOST = HANGZHOU.gateway_host, HANGZHOU.identity_host


class Engines(Protocol):
    """A PostgreSQL database and a Valkey, up for as long as a `with` block."""

    @property
    def owner_url(self) -> str:
        """The database as its owner."""

    @property
    def gateway_url(self) -> str:
        """The database as the gateway sees it."""

    @property
    def valkey_url(self) -> str:
        """The cache as the gateway sees it."""

    def __enter__(self) -> object: ...

    def __exit__(self, *_: object) -> None: ...


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
        city: which one it is, and where; Hangzhou unless said.
        engines: by default its own, over its folder.
        trust: the region that it belongs to; without one it recognises no other city.
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
        city: DemoCity = HANGZHOU,
        engines: Engines | None = None,
        trust: Trust | None = None,
    ) -> None:
        self.engines: Engines = engines or LocalCity(data, progress)
        self.data = data
        self.city = city
        self.trust = trust
        self.base_url = f"http://{city.gateway_host}:{port}"
        self.identity_url = f"http://{city.identity_host}:{identity_port}"
        self._addresses = (city.gateway_host, port), (city.identity_host, identity_port)
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
            city=self.city.code,
            city_name=self.city.office,
            city_contact=self.city.contact,
            database_url=self.engines.gateway_url,
            valkey_url=self.engines.valkey_url,
            keys_file=self.keys_file,
            oidc_issuer=self.identity_url,
            oidc_synthetic=True,
            allow_loopback_http=True,
            trust_list_url=self.trust.url if self.trust else "",
            trust_list_keys=str(self.trust.keys) if self.trust else "",
            workers=self._workers,
            # A measurement asks for a whole city in one party's name.
            party_rate_per_s=gcra.RATE_MAX,
            party_burst=gcra.RATE_MAX,
            metrics_host=self.city.gateway_host,
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
            self.processes = stack.enter_context(Supervisor(self.data / "logs"))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self, progress: Callable[[str], None] | None = None) -> None:
        """Start the processes and wait until they answer."""
        self.launch(progress)
        self.wait()

    def launch(self, progress: Callable[[str], None] | None = None) -> None:
        """Start the processes and leave the waiting to `wait`."""
        self._progress = progress or self._progress
        assert self.processes is not None, "start inside the with block"
        environment = {**as_environment(self.settings), "PYTHONUNBUFFERED": "1"}
        gateway, identity = self._addresses
        self._progress(f"starting {self.city.en}: the gateway with {self._workers} workers")
        self.processes.launch(
            "identity",
            server.command(*identity, 1, "gateway.local.identity:create_app"),
            environment=environment | self._identity_environment(),
            ready=answers(*identity, "/.well-known/openid-configuration"),
        )
        self.processes.launch(
            "gateway",
            server.command(*gateway, self._workers, self._app),
            environment=environment,
            ready=answers(*gateway, "/readyz"),
        )
        self.processes.launch(
            "worker",
            [sys.executable, "-m", "gateway.cli", "worker"],
            environment=environment,
            ready=lambda: True,
        )

    def wait(self) -> None:
        """Wait until every process answers. Raises ChildFailed."""
        assert self.processes is not None, "launched before"
        self.processes.wait()

    def _prepare(self) -> None:
        for name in ("logs", "secrets"):
            (self.data / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.keys_file.exists():
            write_keys(self.keys_file, SystemIds())
        settings = self.settings
        keys = load_keys(self.keys_file)
        for purpose in PURPOSES:
            # A folder from before cities recognised each other has none.
            if not getattr(keys, f"city_{purpose}"):
                add_city_key(self.keys_file, purpose, SystemIds())
        client = keys.oidc_client
        write_identity_file(
            self.identity_file,
            [(settings.oidc_client_id, settings.issuer + CALLBACK, client)],
            self._personas,
        )
        asyncio.run(self._publish())

    async def _publish(self) -> None:
        connection = await asyncpg.connect(self.engines.owner_url, timeout=10)
        try:
            await publish(connection, load_registry(calendar()), self.city.code)
            for name, raw in published_schemes():
                await publish_scheme(connection, raw, name)
            if self.trust is not None:
                await forget_foreign(connection, self.trust)
        finally:
            await connection.close(timeout=5)

    def _identity_environment(self) -> dict[str, str]:
        return {
            "QIANJIANG_IDENTITY_ISSUER": self.identity_url,
            "QIANJIANG_IDENTITY_FILE": str(self.identity_file),
        }


def data_folder(name: str, city: DemoCity = HANGZHOU) -> Path:
    """Where a command's city lives: in QIANJIANG_DATA, or a folder of the user's."""
    chosen = os.environ.get("QIANJIANG_DATA")
    base = Path(chosen) if chosen else Path.home() / ".local" / "share" / "qianjiang"
    return base / (name if city == HANGZHOU else f"{name}-{city.slug}")
