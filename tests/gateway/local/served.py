"""A small application that a server can run: it says which process answers, at once or later."""

import asyncio
import os
from typing import Any


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer every request with this worker's process id; below `/slow` after half a second."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if scope["path"].startswith("/slow"):
        await asyncio.sleep(0.5)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})


def create_app() -> Any:
    """The application."""
    return app


def create_nothing() -> Any:
    """A factory that fails."""
    raise RuntimeError("the key file is missing")
