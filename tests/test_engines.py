"""The ground the other tests stand on: clean, durable, and gone when the run is gone."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import NoPermissionError
from redis.maint_notifications import MaintNotificationsConfig

from gateway.local.binaries import postgres_install
from gateway.local.engine import copied, runnable
from gateway.local.places import PlaceRefused, Places, open_folder
from gateway.local.postgres import Postgres
from gateway.local.valkey import Valkey
from gateway.store.migrate import Connection
from tests.engines import Database, Engines

ROUNDS = range(2)


@pytest.mark.parametrize("_round", ROUNDS)
async def test_a_test_sees_no_row_of_another(owner: Connection, _round: int) -> None:
    # Whatever the order, the second of these two would find the first one's row.
    assert await owner.fetchval("SELECT count(*) FROM probe_mark") == 0
    await owner.execute("INSERT INTO probe_mark VALUES (gen_random_uuid(), 1, now())")


async def test_wiping_keeps_what_the_migrations_inserted(engines: Engines) -> None:
    connection = await asyncpg.connect(engines.database("city_shared").superuser_url)
    before = await connection.fetch("SELECT version, sha256 FROM schema_migration ORDER BY 1")
    await connection.execute("DELETE FROM schema_migration")
    await connection.execute("SELECT pristine.wipe()")
    after = await connection.fetch("SELECT version, sha256 FROM schema_migration ORDER BY 1")
    await connection.close()
    assert before == after
    assert before


async def test_postgres_is_durable_and_lets_nobody_in_without_a_password(
    engines: Engines, connection: Connection
) -> None:
    wanted = {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "listen_addresses": "",
        "TimeZone": "UTC",
        "server_encoding": "UTF8",
        "default_transaction_isolation": "read committed",
        "statement_timeout": "1s",
        "lock_timeout": "200ms",
        "idle_in_transaction_session_timeout": "2s",
        "transaction_timeout": "5s",
    }
    names = list(wanted)
    query = "SELECT n, current_setting(n) AS value FROM unnest($1::text[]) AS n"
    found = {row["n"]: row["value"] for row in await connection.fetch(query, names)}
    assert found == wanted
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(engines.postgres.superuser_url, password="guess")


async def test_postgres_logs_a_fault_without_the_row_that_made_it(
    engines: Engines, connection: Connection
) -> None:
    row = "INSERT INTO device VALUES (gen_random_uuid(), gen_random_uuid(), 'secret', NULL, 's')"
    with pytest.raises(asyncpg.NotNullViolationError):
        await connection.execute(row)
    logged = engines.postgres.log.read_text()
    assert "null value in column" in logged
    assert "secret" not in logged


@pytest.mark.parametrize("role", ["gateway_url", "owner_url"])
async def test_the_city_s_roles_are_no_superusers(database: Database, role: str) -> None:
    connection = await asyncpg.connect(getattr(database, role))
    row = await connection.fetchrow(
        "SELECT rolsuper, rolcreatedb, rolcreaterole, rolbypassrls, rolreplication "
        "FROM pg_roles WHERE rolname = current_user"
    )
    await connection.close()
    assert row is not None
    assert not any(row)


async def test_postgres_comes_back_after_a_kill_with_what_it_acknowledged(
    engines: Engines, fresh_database: Database
) -> None:
    connection = await asyncpg.connect(fresh_database.owner_url)
    await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    engines.postgres.kill()
    connection.terminate()
    engines.postgres.start()
    connection = await asyncpg.connect(fresh_database.owner_url)
    assert await connection.fetchval("SELECT answer FROM kept") == 42
    await connection.close()


async def test_the_gateway_may_do_in_valkey_only_what_it_needs(valkey: Valkey) -> None:
    quiet = MaintNotificationsConfig(enabled=False)
    url = valkey.url
    async with AsyncRedis.from_url(url, protocol=3, maint_notifications_config=quiet) as client:
        await may_do_only_what_it_needs(client)


async def may_do_only_what_it_needs(client: AsyncRedis) -> None:
    assert await client.ping()
    assert await client.set("gw:1", b"a", px=60_000)
    assert await client.mget(["gw:1", "gw:2"]) == [b"a", None]
    script = await client.script_load("return redis.call('GET', KEYS[1])")
    assert await client.evalsha(script, 1, "gw:1") == b"a"
    assert await client.time()
    refused = [
        ("GET", "other"), ("DEL", "gw:1"), ("EXPIRE", "gw:1", 1), ("KEYS", "*"), ("SCAN", 0),
        ("EVAL", "return 1", 0), ("FLUSHALL",), ("CONFIG", "GET", "*"), ("ACL", "WHOAMI"),
        ("CLIENT", "LIST"), ("SCRIPT", "FLUSH"), ("DUMP", "gw:1"), ("SAVE",), ("SHUTDOWN",),
    ]  # fmt: skip
    for command in refused:
        with pytest.raises(NoPermissionError):
            await client.execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py


def test_valkey_killed_comes_back_empty_or_from_the_dump_a_test_saved(valkey: Valkey) -> None:
    with Redis.from_url(valkey.admin_url) as admin:
        admin.set("gw:old", 1)
    valkey.kill()
    valkey.start()
    with Redis.from_url(valkey.admin_url) as admin:
        assert admin.dbsize() == 0
        admin.set("gw:old", 1)
        admin.save()
    valkey.kill()
    valkey.start()
    with Redis.from_url(valkey.admin_url) as admin:
        assert admin.get("gw:old") == b"1"
    valkey.forget_dump()


def test_sockets_and_passwords_are_private(engines: Engines) -> None:
    places = engines.postgres.places
    assert places.sockets.stat().st_mode & 0o077 == 0
    secrets = list((engines.data / "secrets").iterdir())
    assert secrets
    assert all(secret.stat().st_mode & 0o077 == 0 for secret in secrets)


def test_a_folder_in_use_is_refused_in_plain_words(engines: Engines) -> None:
    with pytest.raises(PlaceRefused, match="in use by another process"):
        engines.postgres.places.lock()


def test_a_system_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(PlaceRefused, match="is not a folder of user"):
        open_folder(tmp_path / "link")
    assert open_folder(tmp_path / "made").stat().st_mode & 0o777 == 0o755


def test_a_socket_folder_that_somebody_prepared_is_refused(tmp_path: Path) -> None:
    places = Places.of(tmp_path)
    places.sockets.rmdir()
    places.sockets.symlink_to(tmp_path)
    with pytest.raises(PlaceRefused, match="not a private folder"):
        Places.of(tmp_path)
    places.sockets.unlink()
    places.remove()


def test_a_second_city_in_a_long_path_still_finds_short_sockets(tmp_path: Path) -> None:
    places = Places.of(tmp_path / ("长" * 60))
    assert len(os.fsencode(places.socket(".s.PGSQL.5432"))) <= 107
    places.remove()


def test_a_copy_of_the_programs_runs_for_the_engines_user(engines: Engines) -> None:
    # Used where the original is out of that user's reach, as in a clone under a 0700 folder.
    places = engines.postgres.places
    folder, parts, programs = postgres_install()
    copy = copied(folder, parts, places.folder("copies") / "program", places.account)
    assert runnable(copy / programs / "postgres", places.account)
    assert runnable(copy / programs / "initdb", places.account)
    assert copied(folder, parts, places.folder("copies") / "program", places.account) == copy


START_AND_WAIT = """
import sys, time
from pathlib import Path
from gateway.local.postgres import Postgres
from gateway.local.valkey import Valkey
data, system = (Path(word) for word in sys.argv[1:])
engines = [Postgres(data, system), Valkey(data, system)]
for engine in engines:
    engine.start()
print(*(engine.pid for engine in engines), flush=True)
time.sleep(60)
"""


def test_engines_die_with_a_killed_supervisor_and_start_again(engines: Engines) -> None:
    data = engines.data / "second"
    command = [sys.executable, "-c", START_AND_WAIT, str(data), str(engines.system)]
    supervisor = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    pids = [int(word) for word in supervisor.stdout.readline().split()]
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    assert len(pids) == 2
    assert gone(pids, within_seconds=5)
    postgres = Postgres(data, engines.system)
    postgres.start()
    postgres.stop()
    postgres.places.remove()


def gone(pids: list[int], within_seconds: float) -> bool:
    """Whether all processes end in time."""
    deadline = time.monotonic() + within_seconds
    while alive := [pid for pid in pids if living(pid)]:
        if time.monotonic() > deadline:
            for pid in alive:
                os.kill(pid, signal.SIGKILL)
            return False
        time.sleep(0.01)
    return True


def living(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_city_whose_folder_was_deleted_starts_afresh(engines: Engines, tmp_path: Path) -> None:
    """As root the cluster lies elsewhere and outlives the folder that held its passwords."""
    data = tmp_path / "city"
    for _ in range(2):
        postgres = Postgres(data, engines.system)
        try:
            postgres.start()
        finally:
            postgres.stop()
        shutil.rmtree(data)
