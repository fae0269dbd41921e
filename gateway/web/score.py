"""The score: figure, band, the five dimensions, every factor, what would help."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from gateway.authorisations import ShownScore
from gateway.benefits import benefits_of
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.scores import scale_on
from gateway.web.notice import MERITS
from gateway.web.render import PAGE, page
from gateway.web.visitor import own_citizens_only
from scoring import Band, Dimension, Model
from scoring.bands import HIGHEST
from scoring.words import Words


class Bar(msgspec.Struct, frozen=True):
    """One dimension of the chart: its points, and its limits, in points of the score.

    `x` and `width` are where its bar begins and how long it is, in the chart's own units.
    """

    words: Words
    points: int
    least: int
    most: int
    x: float
    width: float


class Chart(msgspec.Struct, frozen=True):
    """The five dimensions on one scale; `zero` is where nothing is added or taken."""

    bars: tuple[Bar, ...]
    zero: float
    width: float


class Step(msgspec.Struct, frozen=True):
    """One band on the scale of scores; `share` is its part of it in percent."""

    words: Words
    floor: int
    share: float
    current: bool


_WIDTH = 320.0


@get(
    "/app/score",
    opt={ACCESS: Access.CITIZEN, PAGE: True},
    guards=[own_citizens_only],
    include_in_schema=False,
)
async def score(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The page; without an authorisation there is no score, and it says how to have one."""
    city, citizen = city_of(request), citizen_of(request)
    said = await city.authorisations.current(citizen)
    shown = await city.authorisations.score(citizen)
    given = await benefits_of(city.database, citizen)
    if shown is None:
        return page(request, "score_none.html", said=said, given=given)
    scale = scale_on(shown.as_of)
    return page(
        request,
        "score.html",
        shown=shown,
        band=Band(shown.band),
        steps=steps_of(shown.band),
        chart=chart_of(shown, scale.model),
        model=scale.model,
        entries=scale.catalogue.entries,
        said=said,
        given=given,
        merits=MERITS,
        highest=HIGHEST,
    )


def steps_of(band: int) -> tuple[Step, ...]:
    """The bands from the lowest to the highest."""
    return tuple(
        Step(
            each.words,
            each.floor,
            100 * (min(each.ceiling, HIGHEST) - each.floor) / HIGHEST,
            current=each == band,
        )
        for each in Band
    )


def chart_of(shown: ShownScore, model: Model) -> Chart:
    """The chart of a score: what each dimension adds to what everybody begins with."""
    points = dict.fromkeys(Dimension, 0)
    for line in shown.explanation.lines:
        if line.dimension is not None:
            points[line.dimension] += line.points
    least = min(cap.least for cap in model.caps.values())
    most = max(cap.most for cap in model.caps.values())
    unit = _WIDTH / (most - least)
    zero = -least * unit
    bars = []
    for dimension, got in points.items():
        cap = model.caps[dimension]
        begins = zero + min(got, 0) * unit
        bars.append(Bar(dimension.words, got, cap.least, cap.most, begins, abs(got) * unit))
    return Chart(tuple(bars), zero, _WIDTH)


HANDLERS: list[HTTPRouteHandler] = [score]
