"""How plots look: colours by name, one type, and SVG that follows the reader's light or dark.

Plots are drawn in the colours of daylight. In SVG each colour becomes a variable with that colour
as its fallback; whoever shows the picture (the page, or the picture itself) sets the variables.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

import matplotlib
from matplotlib.figure import Figure

#: Name: by day, by night. No two are alike, since they are told apart by their value.
COLOURS = {
    "paper": ("#ffffff", "#11161d"),
    "ink": ("#1b1f24", "#e4e9ef"),
    "muted": ("#5c6670", "#9aa4af"),
    "rule": ("#d9dee3", "#2c343d"),
    "workers": ("#0f7b6c", "#3fbfab"),
    "postgres": ("#3a5fa8", "#7ea4ea"),
    "valkey": ("#b4472e", "#ec8a6e"),
    "rival": ("#8a919a", "#7d8590"),
    "second": ("#a8791c", "#d9ac4d"),
    "good": ("#1a7f37", "#3fb950"),
    "bad": ("#c0232d", "#f4645e"),
}
DAY = {name: day for name, (day, _) in COLOURS.items()}

#: Inches: as wide as a telephone shows it, so that type keeps its size there.
WIDTH = 4.7

_STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.labelsize": 9,
    "axes.labelcolor": DAY["muted"],
    "axes.edgecolor": DAY["rule"],
    "axes.facecolor": DAY["paper"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "figure.facecolor": DAY["paper"],
    "savefig.facecolor": DAY["paper"],
    "grid.color": DAY["rule"],
    "grid.linewidth": 0.7,
    "text.color": DAY["ink"],
    "axes.titlecolor": DAY["ink"],
    "xtick.color": DAY["muted"],
    "ytick.color": DAY["muted"],
    "xtick.labelcolor": DAY["ink"],
    "ytick.labelcolor": DAY["ink"],
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.handlelength": 1.2,
    "lines.linewidth": 1.6,
    "svg.fonttype": "none",
    "svg.hashsalt": "qianjiang",
}
#: The font that widths are reckoned with is a wide one; the reader's own takes less room.
_DRAWN_IN = "'DejaVu Sans', sans-serif"
_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def styled() -> Any:
    """A context in which figures are made and saved."""
    return matplotlib.rc_context({**matplotlib.rcParamsDefault, **_STYLE, "backend": "agg"})


def figure(height: float, heights: Sequence[float] = (1,)) -> tuple[Figure, list[Any]]:
    """An empty figure so many inches high, with a plot for each of `heights`, one above another."""
    made = Figure(figsize=(WIDTH, height), layout="constrained")
    made.get_layout_engine().set(w_pad=0.09, h_pad=0.07)
    axes = made.subplots(len(heights), 1, squeeze=False, height_ratios=list(heights))
    return made, [row[0] for row in axes]


def thousands(axis: Any) -> None:
    """Write an axis's numbers as 10,000."""
    axis.set_major_formatter(lambda value, _: f"{value:,g}" if abs(value) < 1e6 else f"{value:g}")


def svg(made: Figure, title: str, words: str) -> str:
    """The figure as an `<svg>` element with a title and a description, its colours variables."""
    drawn = io.StringIO()
    with styled():
        made.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    text = drawn.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*">', "<g>", text)  # several pictures share a page
    text = text.replace(_DRAWN_IN, _FONTS)
    for name, day in DAY.items():
        text = text.replace(day, f"var(--{name}, {day})")
    head, _, rest = text.partition(">")
    head = re.sub(r' (width|height)="[^"]*"', "", head)
    about = f"<title>{escape(title)}</title><desc>{escape(words)}</desc>"
    return f'{head} role="img">{about}{rest.strip()}'


def alone(drawn: str) -> str:
    """An SVG that is a file of its own: it brings the colours, by day and by night."""
    head, about, rest = drawn.partition("</desc>")
    style = f"<style>{variables(':root')}</style>"
    return f'<?xml version="1.0" encoding="utf-8"?>\n{head}{about}{style}{rest}\n'


def variables(selector: str) -> str:
    """The style rules that set the colours."""
    day, night = (
        ";".join(f"--{name}:{pair[side]}" for name, pair in COLOURS.items()) for side in (0, 1)
    )
    dark = f"@media (prefers-color-scheme:dark){{{selector}{{{night}}}}}"
    return f"{selector}{{{day}}}{dark}"
