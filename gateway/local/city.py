"""A city's engines on one machine: PostgreSQL and Valkey over a data folder, migrated and ready."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from gateway.local.postgres import Postgres
from gateway.local.valkey import Valkey
from gateway.store.migrate import (
    GATEWAY,
    OWNER,
    MigrationRefused,
    connected,
    create_database,
    make_months,
    migrate,
    prepare_server,
)

DATABASE = "qianjiang"


def _silent(_: str) -> None:
    """Report progress to nobody."""


class LocalCity:
    """Engines over a data folder, kept between runs. For the command line and the tests.

    `progress` is told in a few words what begins. The folder is held while the city is up, so that
    two commands never share one. Raises ChildFailed, EngineMissing, PlaceRefused,
    MigrationRefused.
    """

    def __init__(self, data: Path, progress: Callable[[str], None] = _silent) -> None:
        self.postgres = Postgres(data)
        self.valkey = Valkey(data)
        self.places = self.postgres.places
        self._progress = progress
        self._lock: int | None = None

    @property
    def owner_url(self) -> str:
        """The database as its owner: migrations, seeds, staff's commands."""
        return self.postgres.url(OWNER, DATABASE)

    @property
    def gateway_url(self) -> str:
        """The database as the gateway sees it."""
        return self.postgres.url(GATEWAY, DATABASE)

    @property
    def valkey_url(self) -> str:
        """The cache as the gateway sees it."""
        return self.valkey.url

    def start(self) -> None:
        """Bring everything up. Runs an event loop of its own: call it from none."""
        self._lock = self.places.lock()
        try:
            self._progress("starting PostgreSQL 18")
            self.postgres.start()
            self._progress("starting Valkey 9")
            self.valkey.start()
            self._progress("migrating the database")
            asyncio.run(self._prepare())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the engines and let go of the folder; the data stay."""
        self.valkey.stop()
        self.postgres.stop()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> "LocalCity":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def _prepare(self) -> None:
        async with connected(self.postgres.superuser_url) as superuser:
            passwords = {role: self.postgres.password(role) for role in (OWNER, GATEWAY)}
            await prepare_server(superuser, passwords)
            await create_database(superuser, DATABASE)
        async with connected(self.owner_url) as owner:
            try:
                await migrate(owner)
            except MigrationRefused as refused:
                raise MigrationRefused(
                    f"{refused}. A local city holds nothing real: delete {self.places.data} and "
                    "run the command again"
                ) from None
            await make_months(owner)
