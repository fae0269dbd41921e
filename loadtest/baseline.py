"""The yardstick: what Litestar charges for saying hello, on the same server with the same flags."""

from __future__ import annotations

import msgspec
from litestar import Litestar, get

from gateway.processes import die_with_parent


class Hello(msgspec.Struct):
    """Two fields, as small as an answer can be."""

    message: str
    number: int


@get("/answer")
async def hello() -> Hello:
    """No body, no middleware, no dependency."""
    return Hello("hello", 1)


def create_app() -> Litestar:
    """The baseline application."""
    die_with_parent()
    return Litestar(route_handlers=[hello], openapi_config=None)
