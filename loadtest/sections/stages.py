"""One decision by stage, from the socket to the answer."""

from __future__ import annotations

from loadtest import stages
from loadtest.options import Options
from loadtest.serving import Progress
from loadtest.stages import Profile


def measure(options: Options, progress: Progress) -> Profile:
    """The whole under load, then every stage by itself."""
    asked = stages.Options(
        rounds=options.rounds,
        seconds=options.seconds,
        connections=options.few_connections,
        workers=options.workers,
        citizens=options.citizens,
        sample=options.sample,
    )
    return stages.measure(asked, progress)
