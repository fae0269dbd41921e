"""One connection: bounded in time, in the size of a head, in requests ahead, and in number.

uvicorn's protocol over httptools (llhttp, strict) is fast and lets a client do as it likes: be
silent for ever, send a head without end, ask a thousand times without reading. What it lacks is
here, and so is what happens when a request cannot be read: one problem, in its place among the
answers, and nothing after it. What a request may *say* is for gateway/edge/headers.py.
"""

from __future__ import annotations

import asyncio
import math
import re
from http import HTTPStatus
from typing import Any, Final

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from gateway.edge.body import BODY_DEADLINE_S
from gateway.edge.exchange import Exchange, asked, encoded, head_of_ok
from gateway.edge.headers import (
    MAX_HEADER_BYTES,
    MAX_HEADER_COUNT,
    MAX_TARGET_BYTES,
    METHODS,
)
from gateway.edge.limits import Fields
from gateway.edge.problems import Headers, log_failure, problem_bytes
from gateway.edge.shortcut import Shortcut, Shortcuts
from gateway.edge.sweep import sweep
from gateway.errors import (
    GatewayError,
    HeadersTooLarge,
    Malformed,
    MethodNotAllowed,
    Overloaded,
    TooLarge,
    TooSlow,
    UriTooLong,
)

#: Connections of one worker. For one more the one that has been idle longest ends; where none is
#: idle the newcomer is answered 503 and closed.
CONNECTIONS_MAX: Final = 1024

#: Requests that may wait behind the one under way. At one more the connection ends with the last.
AHEAD_MAX: Final = 16

#: A head that is not whole after so many bytes is too large whatever follows: what the guard
#: allows of target and fields, and the colons and line ends between them.
HEAD_MAX: Final = MAX_TARGET_BYTES + MAX_HEADER_BYTES + 1024

#: Seconds that a state may last, and half a second more, since one timer looks at all connections.
#: To a whole head, from connecting or from its first byte: less than five with the half second.
#: Between requests: longer than proxies wait (60 s). For a client that does not read its answer.
#: For one that still sends after an answer that ended the connection: closing at once would reset
#: it, and the answer with it. The bytes that such a client may still send.
HEAD_S, IDLE_S, UNREAD_S, LINGER_S = 4.0, 75.0, 10.0, 2.0
LINGER_BYTES: Final = 1024 * 1024

#: Bytes of a body's chunk sizes, extensions and trailers: what is not the body itself.
FRAMING_MAX: Final = 256 * 1024

_NEVER = math.inf
_REQUEST_LINE = re.compile(rb"[A-Za-z]{1,20} /")


class Connection(HttpToolsProtocol):
    """A client's connection, from its first byte to its last."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=False)
        self.access_log = False
        #: The request whose answer is the next on the wire; others wait in `pipeline`.
        self._answering: Exchange | Shortcut | None = None
        self._shortcuts: Shortcuts | None = getattr(self.app, "shortcuts", None)
        self._since, self._due = 0.0, _NEVER
        self._in_head, self._has_begun = True, False
        self._head_bytes = self._framing_bytes = self._fields = 0
        self._is_deaf, self._unheard_bytes = False, 0

    # ── From the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]  # a stream, as ever
        self._since = self.loop.time()
        self._due = self._since + HEAD_S
        sweep(self.server_state).begin(self.loop)
        if len(self.connections) > CONNECTIONS_MAX:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        if self._is_deaf:
            self._unheard_bytes += len(data)
            if self._unheard_bytes > LINGER_BYTES:
                self.transport.abort()
            return
        if self._in_head:
            self._head_bytes += len(data)  # back to 0 if the head ends in these bytes
        self._framing_bytes += len(data)  # less what of it turns out to be the body
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._break_off(_fault_of(error, data))
        except httptools.HttpParserUpgrade:
            # Nobody here speaks anything else. The guard refuses the request itself.
            self._break_off(Malformed())
        else:
            if not self._in_head and self._framing_bytes > FRAMING_MAX:
                self._break_off(TooLarge())
            elif self._head_bytes > HEAD_MAX:
                self._break_off(HeadersTooLarge() if self._fields else UriTooLong())
            elif self._has_begun and self._answering is None:
                # At its first bytes: later ones do not move the end, and the first head of a
                # connection has been awaited since it was made.
                self._due = min(self._due, self.loop.time() + HEAD_S)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._due = self.loop.time() + UNREAD_S

    def resume_writing(self) -> None:
        super().resume_writing()
        self._wait()

    def shutdown(self) -> None:
        """The worker ends: what is under way is answered, and what has no end is ended."""
        super().shutdown()
        if isinstance(self._answering, Exchange):
            self._answering.stop()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answering is not None:
            self._answering.cut()
        self.pipeline.clear()
        super().connection_lost(exc)

    # ── From the parser

    def on_message_begin(self) -> None:
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self._has_begun, self._fields = True, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields += 1
        if self._fields > MAX_HEADER_COUNT:
            raise HeadersTooLarge
        if not self._in_head:
            return  # a trailer: none is read
        name, value = name.lower(), value.rstrip(b" \t")
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._in_head = self._has_begun = False
        self._head_bytes = 0
        if len(self.pipeline) == AHEAD_MAX:
            raise Overloaded
        if self._answering is None and (shortcut := self._shortcut()) is not None:
            self._answering = shortcut
            self.cycle = shortcut  # type: ignore[assignment]  # of the same shape
            self._due = self.loop.time() + BODY_DEADLINE_S
            return
        exchange = self.cycle = asked(self)
        if self._answering is None:
            self._begin(exchange)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((exchange, self.app))

    def on_body(self, body: bytes) -> None:
        self._framing_bytes -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True
        self._framing_bytes = 0
        newest: Any = self.cycle
        if isinstance(newest, Shortcut) and newest is self._answering:
            self._due = _NEVER  # what follows has bounds of its own
            newest.start()

    # ── From the exchange, the sweep and other connections

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being asked, and something could be."""
        waits = self._answering is None and not (self._has_begun or self._is_deaf)
        return waits and not self.transport.is_closing()

    def on_response_complete(self) -> None:
        done, self._answering = self._answering, None
        self.server_state.total_requests += 1
        if done is None or self.transport.is_closing():
            return
        if not done.keep_alive:
            self._leave() if self._is_deaf or not done.is_whole else self.transport.close()
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._begin(self.pipeline.pop()[0])
        else:
            self._wait()

    def reply(self, status: int, headers: Headers | Fields, body: bytes) -> None:
        """Write the answer of a shortcut and go on."""
        assert self._answering is not None, "what is answered was asked"
        dated = (*self.server_state.default_headers, *headers)
        if status == HTTPStatus.OK and self._answering.keep_alive:
            answer = b"%b%d\r\n\r\n%b" % (head_of_ok(dated), len(body), body)
        else:
            answer = encoded(status, dated, body, closes=not self._answering.keep_alive)
        self.transport.write(answer)
        self.on_response_complete()

    def take_long_way(self, body: bytearray) -> None:
        """Give the request under way, whose body is whole, to the application."""
        exchange = self.cycle = asked(self)
        exchange.body, exchange.more_body = body, False
        exchange.message_event.set()
        self._begin(exchange)

    def keep(self, task: asyncio.Task[None]) -> None:
        """Hold a task of a shortcut until it is done; a worker that ends waits for it."""
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def look(self, now: float) -> None:
        """End what has taken too long; called twice a second with the loop's time."""
        if now < self._due:
            return
        if self._is_deaf or self.flow.write_paused or self.transport.is_closing():
            self.transport.abort()
        elif self._has_begun or self._answering is not None:  # a head, or a shortcut's body
            self._break_off(TooSlow())
        else:
            self._due = now + LINGER_S
            self.transport.close()

    # ── Steps

    def _make_room(self) -> None:
        others: set[Any] = self.connections - {self}
        idle = (each for each in others if each.is_idle)
        if longest := min(idle, key=lambda each: each._since, default=None):
            longest.transport.close()
        else:
            self._say(Overloaded())
            self.transport.close()

    def _shortcut(self) -> Shortcut | None:
        parser = self.parser
        if (
            self._shortcuts is None
            or parser.get_method() != b"POST"
            or parser.get_http_version() != "1.1"
            or not parser.should_keep_alive()
            or self.expect_100_continue
            or self.flow.write_paused
        ):
            return None
        return self._shortcuts.taken(self, self.url, self.headers)

    def _begin(self, exchange: Any) -> None:
        self._answering = exchange
        self._wait()
        self._start_asgi_task(exchange, self.app)

    def _break_off(self, fault: GatewayError) -> None:
        """Read no further. What was asked before is answered, then the connection ends; where
        nothing was, or the fault lies in the body of what is being answered, with this fault."""
        self._is_deaf = True
        newest: Any = self.cycle
        if self._answering is None:
            self._refuse(fault)
        elif newest is self._answering and not newest.is_whole:
            newest.cut()
            self._refuse(fault) if not newest.response_started else self.transport.abort()
        else:
            if not newest.is_whole:
                self.pipeline.popleft()
                newest = self.pipeline[0][0] if self.pipeline else self._answering
            newest.keep_alive = False

    def _refuse(self, fault: GatewayError) -> None:
        self._answering = None
        self._say(fault)
        self._leave()

    def _say(self, fault: GatewayError) -> None:
        status, headers, body = problem_bytes(fault)
        dated = self.server_state.default_headers + headers
        self.transport.write(encoded(status, dated, body, closes=True))

    def _leave(self) -> None:
        """End our side and listen, without hearing, until the client has ended its own."""
        self._is_deaf = True
        self._wait()
        self.flow.resume_reading()
        self.transport.write_eof()

    def _wait(self) -> None:
        """How long the state that is reached now may last."""
        if self.flow.write_paused:
            return  # until the client reads, as it has been since it stopped
        if isinstance(self._answering, Shortcut) and not self._answering.is_whole:
            self._due = self.loop.time() + BODY_DEADLINE_S
        elif self._answering is not None:
            self._due = _NEVER  # what the application does has bounds of its own
        else:
            seconds = LINGER_S if self._is_deaf else HEAD_S if self._has_begun else IDLE_S
            self._since = self.loop.time()
            self._due = self._since + seconds


def _fault_of(error: httptools.HttpParserError, data: bytes) -> GatewayError:
    if isinstance(error.__context__, GatewayError):
        return error.__context__  # raised in one of our own callbacks
    if isinstance(error, httptools.HttpParserCallbackError) and error.__context__ is not None:
        log_failure(error.__context__)
    if isinstance(error, httptools.HttpParserInvalidMethodError) and _REQUEST_LINE.match(data):
        return MethodNotAllowed(sorted(METHODS))
    return Malformed()
