"""The route table of everything that people look at: one module for each area."""

from __future__ import annotations

from litestar.handlers import HTTPRouteHandler

from gateway.web import (
    assets,
    closure,
    commitments,
    correction,
    data,
    devices,
    home,
    notice,
    score,
    sign_in,
)

HANDLERS: list[HTTPRouteHandler] = [
    *assets.HANDLERS,
    *sign_in.HANDLERS,
    *home.HANDLERS,
    *notice.HANDLERS,
    *score.HANDLERS,
    *commitments.HANDLERS,
    *devices.HANDLERS,
    *data.HANDLERS,
    *correction.HANDLERS,
    *closure.HANDLERS,
]
