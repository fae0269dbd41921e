"""The floor: an ASGI handler that reads the body and writes JSON, on the gateway's own server.

Nothing is checked, looked up or recorded. What a decision costs beyond this is what it does.
"""

from __future__ import annotations

from typing import Any

from gateway.processes import die_with_parent
from loadtest.peers.answer import ANSWER

_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"cache-control", b"no-store")],
}
_BODY = {"type": "http.response.body", "body": ANSWER, "more_body": False}


def create_app() -> Any:
    """The application of one worker."""
    die_with_parent()
    return answer


async def answer(scope: Any, receive: Any, send: Any) -> None:
    """Answer every GET and POST alike."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    if scope["method"] == "POST":
        while (await receive()).get("more_body"):
            pass
    await send(_START)
    await send(_BODY)


async def lifespan(receive: Any, send: Any) -> None:
    """Nothing to start, nothing to stop."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
