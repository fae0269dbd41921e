"""A result as tables of words: the page and docs/performance.md show the same ones."""

from __future__ import annotations

from collections.abc import Callable

from loadtest.result import Result
from loadtest.tables import conditions, costs, goals, loads
from loadtest.tables.words import Table

#: Every table by its name.
TABLES: dict[str, Callable[[Result], Table]] = {
    "targets": goals.targets,
    "yardsticks": goals.yardsticks,
    "costs": costs.costs,
    "peers": costs.rivals,
    "latency": loads.runs,
    "stalls": loads.stalls,
    "causes": loads.causes,
    "stages": costs.stages,
    "authzen": costs.standard,
    "flat": costs.flat,
    "memory": costs.memory,
    "overload": loads.overload,
    "calls": costs.calls,
    "accounts": loads.accounts,
    "records": loads.records,
    "conditions": conditions.conditions,
}
