"""Horizontal bars, each with its name, its parts and a word at its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from matplotlib.patches import Patch

from loadtest.page.look import DAY, thousands
from loadtest.serving import Cost

#: How much longer than the longest bar the plot is, for the words at the ends.
ROOM = 1.5

ENGINES = ("workers", "postgres", "valkey")
ENGINE_NAMES = ("workers", "PostgreSQL", "Valkey")


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A bar: parts from left to right, the ends of its rounds where it has some."""

    name: str
    parts: Sequence[float]
    says: str = ""
    least: float | None = None
    greatest: float | None = None
    colour: str = ""


def of_cost(name: str, cost: Cost, says: str = "", ends: tuple[float, float] | None = None) -> Bar:
    """A bar of workers and engines."""
    least, greatest = ends or (None, None)
    parts = (cost.workers, cost.postgres, cost.valkey)
    return Bar(name=name, parts=parts, says=says, least=least, greatest=greatest)


def draw(
    axes: Any,
    bars: Sequence[Bar],
    *,
    label: str,
    colours: Sequence[str] = ENGINES,
    names: Sequence[str] = (),
    room: float = ROOM,
    inside: bool = False,
) -> None:
    """Draw bars from the top down; `names` are those of the parts, for a legend.

    The words are at the ends of the bars, or `inside` at their beginnings.
    """
    longest = max((max(sum(bar.parts), bar.greatest or 0) for bar in bars), default=0) or 1
    for place, bar in enumerate(bars):
        left = 0.0
        for part, colour in zip(bar.parts, colours, strict=False):
            axes.barh(place, part, left=left, height=0.62, color=DAY[bar.colour or colour])
            left += part
        end = left
        if bar.least is not None and bar.greatest is not None and bar.greatest > bar.least:
            axes.plot([bar.least, bar.greatest], [place, place], color=DAY["ink"], linewidth=1)
            end = max(left, bar.greatest)
        at = longest * 0.025 if inside else end + longest * 0.025
        colour = DAY["paper" if inside else "ink"]
        axes.text(at, place, bar.says, va="center", fontsize=8.5, color=colour)
    axes.set_yticks(range(len(bars)), [bar.name for bar in bars])
    axes.set_ylim(len(bars) - 0.5, -0.6)
    axes.set_xlim(0, longest * room)
    thousands(axes.xaxis)
    axes.set_xlabel(label)
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    if names:
        legend(axes, list(zip(names, colours, strict=False)))


def legend(axes: Any, entries: Sequence[tuple[str, str]], columns: int = 3) -> None:
    """What the colours mean, below the plot."""
    handles = [Patch(color=DAY[colour], label=name) for name, colour in entries]
    below(axes, handles, columns)


def below(axes: Any, handles: Sequence[Any], columns: int = 3) -> None:
    """A legend below the plot, where it hides nothing."""
    axes.figure.legend(
        handles=list(handles), loc="outside lower left", ncols=columns, columnspacing=1.2
    )
