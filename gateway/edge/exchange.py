"""One request and its answer on a connection: an answer in one piece leaves in one write.

uvicorn writes the head when the application begins to answer, so it cannot know the length and
cuts the body into chunks. Nearly all answers of ours are in one piece: here the head waits for it,
gets its length, and both leave together. The others (files, streams of events) go uvicorn's way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final, cast
from urllib.parse import unquote

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from gateway.edge.headers import origin_form
from gateway.edge.problems import Headers, problem_bytes
from gateway.errors import Malformed

#: Statuses whose answer has no body, and says no length (RFC 9110 8.6).
_BODILESS: Final = frozenset({204, 304})

#: An answer of this type goes on until somebody ends it (HTML Living Standard, 9.2).
_ENDLESS: Final = b"text/event-stream"


class Exchange(RequestResponseCycle):
    """A request under way: what uvicorn's own is, but for how an answer in one piece is sent."""

    _begun: Any = None
    _is_endless = False

    @property
    def is_whole(self) -> bool:
        """Whether the request has arrived to its last byte."""
        return not self.more_body

    def cut(self) -> None:
        """The rest of the request will not come: whoever waits for it learns so."""
        self.disconnected = True
        self.waiting_for_100_continue = False
        self.message_event.set()

    def stop(self) -> None:
        """The worker ends. An answer without an end is ended here and now, in good form if its
        client reads; any other is not touched."""
        if not self._is_endless or self.response_complete or self.disconnected:
            return
        self.response_complete = True
        self.cut()  # the application learns of it, and says nothing more
        if self.flow.write_paused:
            self.transport.abort()
        elif self.chunked_encoding:
            self.transport.write(b"0\r\n\r\n")
        self.on_response()

    async def send(self, message: Any) -> None:
        """ASGI's `send`."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        start = self._begun
        if self.response_started:
            await super().send(message)
        elif message["type"] == "http.response.start" and start is None:
            self._begun = message
        elif message["type"] == "http.response.body" and start is not None:
            if self.more_body:
                # What is still to come of the request must not be read as the next one.
                self.keep_alive = False
            if message.get("more_body", False):
                media_type = dict(start["headers"]).get(b"content-type", b"")
                self._is_endless = media_type.startswith(_ENDLESS)
                await super().send(start)
                await super().send(message)
            else:
                self._answer(start["status"], start["headers"], message.get("body", b""))
        else:
            raise RuntimeError("the application's answer is out of order")

    def _answer(self, status: int, headers: Headers, body: bytes) -> None:
        fields = dict(headers)
        if b"connection" in fields:  # the application says it to end the connection, only
            self.keep_alive = False
        reply = encoded(
            status,
            [*self.default_headers, *headers],
            body,
            closes=not self.keep_alive,
            is_head=self.scope["method"] == "HEAD",
        )
        self.transport.write(reply)
        self.response_started = self.response_complete = True
        self.waiting_for_100_continue = False
        self.message_event.set()
        self.on_response()

    async def send_500_response(self) -> None:
        """The application failed before it answered."""
        self._begun = None
        status, headers, body = problem_bytes(RuntimeError())
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


def asked(connection: HttpToolsProtocol) -> Exchange:
    """The request whose head a connection has read to its end.

    Raises:
        Malformed: its version or its target is not one that can be answered.
    """
    parser = connection.parser
    version = parser.get_http_version()
    if version not in {"1.1", "1.0"}:
        raise Malformed([("", "the version must be HTTP/1.1")])
    raw_path, _, query = origin_form(connection.url, connection.headers).partition(b"?")
    path = raw_path.decode("ascii")
    scope = {
        "type": "http",
        "asgi": {"version": connection.asgi_version, "spec_version": "2.3"},
        "http_version": version,
        "server": connection.server,
        "client": connection.client,
        "scheme": connection.scheme,
        "method": parser.get_method().decode("ascii"),
        "root_path": connection.root_path,
        "path": unquote(path) if "%" in path else path,
        "raw_path": raw_path,
        "query_string": query,
        "headers": connection.headers,
        "state": connection.app_state.copy(),
    }
    return Exchange(
        scope=cast("Any", scope),
        transport=connection.transport,
        flow=connection.flow,
        logger=connection.logger,
        access_logger=connection.access_logger,
        access_log=False,
        default_headers=connection.server_state.default_headers,
        message_event=asyncio.Event(),
        expect_100_continue=connection.expect_100_continue,
        keep_alive=version == "1.1" and parser.should_keep_alive(),
        on_response=connection.on_response_complete,
    )


@lru_cache(maxsize=256)
def head_of_ok(headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    """The head of a 200 as far as the number of its length, made once for all of a second."""
    return encoded(200, headers, b"", closes=False).removesuffix(b"0\r\n\r\n")


def encoded(
    status: int,
    headers: Iterable[tuple[bytes, bytes]],
    body: bytes,
    *,
    closes: bool,
    is_head: bool = False,
) -> bytes:
    """An answer as bytes. Names are in lower case, as ASGI has them.

    Raises:
        RuntimeError: a field would end its line, or says another length than the body has.
    """
    fields = list(headers)
    lines = [STATUS_LINE[status], *[b"%b: %b\r\n" % field for field in fields]]
    names = dict(fields)
    if b"content-length" not in names:
        if status not in _BODILESS:
            lines.append(b"content-length: %d\r\n" % len(body))
    elif not is_head and names[b"content-length"] != b"%d" % len(body):
        raise RuntimeError("the answer says another length than it has")
    if closes and b"connection" not in names:
        lines.append(b"connection: close\r\n")
    head = b"".join(lines)
    if head.count(b"\r") != len(lines) or head.count(b"\n") != len(lines) or b"\0" in head:
        raise RuntimeError("a field of the answer would end its line")
    return b"%b\r\n%b" % (head, b"" if is_head or status in _BODILESS else body)
