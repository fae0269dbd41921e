"""The yardstick of the server's part: read the body, answer something of a decision's size."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from litestar.types import Receive, Scope, Send

from gateway.processes import die_with_parent

_EMPTY = b'{"decision_id":"' + b"x" * 420 + b'"}'
_HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


def create_app() -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The bare application."""
    die_with_parent()
    return _bare


async def _bare(scope: Scope, receive: Receive, send: Send) -> None:
    message = await receive()
    if scope["type"] != "http":  # lifespan
        while message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
            message = await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _EMPTY, "more_body": False})
