"""Tables of words, and how figures are written in them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence

import msgspec

from loadtest.closed import Round
from loadtest.serving import Spread


class Table(msgspec.Struct, frozen=True):
    """Rows of cells; the first of `heads` is that of the words, the others are figures."""

    heads: tuple[str, ...]
    rows: list[tuple[str, ...]]


def number(value: float | None, unit: str = "") -> str:
    """A figure with three digits that count, and its unit; a share in per cent."""
    if value is None:
        return "–"
    if unit == "share":
        return f"{value:.4%}".rstrip("%").rstrip("0").rstrip(".") + "%"
    if abs(value) >= 99.95:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
        text = text.rstrip("0").rstrip(".")
    return text + ("" if unit in ("", "×") else " ") + unit


def spread(found: Spread) -> str:
    """The middle, and in brackets the ends."""
    return f"{number(found.middle)} ({number(found.least)} to {number(found.greatest)})"


def middle(rounds: Sequence[Round], part: Callable[[Round], float]) -> float:
    """The middle of a part of some rounds; 0 where there are none."""
    return statistics.median(map(part, rounds)) if rounds else 0.0


def median(values: Iterable[float]) -> float:
    """The middle of some values, of which there is at least one."""
    return statistics.median(values)
