"""The same answer through a framework: Litestar with one raw ASGI handler."""

from __future__ import annotations

from litestar import Litestar, asgi
from litestar.types import Receive, Scope, Send

from gateway.processes import die_with_parent
from loadtest.peers.bare import answer


@asgi("/answer", copy_scope=False)
async def handler(scope: Scope, receive: Receive, send: Send) -> None:
    """What the bare handler does, behind Litestar's routing and middleware."""
    await answer(scope, receive, send)


def create_app() -> Litestar:
    """The application of one worker."""
    die_with_parent()
    return Litestar(route_handlers=[handler], openapi_config=None)
