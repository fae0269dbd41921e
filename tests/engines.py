"""The engines under the tests: one PostgreSQL and one Valkey for a whole run, clean for each test.

A database is not made anew for every test (a clone costs 40 ms or more). One clone is wiped
instead, in 5 ms: the rows go, the rows that the migrations brought come back. What a test does to
the *schema* would stay, so a test that changes it asks for a database of its own.
"""

import asyncio
import os
import tempfile
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
from redis import Redis

from gateway.local.places import LOCK, PlaceRefused, Places, hold
from gateway.local.postgres import SUPERUSER, Postgres
from gateway.local.valkey import Valkey
from gateway.store import migrate

# In memory where there is room: fsync stays on and costs nothing. A killed process loses no more
# there than on a disk, since what it wrote is the kernel's in both cases.
MEMORY, MEMORY_BYTES_MIN = Path("/dev/shm"), 4 << 30
TEMPLATE, SHARED = "city_template", "city_shared"

# A table's rows are deleted without firing triggers or checking references, as only a superuser
# may, because the tables of promises refuse to forget. `pristine` holds what migrations inserted.
PREPARE_WIPE = """
CREATE SCHEMA pristine;
CREATE FUNCTION pristine.tables() RETURNS SETOF regclass LANGUAGE sql STABLE AS $$
  SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
$$;
DO $$
DECLARE t regclass; filled boolean;
BEGIN
  FOR t IN SELECT pristine.tables() LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', t) INTO filled;
    IF filled THEN
      EXECUTE format('CREATE TABLE pristine.%I AS TABLE %s',
                     (SELECT relname FROM pg_class WHERE oid = t), t);
    END IF;
  END LOOP;
END $$;
CREATE FUNCTION pristine.wipe() RETURNS void LANGUAGE plpgsql
  SET session_replication_role = replica AS $$
DECLARE t regclass; filled boolean; kept record;
BEGIN
  FOR t IN SELECT pristine.tables() LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', t) INTO filled;
    IF filled THEN EXECUTE format('DELETE FROM %s', t); END IF;
  END LOOP;
  FOR kept IN SELECT relname FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'pristine'::regnamespace LOOP
    EXECUTE format('INSERT INTO public.%1$I SELECT * FROM pristine.%1$I', kept.relname);
  END LOOP;
END $$;
"""
# A pool that a failed test left open must not hold locks into the next one.
END_OTHERS = """
SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
"""

T = TypeVar("T")


@dataclass(frozen=True)
class Database:
    """A migrated database, empty but for what the migrations insert; an address for each role."""

    name: str
    gateway_url: str
    owner_url: str
    superuser_url: str


class Engines:
    """Both engines over a throw-away folder. Starting takes 1.5 s, once in a run."""

    def __init__(self) -> None:
        place = _roomy_place()
        root = place / f"qianjiang-tests-{os.geteuid()}"
        self.system = place / "qianjiang-engines"
        root.mkdir(mode=0o700, exist_ok=True)
        _remove_leftovers(root, self.system)
        self.data = Path(tempfile.mkdtemp(dir=root))
        self.postgres = Postgres(self.data, self.system)
        self.valkey = Valkey(self.data, self.system)
        self.postgres.places.lock()
        # The tests' own connections outlive single tests, hence a loop that does as well.
        self._loop = asyncio.new_event_loop()
        self._wiper: migrate.Connection | None = None
        self._clones = 0

    def start(self) -> None:
        """Start both, migrate the template, open the shared clone."""
        self.postgres.start()
        self.valkey.start()
        self._await(self._migrate_template())
        self.admin = Redis.from_url(self.valkey.admin_url)

    def stop(self) -> None:
        """Stop both and remove every trace."""
        self.admin.close()
        self._await(self._disconnect())
        self._loop.close()
        self.valkey.stop()
        self.postgres.stop("immediate")
        self.postgres.places.remove()

    def wiped(self) -> Database:
        """The shared database, wiped; the engine is started again if a test stopped it."""
        self.postgres.start()
        self._await(self._wipe())
        return self.database(SHARED)

    def clone(self, template: str = TEMPLATE) -> Database:
        """A database of one's own; not migrated if the template is `template0`."""
        self.postgres.start()
        self._clones += 1
        name = f"city_{self._clones}"
        self._await(self._on_server(name, template))
        return self.database(name)

    def drop(self, database: Database) -> None:
        """Remove a clone, whoever is still connected."""
        self._await(self._on_server(database.name, None))

    def flushed(self) -> Valkey:
        """Valkey, empty; started again if a test stopped it."""
        self.valkey.start()
        self.admin.flushall()
        return self.valkey

    def database(self, name: str) -> Database:
        """The addresses of a database."""
        gateway, owner, superuser = (
            self.postgres.url(role, name) for role in (migrate.GATEWAY, migrate.OWNER, SUPERUSER)
        )
        return Database(name, gateway, owner, superuser)

    def _await(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(asyncio.wait_for(work, 30))

    async def _migrate_template(self) -> None:
        server = await asyncpg.connect(self.postgres.superuser_url)
        roles = (migrate.OWNER, migrate.GATEWAY)
        await migrate.prepare_server(server, {r: self.postgres.password(r) for r in roles})
        await migrate.create_database(server, TEMPLATE)
        owner = await asyncpg.connect(self.database(TEMPLATE).owner_url)
        await migrate.migrate(owner)
        await owner.close()
        await migrate.create_database(server, SHARED, TEMPLATE)
        await server.close()
        shared = await asyncpg.connect(self.database(SHARED).superuser_url)
        await shared.execute(PREPARE_WIPE)
        await shared.close()

    async def _wipe(self) -> None:
        # One connection for the run: a new one would cost as much as the wipe itself.
        await asyncio.sleep(0.001)  # lets the loop notice that a killed server hung up
        if self._wiper is None or self._wiper.is_closed():
            self._wiper = await asyncpg.connect(self.database(SHARED).superuser_url)
        await self._wiper.execute(END_OTHERS)
        await self._wiper.execute("SELECT pristine.wipe()")

    async def _disconnect(self) -> None:
        await asyncio.sleep(0.001)
        if self._wiper is not None and not self._wiper.is_closed():
            await self._wiper.close(timeout=5)

    async def _on_server(self, name: str, template: str | None) -> None:
        server = await asyncpg.connect(self.postgres.superuser_url)
        if template is None:
            await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        else:
            await migrate.create_database(server, name, template)
        await server.close()


def _roomy_place() -> Path:
    with suppress(OSError):
        room = os.statvfs(MEMORY)
        if room.f_bavail * room.f_frsize >= MEMORY_BYTES_MIN and os.access(MEMORY, os.W_OK):
            return MEMORY
    return Path(tempfile.gettempdir())


def _remove_leftovers(root: Path, system: Path) -> None:
    """Remove what killed runs left behind: folders whose lock nobody holds any more."""
    for lock in root.glob(f"*/{LOCK}"):
        with suppress(PlaceRefused, FileNotFoundError):
            held = hold(lock)
            Places.of(lock.parent, system).remove()
            os.close(held)
