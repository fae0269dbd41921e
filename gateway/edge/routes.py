"""The route table of everything that is not hot: one module for each kind of caller."""

from __future__ import annotations

from litestar.handlers import HTTPRouteHandler

from gateway.edge import (
    assisted,
    authzen,
    benefits,
    citizen,
    closure,
    commitment_receipt,
    commitments,
    consent_requests,
    consents,
    corrections,
    counter,
    counter_questions,
    credit_codes,
    decisions,
    desks,
    devices,
    export,
    login,
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
    *counter.HANDLERS,
    *counter_questions.HANDLERS,
    *assisted.HANDLERS,
    *export.HANDLERS,
    *corrections.HANDLERS,
    *sessions.HANDLERS,
    *closure.HANDLERS,
    *scenarios.HANDLERS,
    *webhooks.HANDLERS,
]
