"""Counts the answers of everything that is not hot, by the kind of caller that a route is for."""

from __future__ import annotations

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from gateway.counts import Counts
from gateway.edge.access import ACCESS
from gateway.oauth.metadata import TOKEN_PATH


class Counted:
    """An ASGI application around the framework."""

    def __init__(self, app: ASGIApp, counts: Counts) -> None:
        self._app, self._counts = app, counts
        self._routes = {"none": counts.route("none")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        began, status = self._counts.now(), 0

        async def counting(event: Message) -> None:
            # When it begins: a stream goes on for minutes, and is not a slow answer.
            nonlocal status
            if event["type"] == "http.response.start":
                status = event["status"]
                self._answered(scope, status, self._counts.now() - began)
            await send(event)

        try:
            await self._app(scope, receive, counting)
        finally:
            if not status:
                self._answered(scope, 500, self._counts.now() - began)

    def _answered(self, scope: HTTPScope, status: int, seconds: float) -> None:
        name = _route(scope)
        route = self._routes.get(name)
        if route is None:
            route = self._routes[name] = self._counts.route(name)
        route.answered(status, seconds)


def _route(scope: HTTPScope) -> str:
    """The class of a request's route: its kind of caller, the token endpoint, or none."""
    handler = scope.get("route_handler")  # set by the router, where there is a route
    if handler is None or ACCESS not in handler.opt:
        return "none"
    return "token" if scope["path"] == TOKEN_PATH else str(handler.opt[ACCESS])
