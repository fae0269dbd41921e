"""What a citizen with three consents takes of the cache."""

from __future__ import annotations

from loadtest import population
from loadtest.options import Options
from loadtest.population import Report
from loadtest.serving import Progress
from loadtest.town import CONSENTS


def measure(options: Options, progress: Progress) -> Report:
    """Settle, warm and weigh."""
    return population.measure(options.weighed, CONSENTS, progress)
