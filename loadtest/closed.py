"""A closed loop for some seconds: who is asked, what came back, and what it cost."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import msgspec

from gateway.clock import SystemClock
from gateway.ids import SystemIds
from loadtest import wrk
from loadtest.generator import Plan
from loadtest.options import Options
from loadtest.serving import Cost, Progress, Recorded, Spread

#: How long the questions under way at the end of a load may take.
SETTLE_S = 0.2


class Ledger(Protocol):
    """Where a contender that records its answers keeps them."""

    def recorded(self, first: UUID) -> Recorded:
        """The rows whose id is this or a later one."""
        ...


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One contender for some seconds: cost of an answer, and how the answers came.

    `wrong` counts everything but a 200. `batch` is rows of one statement, `recorded` the rows
    made meanwhile; both are 0 where nothing is recorded in the gateway's database.
    """

    answers: int
    wrong: int
    per_second: float
    p50_ms: float
    p99_ms: float
    cost: Cost
    batch: float = 0
    recorded: int = 0


class Contender(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asked. Its plan is made anew for every round, since tokens do not last."""

    name: str
    plan: Callable[[], Plan]
    spent: Callable[[], dict[str, float]]
    """CPU seconds so far: of `server`, and of `postgres` and `valkey` where it uses them."""
    ledger: Ledger | None = None

    def round(self, seconds: float) -> Round:
        """Keep it busy and divide what that cost by the answers."""
        plan = msgspec.structs.replace(self.plan(), seconds=float(seconds))
        first = fresh_id()
        before = self.spent()
        came = generate(plan)
        after = self.spent()
        recorded = self.ledger.recorded(first) if self.ledger else Recorded(0, 0)
        answers = came["answers"]
        each = {part: (after[part] - before[part]) / max(answers, 1) * 1e6 for part in after}
        return Round(
            answers=answers,
            wrong=answers - came["statuses"].get(200, 0),
            per_second=came["per_second"],
            p50_ms=came["p50_ms"],
            p99_ms=came["p99_ms"],
            cost=Cost(each["server"], each.get("postgres", 0.0), each.get("valkey", 0.0)),
            batch=recorded.batch,
            recorded=recorded.rows,
        )


def fresh_id() -> UUID:
    """An id later than those of all that was under way when the last load was cut off."""
    time.sleep(SETTLE_S)
    return SystemIds().uuid7(SystemClock().now_us())


def alternate(
    contenders: Sequence[Contender], options: Options, progress: Progress
) -> dict[str, list[Round]]:
    """Ask all in turn, again and again, so that what befalls the machine befalls everybody."""
    made: dict[str, list[Round]] = {each.name: [] for each in contenders}
    for each in contenders if options.warm else ():
        progress(f"warming up {each.name}")
        each.round(1)
    for number in range(options.rounds):
        for each in contenders:
            progress(f"round {number + 1} of {options.rounds}: {each.name}")
            made[each.name].append(each.round(options.seconds))
    return made


def ratios(over: Sequence[Round], under: Sequence[Round], part: Callable[[Round], float]) -> Spread:
    """One over the other, pair by pair."""
    pairs = zip(over, under, strict=True)
    return Spread.of(part(one) / max(part(other), 1e-9) for one, other in pairs)


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
