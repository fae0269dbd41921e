"""The calls that are not decisions, each with its cost, its p99 and its books."""

from __future__ import annotations

from loadtest import calls
from loadtest.calls import Report
from loadtest.options import Options
from loadtest.serving import Progress


def measure(options: Options, progress: Progress) -> Report:
    """Every kind of call that the gateway has."""
    asked = calls.Options(calls=options.calls, rounds=options.rounds, workers=options.workers)
    return calls.measure(asked, progress)
