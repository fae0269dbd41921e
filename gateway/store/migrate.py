"""Bring a database up to this version's schema: numbered plain SQL, forward only, hashes checked.

Each file runs in a transaction of its own together with its entry in `schema_migration`, so a
failing file leaves nothing behind. Files are additive: the version before keeps working on the
schema of the version after, and the reverse.
"""

import hashlib
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import resources
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import asyncpg

from gateway.errors import DependencyDown, GatewayError
from gateway.store.sql import queries

OWNER = "qianjiang_owner"
GATEWAY = "qianjiang_gateway"

_SQL = queries("migrate")
_FILE_NAME = re.compile(r"\A([0-9]{4})_([a-z0-9_]+)\.sql\Z")
_ADVISORY_LOCK = 0x71_69_61_6E_6A  # "qianj": one migration at a time in a database
# A migration that must wait for a lock holds up every request behind it: give way soon.
_LOCK_TIMEOUT, _STATEMENT_TIMEOUT = "4s", "60s"
_CONNECT_SECONDS = 10
#: Months whose partitions there are after each run, the present one included.
MONTHS = 14

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


class MigrationRefused(GatewayError):
    """The database and the migration files contradict each other, or a file fails."""


@dataclass(frozen=True)
class Migration:
    """One numbered file and the SHA-256 of its text, in hex."""

    version: int
    name: str
    sql: str
    sha256: str

    @property
    def file(self) -> str:
        """The file's name."""
        return f"{self.version:04}_{self.name}.sql"


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """A connection of one's own, outside every pool and its limits.

    Raises DependencyDown in one line; the address, which holds a password, is not in it.
    """
    try:
        connection = await asyncpg.connect(url, timeout=_CONNECT_SECONDS)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise DependencyDown(f"cannot connect to the database{_at(url)}: {error}") from error
    try:
        yield connection
    finally:
        await connection.close(timeout=_CONNECT_SECONDS)


def _at(url: str) -> str:
    """Where an address leads, without user and password; empty where it does not say."""
    try:
        parts = urlsplit(url)
        said = dict(parse_qsl(parts.query))
        host, port = said.get("host", parts.hostname), said.get("port", parts.port or 5432)
    except ValueError:
        return ""
    if not host:
        return ""
    return f" at {host}/.s.PGSQL.{port}" if host.startswith("/") else f" at {host}:{port}"


def available() -> list[Migration]:
    """The migrations that this version carries, in order.

    Raises MigrationRefused when numbers repeat or leave a gap.
    """
    found = []
    for file in resources.files("gateway.store").joinpath("migrations").iterdir():
        if match := _FILE_NAME.match(file.name):
            text = file.read_bytes()
            digest = hashlib.sha256(text).hexdigest()
            found.append(Migration(int(match[1]), match[2], text.decode(), digest))
    found.sort(key=lambda migration: migration.version)
    if [migration.version for migration in found] != list(range(len(found))):
        raise MigrationRefused("migration files must be numbered 0000, 0001, … without a gap")
    return found


async def pending(
    connection: Connection, migrations: list[Migration] | None = None
) -> list[Migration]:
    """What is still to be applied. A database ahead of this version has nothing pending.

    Raises MigrationRefused when an applied file has changed since.
    """
    known = available() if migrations is None else migrations
    applied = await _applied(connection)
    for migration in known:
        if applied.get(migration.version, migration.sha256) != migration.sha256:
            raise MigrationRefused(
                f"{migration.file} was changed after it was applied to this database; "
                "restore its text and put the change into a new file"
            )
    return [migration for migration in known if migration.version not in applied]


async def current(connection: Connection) -> int | None:
    """The highest version applied; None in an empty database."""
    return max(await _applied(connection), default=None)


async def migrate(
    connection: Connection,
    migrations: list[Migration] | None = None,
    *,
    on_applied: Callable[[Migration], None] = lambda _: None,
) -> list[Migration]:
    """Apply what is pending, as the owner of the database; returns what was applied.

    Raises MigrationRefused, naming the file, where one fails or another migration is running.
    """
    await connection.execute(_SQL.limits, _LOCK_TIMEOUT, _STATEMENT_TIMEOUT)
    try:
        await connection.execute(_SQL.lock, _ADVISORY_LOCK)
    except asyncpg.LockNotAvailableError:
        raise MigrationRefused("another migration of this database is running") from None
    try:
        todo = await pending(connection, migrations)
        for migration in todo:
            await _apply(connection, migration)
            on_applied(migration)
        return todo
    finally:
        await connection.execute(_SQL.unlock, _ADVISORY_LOCK)


async def make_months(owner: Connection) -> tuple[int, list[int]]:
    """Make the coming months' partitions of answers, one month after the other.

    Returns how many tables were made, and which months (0 is the present one) stay without: their
    answers went to the default partition meanwhile, where they are as safe and stay.
    """
    await owner.execute(_SQL.limits, _LOCK_TIMEOUT, _STATEMENT_TIMEOUT)
    made, without = 0, []
    # One transaction each: a new partition locks the table that every answer is written to.
    for month in range(MONTHS):
        try:
            made += int(await owner.fetchval(_SQL.month, month))
        except asyncpg.CheckViolationError:
            without.append(month)
        except asyncpg.LockNotAvailableError:
            raise MigrationRefused("the table of answers is busy; run it again") from None
    return made, without


#: Status lists that may have been opened since a backup: each takes half a million grants.
LISTS_AHEAD: Final = 16


async def renew_generation(owner: Connection) -> None:
    """After a restore from a backup: nothing cached from the other history counts any more.

    Version numbers continue from the backup, so those handed out since then come a second time.
    What was said of citizens to other cities since then is not known any more, nor what of it was
    taken back: every city reads that none of it stands, and citizens allow it anew.
    """
    async with owner.transaction():
        await owner.execute(_SQL.renew_generation)
        if await owner.fetchval(_SQL.any_list):
            await owner.execute(_SQL.void_lists)
            await owner.execute(_SQL.void_lists_ahead, LISTS_AHEAD)
            await owner.execute(_SQL.end_recognitions)


async def prepare_server(superuser: Connection, passwords: Mapping[str, str]) -> None:
    """Make the roles where they are missing and set their passwords.

    For a local city and the tests; in production the administrator runs `roles.sql`.
    """
    if not await superuser.fetchval(_SQL.role_exists, OWNER):
        roles = resources.files("gateway.store").joinpath("migrations", "roles.sql")
        async with superuser.transaction():
            await superuser.execute(roles.read_text("utf-8"))
    for role, password in passwords.items():
        await superuser.execute(await superuser.fetchval(_SQL.password_statement, role, password))


async def create_database(superuser: Connection, name: str, template: str = "template0") -> bool:
    """Make a database that belongs to the owner role; False where it exists already."""
    if await superuser.fetchval(_SQL.database_exists, name):
        return False
    statement = await superuser.fetchval(_SQL.database_statement, name, OWNER, template)
    await superuser.execute(statement)
    return True


async def _applied(connection: Connection) -> dict[int, str]:
    if not await connection.fetchval(_SQL.ledger_exists):
        return {}
    return {row["version"]: row["sha256"] for row in await connection.fetch(_SQL.applied)}


async def _apply(connection: Connection, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(
                _SQL.record, migration.version, migration.name, migration.sha256
            )
    except asyncpg.PostgresError as error:
        raise MigrationRefused(f"{migration.file}: {error}") from error
