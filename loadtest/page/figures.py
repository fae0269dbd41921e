"""Every plot with the section that it shows and the words below it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from matplotlib.figure import Figure

from loadtest.page import costs, goals, loads
from loadtest.page.look import styled, svg
from loadtest.result import Result


class Plot(msgspec.Struct, frozen=True):
    """A plot of a section; `words` say what it shows and how to read it."""

    name: str
    section: str
    draw: Callable[[Any], Figure]
    words: str


PLOTS = (
    Plot(
        "targets",
        "targets",
        goals.distances,
        "Each target's figure in multiples of its bound, turned round where more is better:"
        " left of the line is met. The table has the words to the numbers.",
    ),
    Plot(
        "cost",
        "pairs",
        costs.cost,
        "A decision beside what server and framework charge for nothing. Medians of paired rounds;"
        " the thin line spans the rounds. To the right the sum, and the rate with everything on"
        " the same cores.",
    ),
    Plot(
        "peers",
        "peers",
        costs.rivals,
        "Decisions a second with everything, the generator too, on the same cores; every stroke is"
        " a round. Cerbos gets all attributes sent in and syncs no log to disk; the conventional"
        " service commits one row for each answer.",
    ),
    Plot(
        "latency",
        "latency",
        loads.distribution,
        "Time from the scheduled moment of sending to the whole answer. Both axes are logarithmic:"
        " each step to the right is ten times rarer.",
    ),
    Plot(
        "stalls",
        "latency",
        loads.stalls,
        "Slow answers that overlap in time are one stall. Its cause is the most direct evidence"
        " that covers enough of it.",
    ),
    Plot(
        "offered",
        "latency",
        loads.offered,
        "Above: what is answered while it is offered; on the grey line everything is. Below: how"
        " long that takes. A hollow point is one that the generator could not offer in full.",
    ),
    Plot(
        "stages",
        "stages",
        costs.stages,
        "From the socket to the answer. Every stage is measured alone over real inputs; the rest is"
        " what they do not account for: tasks, futures, caches gone cold.",
    ),
    Plot(
        "flat",
        "flat",
        costs.flat,
        "The same decision in small and in big, in paired rounds. To the right: the bigger over the"
        " smaller, and what was wanted.",
    ),
    Plot(
        "memory",
        "memory",
        costs.memory,
        "Body, stored value, entry with its key, and the growth of all of Valkey's memory.",
    ),
    Plot(
        "overload",
        "overload",
        loads.overload,
        "Above: answers a second, and their share of what is let in. Below: how long those wait who"
        " are let in, who are refused, and who withdraw meanwhile, after the half second in which"
        " the door finds out.",
    ),
    Plot(
        "authzen",
        "authzen",
        costs.standard,
        "A decision alone, one of a hundred in a request, and a search over many scenarios.",
    ),
    Plot(
        "calls",
        "calls",
        costs.others,
        "What a citizen does costs signatures, sessions and a standing rebuilt under a lock.",
    ),
)


def drawn(result: Result) -> Iterator[tuple[Plot, Figure]]:
    """Every plot whose section was measured."""
    with styled():
        for plot in PLOTS:
            made = shown(result, plot)
            if made:
                yield plot, plot.draw(made)


def shown(result: Result, plot: Plot) -> Any:
    """What a plot draws; None where it was not measured."""
    if plot.section == "targets":
        return result.targets
    return getattr(result.sections, plot.section)


def pictures(result: Result) -> dict[str, str]:
    """Every plot as SVG, by its name."""
    return {
        plot.name: svg(figure, figure.axes[0].get_title(loc="left"), plot.words)
        for plot, figure in drawn(result)
    }
