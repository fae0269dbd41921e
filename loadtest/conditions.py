"""Under which conditions a session was measured: machine, versions, engines. No names of places."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import requires, version
from pathlib import Path

import msgspec

from gateway.local.running import RunningCity
from loadtest import wrk
from loadtest.options import Options
from loadtest.peers.cerbos import binary
from loadtest.serving import owner_of
from loadtest.town import CONSENTS

#: What the gateway has been served by; the one that it depends on is the one in use.
SERVERS = ("granian", "uvicorn")

_GIB = 1 << 30
#: What PostgreSQL is asked about itself.
_SETTINGS = ("shared_buffers", "synchronous_commit", "fsync", "max_wal_size", "checkpoint_timeout")


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What it ran on. `load` is the mean number of busy processes in the minute before."""

    cpu: str
    cores: int
    memory_gib: float
    kernel: str
    load: float


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same for all sections; what differs stands in each of them."""

    machine: Machine
    versions: dict[str, str]
    postgresql: dict[str, str]
    partitions: int
    """Of the decisions' table, a month each and one for the rest."""
    citizens: int
    consents: int
    workers: int
    generator: str
    rounds: int
    seconds: int


def machine() -> Machine:
    """This machine, as its kernel tells it."""
    found = re.search(r"^model name\s*: (.+)$", _read("/proc/cpuinfo"), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(
        cpu=found[1].strip() if found else platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(memory / _GIB, 1),
        kernel=f"{platform.system()} {platform.release().partition('-')[0]}",
        load=round(os.getloadavg()[0], 2),
    )


def server() -> str:
    """The server in use, and its version."""
    needed = {re.split(r"[^\w-]", line)[0] for line in requires("qianjiang-gateway") or ()}
    name = next(each for each in SERVERS if each in needed)
    return f"{name} {version(name)}"


async def conditions(running: RunningCity, options: Options, before: Machine) -> Conditions:
    """The conditions of a session, the engines asked in a city like those of the session."""
    async with owner_of(running) as owner:
        postgresql = {name: str(await owner.fetchval(f"SHOW {name}")) for name in _SETTINGS}
        told = str(await owner.fetchval("SHOW server_version"))
        query = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'decision'::regclass"
        partitions = int(await owner.fetchval(query))
    return Conditions(
        machine=before,
        versions={
            "server": server(),
            "Python": platform.python_version(),
            "PostgreSQL": told.partition(" ")[0],
            "Valkey": _valkey(running),
            **{name: version(name) for name in ("litestar", "msgspec", "asyncpg", "redis")},
            **_peers(),
        },
        postgresql=postgresql,
        partitions=partitions,
        citizens=options.citizens,
        consents=CONSENTS,
        workers=options.workers,
        generator=generator(),
        rounds=options.rounds,
        seconds=options.seconds,
    )


def generator() -> str:
    """What offers the load of a closed loop."""
    if not wrk.installed():
        return "loadtest/generator.py"
    told = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False, timeout=10)
    found = re.search(r"wrk \D*([\d.]+)", told.stdout + told.stderr)
    return f"wrk {found[1]}" if found else "wrk"


def _valkey(running: RunningCity) -> str:
    from redis import Redis

    with Redis.from_url(running.engines.valkey.admin_url) as client:
        told: dict[str, str] = client.info("server")
        return told.get("valkey_version", told["redis_version"])


def _peers() -> dict[str, str]:
    found = {"Cerbos": binary.VERSION}
    for name in ("fastapi", "sqlalchemy", "uvicorn"):
        try:
            found[name] = version(name)
        except ModuleNotFoundError:  # the conventional service is left out then
            continue
    return found


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
