"""Real engines for every test that asks for them.

- `engines`: PostgreSQL 18 and Valkey 9 for the whole run, in a throw-away folder. A test that kills
  or stops one may leave it so: the next fixture starts it again.
- `database`: a migrated, empty database: `.gateway_url` (the role that serves), `.owner_url`,
  `.superuser_url`. Costs 5 ms: one clone is wiped before each test. For rows, not for schema.
- `fresh_database`: the same, but a clone of its own for a test that changes the schema (40 ms).
- `valkey`: the cache, empty: `.url` (the gateway's rights), `.admin_url` (all), `.kill()`,
  `.start()`.
- `pair`: two live cities that recognise each other, for the whole run (tests/pair; 6 s).
- `connection`, `owner`: asyncpg connections to `database` as the gateway and as the owner.

Tests run in random order (pytest-randomly prints the seed; `--randomly-seed=N` repeats it) and
every warning is an error. Which process runs what is said by tests/schedule.py.
"""

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from gateway.local.valkey import Valkey
from gateway.store.migrate import Connection
from tests import schedule
from tests.engines import Database, Engines

if TYPE_CHECKING:
    from tests.pair import Pair


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Order the tests, after they were shuffled."""
    yield
    items[:] = schedule.ordered(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give out whole files, and to one process all that asks for live cities."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduler(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            return schedule.scope_of(nodeid)

    config.option.loadscopereorder = False  # the order is ours
    return Scheduler(config, log)


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    """Both engines, for the whole run."""
    engines = Engines()
    try:
        engines.start()
        yield engines
    finally:
        engines.stop()


@pytest.fixture
def database(engines: Engines) -> Database:
    """A migrated database without rows."""
    return engines.wiped()


@pytest.fixture
def fresh_database(engines: Engines) -> Iterator[Database]:
    """A migrated database that this test alone sees, dropped afterwards."""
    database = engines.clone()
    yield database
    engines.drop(database)


@pytest.fixture
def valkey(engines: Engines) -> Valkey:
    """An empty cache."""
    return engines.flushed()


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Pair"]:
    """Two cities and their region, on engines of their own."""
    from tests.pair import open_pair  # knows the whole gateway: a second that other tests save

    with open_pair(tmp_path_factory.mktemp("pair")) as opened:
        yield opened


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[Connection]:
    """A connection with the rights of the gateway."""
    connection = await asyncpg.connect(database.gateway_url)
    yield connection
    await connection.close(timeout=5)


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[Connection]:
    """A connection with the rights of the owner: to arrange rows."""
    connection = await asyncpg.connect(database.owner_url)
    yield connection
    await connection.close(timeout=5)
