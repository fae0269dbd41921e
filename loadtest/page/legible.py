"""What a plot must have so that people can read it: title, units, legend, room for its words."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

#: So many points may two texts overlap before it shows; letters do not fill their boxes.
OVERLAP = 1.5


def faults(figure: Figure) -> list[str]:
    """What is wrong with a figure, in words."""
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return [*_bare(figure), *_crowded(figure, canvas.get_renderer())]


def _bare(figure: Figure) -> Iterator[str]:
    if not any(axes.get_title(loc="left") for axes in figure.axes):
        yield "no plot has a title"
    for number, axes in enumerate(figure.axes):
        if not _has_unit(axes.get_xlabel()) and not _has_unit(axes.get_ylabel()):
            yield f"plot {number}: no axis says its unit"
        labelled = [handle for handle in axes.get_legend_handles_labels()[1] if handle]
        if len(set(labelled)) > 1 and axes.get_legend() is None and not figure.legends:
            yield f"plot {number}: several kinds, and no legend"
        if not (axes.has_data() or axes.texts):
            yield f"plot {number}: nothing is drawn"


def _has_unit(label: str) -> bool:
    return "(" in label and label.endswith(")")


def _crowded(figure: Figure, renderer: Any) -> Iterator[str]:
    shown = [(text, text.get_window_extent(renderer)) for text in _texts(figure)]
    page = figure.bbox
    for text, box in shown:
        if box.x0 < page.x0 - 1 or box.x1 > page.x1 + 1 or box.y0 < page.y0 - 1:
            yield f"{text.get_text()!r} runs out of the figure"
        if box.y1 > page.y1 + 1:
            yield f"{text.get_text()!r} runs out of the figure"
    for (one, a), (other, b) in combinations(shown, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        down = min(a.y1, b.y1) - max(a.y0, b.y0)
        if across > OVERLAP and down > OVERLAP:
            yield f"{one.get_text()!r} and {other.get_text()!r} overlap"


def _texts(figure: Figure) -> Iterator[Text]:
    """Every text that is drawn: of ticks only those in view."""
    hidden: set[int] = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                hidden.add(id(tick.label2))
                if not low - 1e-9 <= tick.get_loc() <= high + 1e-9:
                    hidden.add(id(tick.label1))
    for text in figure.findobj(Text):
        if id(text) not in hidden and text.get_visible() and text.get_text().strip():
            yield text
