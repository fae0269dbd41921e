"""The route table of everything that people look at: one module for each area."""

from __future__ import annotations

from litestar.handlers import HTTPRouteHandler

from gateway.web import (
    assets,
    assisted,
    closure,
    code,
    commitments,
    consent,
    consents,
    correction,
    counter,
    counter_desk,
    data,
    desk,
    devices,
    home,
    lookups,
    notice,
    recognition,
    scenarios,
    score,
    sign_in,
    visit,
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
    *code.HANDLERS,
    *desk.HANDLERS,
    *counter.HANDLERS,
    *counter_desk.HANDLERS,
    *lookups.HANDLERS,
    *assisted.HANDLERS,
    *visit.HANDLERS,
    *recognition.HANDLERS,
]
