"""The route table of everything that people look at: one module for each area."""

from __future__ import annotations

from litestar.handlers import HTTPRouteHandler

from gateway.web import (
    assets,
    closure,
    commitments,
    consent,
    consents,
    correction,
    data,
    devices,
    home,
    notice,
    scenarios,
    score,
    sign_in,
)

HANDLERS: list[HTTPRouteHandler] = [
    *assets.HANDLERS,
    *sign_in.HANDLERS,
    *home.HANDLERS,
    *notice.HANDLERS,
    *score.HANDLERS,
    *scenarios.HANDLERS,
    *consent.HANDLERS,
    *consents.HANDLERS,
    *commitments.HANDLERS,
    *devices.HANDLERS,
    *data.HANDLERS,
    *correction.HANDLERS,
    *closure.HANDLERS,
]
