"""The route table of everything that is not hot: one module for each kind of caller."""

from __future__ import annotations

from litestar.handlers import HTTPRouteHandler

from gateway.edge import (
    authzen,
    citizen,
    commitments,
    consent_requests,
    consents,
    decisions,
    devices,
    login,
    lookup_download,
    lookup_stream,
    lookups,
    oauth,
    scenarios,
    service,
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
    *consent_requests.HANDLERS,
    *consents.HANDLERS,
    *decisions.HANDLERS,
    *lookups.HANDLERS,
    *lookup_stream.HANDLERS,
    *lookup_download.HANDLERS,
    *scenarios.HANDLERS,
    *webhooks.HANDLERS,
]
