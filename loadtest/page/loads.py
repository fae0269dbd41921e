"""Plots of how answers come: latencies, stalls, offered loads, overload."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from loadtest.door import Load
from loadtest.page.bars import Bar, below, draw
from loadtest.page.look import DAY, figure, thousands
from loadtest.sections.latency import STALL_MS, Curve, Latency
from loadtest.sections.overload import Overload
from loadtest.tables.words import number

_TICKS = (0.5, 0.9, 0.99, 0.999)


def distribution(made: Latency) -> Figure:
    """Latency by percentile, each run a line, the middle one thick."""
    drawn, (axes,) = figure(3.1)
    places = [_nines(quantile) for quantile in made.quantiles if quantile < 1]
    for run in made.runs:
        axes.plot(places, run.latency_ms[: len(places)], color=DAY["rival"], linewidth=0.9)
    middle = [
        statistics.median(each) for each in zip(*(r.latency_ms for r in made.runs), strict=True)
    ]
    axes.plot(places, middle[: len(places)], color=DAY["workers"], linewidth=2.2)
    axes.axhline(STALL_MS, color=DAY["bad"], linewidth=1)
    handles = [
        *axes.plot([], [], color=DAY["workers"], linewidth=2.2, label="middle of the runs"),
        *axes.plot([], [], color=DAY["rival"], linewidth=0.9, label="each run"),
        *axes.plot([], [], color=DAY["bad"], linewidth=1, label=f"{STALL_MS:.0f} ms"),
    ]
    below(axes, handles)
    _milliseconds(axes)
    axes.set_xticks([_nines(each) for each in _TICKS], [f"{each * 100:g}" for each in _TICKS])
    axes.set_xlim(_nines(0.05), _nines(0.9999))
    axes.set_xlabel("requests answered by then (%)")
    axes.set_title(f"Latency at {number(made.peak / 2)} requests/s, open loop")
    return drawn


def stalls(made: Latency) -> Figure:
    """Stalls over 50 ms, by cause."""
    every = [stall for run in made.runs for stall in run.stalls]
    causes = Counter(stall.cause for stall in every)
    longest = {
        cause: max(stall.longest_ms for stall in every if stall.cause == cause) for cause in causes
    }
    bars = [
        Bar(
            name=cause,
            parts=(count,),
            says=f"{count}, longest {number(longest[cause])} ms",
            colour="bad" if cause == "unexplained" else "workers",
        )
        for cause, count in causes.most_common()
    ]
    drawn, (axes,) = figure(1.15 + 0.34 * max(len(bars), 1))
    draw(
        axes,
        bars or [Bar(name="none", parts=(0,), says="no answer took longer")],
        label="stalls in all runs (number)",
        room=2,
    )
    if not bars:
        axes.set_xticks([])
    axes.set_title("Answers over 50 ms, by cause")
    return drawn


def offered(made: Latency) -> Figure:
    """What is answered of what is offered, and how long that takes."""
    drawn, (rates, times) = figure(4.4, (1, 1))
    curve = sorted(made.curve, key=lambda each: each.offered)
    x = [each.offered for each in curve]
    top = max(x, default=1) * 1.06
    rates.plot([0, top], [0, top], color=DAY["rule"], linewidth=1.2)
    _line(rates, curve, lambda each: each.answered, "workers", "answered")
    rates.axvline(made.peak, color=DAY["second"], linewidth=1)
    for axis in (rates.xaxis, rates.yaxis, times.xaxis):
        thousands(axis)
    rates.set_ylabel("answered (1/s)")
    rates.set_xlim(0, top)
    rates.set_ylim(0, top)
    rates.set_title("Rate against offered load, open loop")
    p50 = _line(times, curve, lambda each: each.p50_ms, "workers", "p50")
    p99 = _line(times, curve, lambda each: each.p99_ms, "valkey", "p99")
    times.axvline(made.peak, color=DAY["second"], linewidth=1)
    _milliseconds(times)
    times.set_xlim(0, top)
    times.set_xlabel("offered (requests per second)")
    peak = times.plot([], [], color=DAY["second"], linewidth=1, label="closed loop's peak")
    below(times, [*p50, *p99, *peak])
    return drawn


def overload(made: Overload) -> Figure:
    """Goodput and latencies below, at twice and at ten times what is let in."""
    drawn, (rates, times) = figure(4.6, (1, 1))
    by_multiple = list(zip(*made.rounds, strict=True))
    x = range(len(by_multiple))
    names = [f"{loads[0].multiple:g}×" for loads in by_multiple]
    accepted = [_middle(loads, lambda one: one.accepted) for loads in by_multiple]
    rates.bar(x, accepted, width=0.55, color=DAY["workers"])
    for place, (loads, rate) in enumerate(zip(by_multiple, accepted, strict=True)):
        share = _middle(loads, lambda one: one.goodput)
        rates.text(
            *(place, rate * 0.96, f"{share:.0%}"),
            ha="center",
            va="top",
            color=DAY["paper"],
            fontweight="bold",
        )
    rates.axhline(made.admission_per_s, color=DAY["bad"], linewidth=1)
    rates.set_ylim(0, made.admission_per_s * 1.25)
    rates.set_xticks(list(x), names)
    rates.set_ylabel("answered (1/s)")
    rates.set_title(f"Overload of a door for {made.admission_per_s} a second")
    waits = [
        _waits(times, by_multiple, lambda one: one.accepted_p99_ms, "o-", "workers", "accepted"),
        _waits(times, by_multiple, lambda one: one.refused_p99_ms, "s-", "valkey", "refused"),
        _waits(
            times, by_multiple, lambda one: one.withdrawal_p99_ms, "^-", "postgres", "withdrawn"
        ),
    ]
    _milliseconds(times)
    times.set_xticks(list(x), names)
    times.set_xlim(*rates.get_xlim())
    times.set_xlabel("offered, in multiples of what is let in (×)")
    limit = rates.plot([], [], color=DAY["bad"], linewidth=1, label="let in")
    times.set_ylabel("p99 (ms)")
    below(times, [*limit, *waits], columns=4)
    return drawn


def _waits(
    axes: Any,
    by_multiple: Sequence[Sequence[Load]],
    part: Callable[[Load], float],
    marker: str,
    colour: str,
    label: str,
) -> Any:
    """Medians by multiple; where nobody waited for that, there is no point."""
    known = [(place, _middle(loads, part)) for place, loads in enumerate(by_multiple)]
    known = [(place, took_ms) for place, took_ms in known if took_ms]
    x, y = [place for place, _ in known], [took_ms for _, took_ms in known]
    return axes.plot(x, y, marker, color=DAY[colour], label=label)[0]


def _line(
    axes: Any, curve: Sequence[Curve], part: Callable[[Curve], float], colour: str, label: str
) -> list[Any]:
    """Points with a line; hollow where the generator could not offer what was wanted."""
    x, y = [each.offered for each in curve], [part(each) for each in curve]
    drawn = axes.plot(x, y, "o-", color=DAY[colour], label=label, markersize=4)
    hollow = [place for place, each in enumerate(curve) if each.faults]
    axes.plot(
        [x[place] for place in hollow],
        [y[place] for place in hollow],
        "o",
        color=DAY[colour],
        markerfacecolor=DAY["paper"],
        markersize=4,
    )
    return list(drawn)


def _milliseconds(axes: Any) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_minor_locator(NullLocator())
    thousands(axes.yaxis)
    axes.set_ylabel("latency (ms)")


def _nines(quantile: float) -> float:
    """Evenly spaced by nines."""
    return -math.log10(1 - quantile)


def _middle(loads: Sequence[Load], part: Callable[[Load], float]) -> float:
    return statistics.median(map(part, loads))
