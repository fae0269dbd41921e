"""Server-sent events (HTML Living Standard, 9.2) as an answer that goes on until somebody ends it.

The connection below knows an answer of this media type as one without an end: when the worker ends
it is not waited for (gateway/edge/connection.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, Final, cast

from litestar import Request, Response
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from gateway.edge.headers import fields_of
from gateway.errors import Malformed

MEDIA_TYPE: Final = "text/event-stream"

#: A line that no page hears of: a proxy between us sees that the connection lives.
HEARTBEAT: Final = b":\n\n"


def event(name: str, data: bytes, place: str | None = None) -> bytes:
    """An event with one line of data; `place` is what a reconnecting page sends back."""
    identified = f"id: {place}\n" if place is not None else ""
    return f"{identified}event: {name}\n".encode() + b"data: %b\n\n" % data


def begin(place: str, retry_ms: int) -> bytes:
    """What a stream begins with: where it is, and how soon to come again when it ends."""
    return f"retry: {retry_ms}\nid: {place}\n\n".encode()


class EventStream(Response[None]):
    """An answer of pieces that come when they come.

    Args:
        pieces: each is written as it comes; the answer ends with them.
        leave: called as soon as the client is gone, and in any case at the end.
    """

    def __init__(self, pieces: AsyncIterator[bytes], leave: Callable[[], None]) -> None:
        super().__init__(
            None,
            media_type=MEDIA_TYPE,
            # nginx would gather the pieces. Nothing else listens to it.
            headers={"x-accel-buffering": "no"},
        )
        self._pieces, self._leave = pieces, leave

    def to_asgi_response(
        self, app: Any, request: Request[Any, Any, Any], **given: Any
    ) -> ASGIResponse:
        """What the framework calls to send it."""
        headers = {**(given.get("headers") or {}), **self.headers}
        return _Sending(self._pieces, self._leave, headers=headers, media_type=MEDIA_TYPE)


class _Sending(ASGIResponse):
    _should_set_content_length = False

    def __init__(
        self, pieces: AsyncIterator[bytes], leave: Callable[[], None], **given: Any
    ) -> None:
        super().__init__(**given)
        self._pieces, self._leave = pieces, leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone: asyncio.Task[None] | None = None
        try:
            await self.start_response(send)
            # Only now: before its first event an answer would wait for room to be heard.
            gone = asyncio.create_task(self._until_gone(receive))
            async for piece in self._pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._leave()
            if gone is not None:
                gone.cancel()
                with suppress(asyncio.CancelledError):
                    await gone

    async def _until_gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._leave()


def refuse_body(request: Request[Any, Any, Any]) -> None:
    """A stream's request has no body: nothing would read it for minutes.

    Raises:
        Malformed: it announces one.
    """
    fields = fields_of(cast("Any", request.scope))
    if fields.get(b"content-length", b"0").strip(b"0") or b"transfer-encoding" in fields:
        raise Malformed([("", "this request has no body")])
