"""All targets in one picture: how far is each figure from its bound?"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from loadtest.page.bars import below
from loadtest.page.look import DAY, figure
from loadtest.targets import Target

#: Beyond this a figure is shown at the edge.
FAR = 5.0

_COLOURS = {"yes": "good", "no": "bad"}


def distances(targets: Sequence[Target]) -> Figure:
    """A point for each target that is measured; left of the line is met."""
    shown = [each for each in targets if each.figure is not None]
    drawn, (axes,) = figure(1.1 + 0.2 * max(len(shown), 3))
    axes.axvline(1, color=DAY["ink"], linewidth=1)
    axes.set_xscale("log")
    for place, each in enumerate(shown):
        at = distance(each)
        axes.plot([1, at], [place, place], color=DAY[_COLOURS[each.met]], linewidth=1.4)
        axes.plot(at, place, "o", color=DAY[_COLOURS[each.met]], markersize=5)
    axes.set_yticks(range(len(shown)), [f"{each.id} {each.short}" for each in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlim(1 / FAR / 1.15, FAR * 1.15)
    ticks = (0.2, 0.5, 1, 2, 5)
    axes.set_xticks(ticks, ["≤ ⅕", "½", "bound", "2", "≥ 5"])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("figure, in multiples of its bound (×)")
    axes.set_title("Targets: left is met")
    handles = [
        *axes.plot([], [], "o", color=DAY["good"], label="met"),
        *axes.plot([], [], "o", color=DAY["bad"], label="not met"),
    ]
    below(axes, handles)
    return drawn


def distance(target: Target) -> float:
    """The figure over its bound; the other way round where more is better. At most FAR."""
    bound = target.wanted if target.wanted is not None else target.reached_for
    assert target.figure is not None, "shown only if it is measured"
    assert bound is not None, "every target has one"
    over, under = (target.figure, bound) if target.at_most else (bound, target.figure)
    if over == under:
        return 1.0
    if not under:
        return FAR
    return min(max(over / under, 1 / FAR), FAR)
