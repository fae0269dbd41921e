"""What a complete decision costs, beside a framework's hello, in one run.

Paired rounds: hello, decisions, hello, decisions, … on the same machine, server and flags. CPU is
read from /proc for the workers, PostgreSQL and Valkey apart. A last, short round with our own
generator keeps every answered id and looks each one up: exactly one row, and the rows beyond the
answers are explained. Ratios inside the run mean something; absolute figures are this machine's.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from gateway import server
from gateway.clock import SystemClock
from gateway.ids import SystemIds
from gateway.local.processes import answers, free_ports
from gateway.local.running import GATEWAY_HOST, IDENTITY_HOST, RunningCity
from gateway.settings import as_environment
from loadtest import cpu, merchant, wrk
from loadtest.generator import Plan


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How much to measure."""

    rounds: int = 5
    seconds: float = 5
    connections: int = 128
    workers: int = 2
    citizens: int = 10_000


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of request for some seconds. CPU in microseconds a request."""

    answers: int
    per_second: float
    p50_ms: float
    p99_ms: float
    workers_us: float
    postgres_us: float
    valkey_us: float
    batch: float
    statuses: dict[int, int]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The run: paired rounds, and the book-keeping of the last one."""

    options: Options
    generator: str
    hello: list[Round]
    decision: list[Round]
    answered: int
    recorded_once: int
    beyond: dict[str, int]

    def ratios(self) -> list[float]:
        """Workers' CPU of a decision over that of a hello, pair by pair."""
        pairs = zip(self.decision, self.hello, strict=True)
        return [decision.workers_us / hello.workers_us for decision, hello in pairs]


def measure(options: Options, data: Path, progress: Callable[[str], None]) -> Report:
    """Bring a city up, people it, and measure."""
    ports = free_ports([GATEWAY_HOST, GATEWAY_HOST, IDENTITY_HOST])
    running = RunningCity(
        data, port=ports[0], identity_port=ports[2], workers=options.workers, progress=progress
    )
    with running:
        progress(f"settling {options.citizens} citizens")
        plan = asyncio.run(merchant.settled(running, options.citizens, ports[0]))
        plan = msgspec.structs.replace(
            plan, connections=options.connections, seconds=options.seconds
        )
        assert running.processes is not None
        bench = _Bench(running, options, ports)
        bench.start()
        # A gateway that has been up for an hour has its citizens in the cache: so has this one.
        progress("warming the cache")
        bench.round("gateway", plan)
        hello, decision = [], []
        for number in range(options.rounds):
            progress(f"round {number + 1} of {options.rounds}: hello")
            hello.append(bench.round("hello", _hello(options, ports[1])))
            progress(f"round {number + 1} of {options.rounds}: decisions")
            decision.append(bench.round("gateway", plan))
        progress("every answered id has one row?")
        books = asyncio.run(_books(running, plan))
    running.engines.places.remove()  # as root the engines' files lie outside the data folder
    return Report(
        options=options,
        generator="wrk" if wrk.installed() else "own",
        hello=hello,
        decision=decision,
        **books,
    )


class _Bench:
    """The two servers and the clocks of their processes."""

    def __init__(self, running: RunningCity, options: Options, ports: list[int]) -> None:
        self._running, self._options, self._ports = running, options, ports
        self._roots: dict[str, int] = {}

    def start(self) -> None:
        """Start the gateway and the yardstick with the same flags."""
        root = str(Path(__file__).parent.parent)
        environment = {**as_environment(self._running.settings), "PYTHONPATH": root}
        apps = {"gateway": "gateway.app:create_app", "hello": "loadtest.baseline:create_app"}
        for (name, app), port in zip(apps.items(), self._ports, strict=False):
            assert self._running.processes is not None
            child = self._running.processes.start(
                name,
                server.command(GATEWAY_HOST, port, self._options.workers, app),
                environment=environment,
                ready=answers(GATEWAY_HOST, port, "/readyz"),
            )
            self._roots[name] = child.pid

    def round(self, name: str, plan: Plan) -> Round:
        """Load one of them and divide what it cost by the answers."""
        before, commits = self._spent(name), asyncio.run(self._commits())
        result = generate(plan)
        after, done = self._spent(name), asyncio.run(self._commits())
        count = max(result["answers"], 1)
        workers, postgres, valkey = (
            (late - early) / count * 1e6 for late, early in zip(after, before, strict=True)
        )
        return Round(
            answers=result["answers"],
            per_second=result["per_second"],
            p50_ms=result["p50_ms"],
            p99_ms=result["p99_ms"],
            workers_us=workers,
            postgres_us=postgres,
            valkey_us=valkey,
            batch=count / max(done - commits, 1) if plan.subjects else 0,
            statuses=result["statuses"],
        )

    def _spent(self, name: str) -> tuple[float, float, float]:
        engines = self._running.engines
        return (
            cpu.seconds(cpu.tree(self._roots[name])),
            cpu.seconds(cpu.tree(engines.postgres.pid)),
            cpu.seconds([engines.valkey.pid]),
        )

    async def _commits(self) -> int:
        connection = await asyncpg.connect(self._running.engines.owner_url)
        try:
            await connection.execute("SELECT pg_stat_clear_snapshot()")
            return int(
                await connection.fetchval(
                    "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
                )
            )
        finally:
            await connection.close(timeout=5)


def generate(plan: Plan, *, own: bool = False) -> dict[str, Any]:
    """Run the load: wrk where it is installed, our own generator elsewhere or where asked."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if wrk.installed() and not own:
            return wrk.run(plan, folder)
        (folder / "plan").write_bytes(msgspec.json.encode(plan))
        subprocess.run(
            [sys.executable, "-m", "loadtest.generator", folder / "plan", folder / "result"],
            cwd=Path(__file__).parent.parent,
            timeout=plan.seconds + 60,
            check=True,
        )
        result: dict[str, Any] = msgspec.json.decode((folder / "result").read_bytes())
        result["statuses"] = {int(key): count for key, count in result["statuses"].items()}
        return result


def _hello(options: Options, port: int) -> Plan:
    return Plan(
        host=GATEWAY_HOST,
        port=port,
        path="/readyz",
        connections=options.connections,
        seconds=options.seconds,
    )


async def _books(running: RunningCity, plan: Plan) -> dict[str, Any]:
    """A short round in which every id counts."""
    first = SystemIds().uuid7(SystemClock().now_us())
    short = msgspec.structs.replace(plan, seconds=2.0)
    result = await asyncio.to_thread(generate, short, own=True)
    connection = await asyncpg.connect(running.engines.owner_url)
    try:
        rows = await connection.fetch("SELECT id FROM decision WHERE id >= $1", first)
    finally:
        await connection.close(timeout=5)
    recorded = [str(row["id"]) for row in rows]
    answered = set(result["ids"])
    failed = sum(count for status, count in result["statuses"].items() if status != 200)
    beyond = len(set(recorded) - answered)
    return {
        "answered": len(result["ids"]),
        "recorded_once": sum(recorded.count(name) == 1 for name in answered)
        if len(recorded) != len(set(recorded))
        else len(answered & set(recorded)),
        "beyond": {"answers that were errors": failed, "rows without an answer read": beyond},
    }


def describe(report: Report) -> dict[str, float]:
    """Medians worth a headline."""
    middle = statistics.median
    return {
        "decisions/s": middle(r.per_second for r in report.decision),
        "hello/s": middle(r.per_second for r in report.hello),
        "workers µs": middle(r.workers_us for r in report.decision),
        "PostgreSQL µs": middle(r.postgres_us for r in report.decision),
        "Valkey µs": middle(r.valkey_us for r in report.decision),
        "hello µs": middle(r.workers_us for r in report.hello),
        "p50 ms": middle(r.p50_ms for r in report.decision),
        "p99 ms": middle(r.p99_ms for r in report.decision),
        "batch": middle(r.batch for r in report.decision),
        "ratio": middle(report.ratios()),
    }
