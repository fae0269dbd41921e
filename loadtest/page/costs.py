"""Plots of what things cost."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from matplotlib.figure import Figure

from loadtest import calls, population
from loadtest.closed import Round
from loadtest.page.bars import ENGINE_NAMES, Bar, below, draw, of_cost
from loadtest.page.look import DAY, figure
from loadtest.sections.authzen import BATCH, AuthZen
from loadtest.sections.flat import Flat
from loadtest.sections.pairs import Pairs
from loadtest.sections.peers import OURS, Peers
from loadtest.serving import Cost
from loadtest.sides import Round as SideRound
from loadtest.stages import Profile
from loadtest.tables.words import number

CPU = "CPU of one request (µs)"

#: What a comparison grows by, in a word.
_GROWS = {
    "citizens": "citizens",
    "scenarios": "scenarios, all asked about",
    "compiled": "scenarios, five asked about",
    "consents": "consents of each citizen",
}
#: What the cache may take for a citizen, in bytes.
CITIZEN_BYTES = 250


def cost(made: Pairs) -> Figure:
    """What every contender of the pairs costs, workers and engines apart."""
    bars = [_of_rounds(_short(name), rounds) for name, rounds in made.rounds.items()]
    drawn, (axes,) = figure(0.9 + 0.34 * len(bars))
    draw(axes, bars, label=CPU, names=ENGINE_NAMES)
    axes.set_title("CPU of one request")
    return drawn


def rivals(made: Peers) -> Figure:
    """Decisions a second, ours and others', each round a dot."""
    drawn, plots = figure(0.7 + 1.35 * len(made.rounds), [1] * len(made.rounds))
    for axes, (distribution, by_name) in zip(plots, made.rounds.items(), strict=True):
        ours = _rate(by_name[OURS])
        bars = []
        for name, rounds in by_name.items():
            rate = _rate(rounds)
            less = "" if name == OURS else f" (ours: {number(ours / rate)}×)"
            colour = "workers" if name == OURS else "rival"
            bars.append(Bar(name=name, parts=(rate,), says=f"{number(rate)}{less}", colour=colour))
        draw(axes, bars, label="decisions (per second)", room=1.35)
        for place, rounds in enumerate(by_name.values()):
            each = [one.per_second for one in rounds]
            axes.plot(each, [place] * len(each), "|", color=DAY["ink"], markersize=9)
        axes.set_title(f"Decisions a second, subjects {distribution}")
    return drawn


def stages(made: Profile) -> Figure:
    """One decision from the socket to the answer."""
    known = [*((stage.name, stage.us) for stage in made.stages), ("rest", made.rest_us)]
    bars = [
        Bar(
            name=name,
            parts=(max(us, 0.0),),
            says=f"{number(us)} µs · {us / made.total_us:.0%}",
            colour="rival" if name == "rest" else "workers",
        )
        for name, us in known
    ]
    drawn, (axes,) = figure(0.7 + 0.31 * len(bars))
    draw(axes, bars, label="workers' CPU of one decision (µs)")
    axes.set_title(f"One decision by stage, {number(made.total_us)} µs in all")
    return drawn


def flat(made: Flat) -> Figure:
    """The small and the big side of each comparison."""
    bars = []
    for each in made.comparisons:
        bars.append(_side(_first(each.small), each.small_rounds, ""))
        ratio = f"{number(each.summed.middle)}× (≤ {number(each.target)}×)"
        bars.append(_side(_first(each.big), each.big_rounds, ratio))
    drawn, plots = figure(0.7 + 1.02 * len(made.comparisons), [1] * max(len(made.comparisons), 1))
    longest = max(sum(bar.parts) for bar in bars)
    for place, (axes, each) in enumerate(zip(plots, made.comparisons, strict=True)):
        names = ENGINE_NAMES if not place else ()
        last = each is made.comparisons[-1]
        draw(axes, bars[2 * place : 2 * place + 2], label=CPU if last else "(µs)", names=names)
        axes.set_xlim(0, longest * 1.45)
        axes.set_title(f"Cost by {_GROWS[each.name]}")
    return drawn


def standard(made: AuthZen) -> Figure:
    """AuthZEN's requests, a batch's by the item."""
    bars = []
    for name, rounds in made.rounds.items():
        items = made.items if name == BATCH else 1
        says = {BATCH: f"one of {made.items}", "search": f"of {made.searched} scenarios"}
        bars.append(_of_rounds(name, rounds, items, says.get(name, "")))
    drawn, (axes,) = figure(1.0 + 0.36 * len(bars))
    draw(axes, bars, label="CPU of one decision, or search (µs)", names=ENGINE_NAMES, room=1.75)
    axes.set_title("AuthZEN: batches and searches")
    return drawn


def others(made: calls.Report) -> Figure:
    """The calls that are not decisions, with their p99."""
    bars = [
        of_cost(line.name, line.cost, f"{number(line.cost.summed)} µs, p99 {line.p99_ms:.0f} ms")
        for line in made.lines
    ]
    drawn, (axes,) = figure(0.9 + 0.36 * len(bars))
    draw(axes, bars, label="CPU of one call (µs)", names=ENGINE_NAMES, room=1.75)
    axes.set_title("The other calls")
    return drawn


def memory(made: population.Report) -> Figure:
    """What a citizen takes of the cache."""
    known = made.memory
    figures = (
        ("body", known.body),
        ("value", known.value),
        ("entry", known.entry),
        ("all memory", known.grown),
    )
    bars = [Bar(name=name, parts=(each,), says=f"{number(each)} bytes") for name, each in figures]
    drawn, (axes,) = figure(2.4)
    draw(axes, bars, label="memory for one citizen (bytes)", room=1.3, inside=True)
    axes.axvline(CITIZEN_BYTES, color=DAY["bad"], linewidth=1)
    line = axes.plot([], [], color=DAY["bad"], linewidth=1, label=f"wanted: {CITIZEN_BYTES}")
    below(axes, line)
    axes.set_title(f"The cache for {known.consents} consents")
    return drawn


def _of_rounds(name: str, rounds: Sequence[Round], items: int = 1, says: str = "") -> Bar:
    parts = [
        statistics.median(part(one.cost) for one in rounds) / items
        for part in (lambda c: c.workers, lambda c: c.postgres, lambda c: c.valkey)
    ]
    summed = [one.cost.summed / items for one in rounds]
    told = f"{number(sum(parts))} µs, {says or number(_rate(rounds)) + '/s'}"
    return of_cost(name, Cost(*parts), told, (min(summed), max(summed)))


def _side(name: str, rounds: Sequence[SideRound], says: str) -> Bar:
    parts = [
        statistics.median(part(one.cost) for one in rounds)
        for part in (lambda c: c.workers, lambda c: c.postgres, lambda c: c.valkey)
    ]
    summed = [one.cost.summed for one in rounds]
    return of_cost(name, Cost(*parts), says, (min(summed), max(summed)))


def _rate(rounds: Sequence[Round]) -> float:
    return statistics.median(one.per_second for one in rounds)


def _first(says: str) -> str:
    """The number that a side is about."""
    return says.partition(" ")[0]


def _short(name: str) -> str:
    return name.replace("fewer connections", "fewer conn.")
