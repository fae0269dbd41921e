"""A request's two ends, for tests of ASGI functions without a server."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from litestar.types import HTTPScope, Message, Receive, Scope

Header = tuple[bytes, bytes]
JSON: Header = (b"content-type", b"application/json")
HOST: Header = (b"host", b"gateway.example")


def scope(*headers: Header, **changes: Any) -> Scope:
    """An HTTP/1.1 POST scope as the server makes it, with changes."""
    raw: dict[str, Any] = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/x",
        "raw_path": b"/v1/x",
        "query_string": b"",
        "headers": list(headers),
    }
    return cast(HTTPScope, raw | changes)


def sending(*chunks: bytes, then_disconnect: bool = False, pause_s: float = 0.0) -> Receive:
    """A client that sends its body in chunks, and may leave or fall asleep before the last."""
    events: list[dict[str, Any]] = [
        {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
    ]
    if then_disconnect:
        events.append({"type": "http.disconnect"})
    else:
        events[-1]["more_body"] = False

    async def receive() -> Message:
        if pause_s:
            await asyncio.sleep(pause_s)
        return cast(Message, events.pop(0))

    return cast(Receive, receive)


class Sent:
    """Everything that an application sends."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[Header] = []
        self.body = b""

    async def __call__(self, event: Message) -> None:
        if event["type"] == "http.response.start":
            self.status = event["status"]
            self.headers = list(event.get("headers", []))
        elif event["type"] == "http.response.body":
            self.body += event["body"]

    def header(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key.lower() == name]
