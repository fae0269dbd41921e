"""The composition root: settings in, one ASGI application out. It imports, nothing imports it.

`create_app` is what every worker calls (gateway/server.py). The hot route is answered before
Litestar; everything else is ordinary typed handlers behind one guard and one table of problems.
"""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

from litestar import Litestar
from litestar.datastructures import ResponseHeader
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from gateway import logs
from gateway.city import City
from gateway.clock import SystemClock
from gateway.edge import access, authzen, body, contract, routes
from gateway.edge.admission import Door
from gateway.edge.authzen_route import AuthZenRoute
from gateway.edge.counted import Counted
from gateway.edge.eligibility import PREFIX, SUFFIX, Eligibility
from gateway.edge.headers import HeaderGuard
from gateway.edge.shortcut import Shortcuts
from gateway.ids import SystemIds
from gateway.jobs import ticking
from gateway.keys import load_keys
from gateway.settings import Settings, read_settings
from gateway.web import faults, pages
from gateway.working_days import calendar
from scenarios.registry import load_registry

#: What every answer says unless its route says otherwise. Nothing in front of the gateway may
#: answer for it, nobody guesses its type, and no page, of a sibling host either, embeds it.
CLOSED: Final = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
}

#: The routes of the contract; the pages, which are for people, are none of it.
HANDLERS: Final = (*routes.HANDLERS, contract.openapi)


def create_app() -> ASGIApp:
    """The application of one worker, from the environment."""
    logs.configure()
    app = build_app(open_city(read_settings(os.environ)))
    settle_memory()
    return app


def settle_memory() -> None:
    """Tell the garbage collector what a worker knows: all that exists now stays.

    By default it looks at the youngest objects every 700 allocations, ten decisions, of which
    nearly none ever forms a cycle; that was a sixth of a decision's cost. What does form cycles
    (exceptions, closed connections) is still found, some hundred decisions later.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def open_city(settings: Settings) -> City:
    """A worker's parts on the real clock and the system's randomness; nothing is connected yet."""
    registry = load_registry(calendar())
    return City(settings, load_keys(settings.keys_file), registry, SystemClock(), SystemIds())


def build_app(city: City, framework: Litestar | None = None) -> ASGIApp:
    """The application around a city's parts, on routes of its own or on those given."""
    framework = framework or build_framework()
    framework.state.city = city
    framework.state.contract = contract.Document(city, HANDLERS)
    door = Counted(Door(framework, city.admission), city.counts)
    unframed = {path: route(city) for path, route in authzen.ROUTES.items()}
    eligibility = Eligibility(city)
    front = Front(framework, eligibility, unframed, door)
    guard = HeaderGuard(
        front, [urlsplit(city.settings.issuer).netloc], city.counts.route("refused")
    )
    guard.shortcuts = Shortcuts(city, eligibility, guard.hosts)
    return guard


def build_framework() -> Litestar:
    """The routes; whose they are is said by the state `city`."""
    return Litestar(
        route_handlers=[*HANDLERS, *pages.HANDLERS],
        guards=[access.guard],
        exception_handlers=faults.EXCEPTION_HANDLERS,
        request_class=body.StrictRequest,
        response_headers=[ResponseHeader(name=name, value=value) for name, value in CLOSED.items()],
        request_max_body_size=body.CONSENT_BYTES,
        lifespan=[_lifespan],
        openapi_config=None,
        debug=False,
        logging_config=None,
        multipart_form_part_limit=1,
    )


class Front:
    """Sends the hot routes to their handlers and everything else to the framework."""

    def __init__(
        self,
        framework: Litestar,
        eligibility: Eligibility,
        unframed: Mapping[str, AuthZenRoute],
        door: ASGIApp,
    ) -> None:
        self.framework = framework
        self._door = door
        self._eligibility = eligibility
        self._unframed = unframed

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == ScopeType.HTTP:
            path = scope["path"]
            if path.startswith(PREFIX) and path.endswith(SUFFIX):
                return self._eligibility(scope, receive, send)
            if (route := self._unframed.get(path)) is not None:
                return route(scope, receive, send)
        return self._door(scope, receive, send)


@asynccontextmanager
async def _lifespan(app: Litestar) -> AsyncIterator[None]:
    city: City = app.state.city
    async with city.running(), ticking(city):
        yield
