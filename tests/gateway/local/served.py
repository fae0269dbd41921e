"""The smallest application that a server can run: it answers 200 and dies with its parent."""

import os
from typing import Any

from gateway.processes import die_with_parent

die_with_parent()


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer every request with this worker's process id."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
