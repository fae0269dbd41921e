"""Under which conditions all of it was measured."""

from __future__ import annotations

from loadtest.result import Result
from loadtest.tables.words import Table, number


def conditions(result: Result) -> Table:
    """Under which it was measured."""
    known = result.conditions
    if known is None:
        return Table(("condition", ""), [])
    machine = known.machine
    rows = [
        ("machine", f"{machine.cores} cores of {machine.cpu}, {number(machine.memory_gib)} GiB"),
        ("kernel", machine.kernel),
        ("busy processes in the minute before", number(machine.load)),
        *known.versions.items(),
        *known.postgresql.items(),
        ("partitions of decisions", f"{known.partitions}, by month"),
        ("citizens", f"{known.citizens:,}, {known.consents} consents each, all in the cache"),
        ("workers", str(known.workers)),
        ("generator of closed loops", f"{known.generator}, one thread, on the same cores"),
        ("generator of open loops", "loadtest/open_loop.py, one process, on the same cores"),
        ("rounds", f"{known.rounds} of {known.seconds} s, contenders in turn"),
        *_connections(result),
    ]
    return Table(("condition", ""), rows)


def _connections(result: Result) -> list[tuple[str, str]]:
    made = result.sections
    told = []
    if made.pairs is not None:
        few = made.pairs.few_connections
        told.append(("connections, pairs", f"{made.pairs.connections}, fewer: {few}"))
    if made.peers is not None:
        told.append(("connections, peers", str(made.peers.connections)))
    if made.latency is not None:
        told.append(("connections, open loop", f"at most {made.latency.connections}"))
    return told
