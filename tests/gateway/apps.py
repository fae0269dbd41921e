"""The application around a test's city, on routes that the whole run shares.

Registering them takes a sixth of a second, more than most tests; whose they are is a matter of the
application's state alone, of which each has one of its own.
"""

from __future__ import annotations

import copy
import functools
from typing import TYPE_CHECKING

import httpx
from litestar.datastructures import State

from gateway.app import build_app, build_framework

if TYPE_CHECKING:
    from litestar import Litestar
    from litestar.types import ASGIApp

    from gateway.city import City

_framework = functools.cache(build_framework)


def app_of(city: City) -> ASGIApp:
    """As `gateway.app.build_app`; for a transport, which runs no lifespan."""
    framework: Litestar = copy.copy(_framework())
    framework.state = State()
    return build_app(city, framework)


def transport_of(city: City) -> httpx.ASGITransport:
    """The way of a client to the application around a test's city."""
    return httpx.ASGITransport(app_of(city))  # type: ignore[arg-type]  # two spellings of ASGI's types
