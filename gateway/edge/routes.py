"""The route table of everything that is not hot: one module for each kind of caller."""

from __future__ import annotations

from litestar.handlers import HTTPRouteHandler

from gateway.edge import (
    authzen,
    benefits,
    citizen,
    closure,
    commitment_receipt,
    commitments,
    consent_requests,
    consents,
    corrections,
    credit_codes,
    decisions,
    desks,
    devices,
    export,
    login,
    lookup_download,
    lookup_stream,
    lookups,
    my_scenarios,
    oauth,
    scenarios,
    service,
    sessions,
    webhooks,
)

HANDLERS: list[HTTPRouteHandler] = [
    *service.HANDLERS,
    *oauth.HANDLERS,
    *authzen.HANDLERS,
    *login.HANDLERS,
    *citizen.HANDLERS,
    *devices.HANDLERS,
    *commitments.HANDLERS,
    *commitment_receipt.HANDLERS,
    *benefits.HANDLERS,
    *consent_requests.HANDLERS,
    *consents.HANDLERS,
    *my_scenarios.HANDLERS,
    *credit_codes.HANDLERS,
    *desks.HANDLERS,
    *decisions.HANDLERS,
    *lookups.HANDLERS,
    *lookup_stream.HANDLERS,
    *lookup_download.HANDLERS,
    *export.HANDLERS,
    *corrections.HANDLERS,
    *sessions.HANDLERS,
    *closure.HANDLERS,
    *scenarios.HANDLERS,
    *webhooks.HANDLERS,
]
