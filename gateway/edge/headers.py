"""The outermost layer: requests that two machines could read differently are not read at all.

ASGI servers pass on more than RFC 9112 allows: no Host or two, a second Authorization, bytes beyond
ASCII, headers of 90 KB, some also Content-Length beside Transfer-Encoding (the root of request
smuggling). Every such request ends here with a problem and a closed connection, before routing. The
layer runs on every request, so it is one pass in C over the header list and set look-ups.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Collection, Mapping
from itertools import chain
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from gateway.counts import Counts, Route
from gateway.edge.problems import problem_bytes
from gateway.errors import (
    GatewayError,
    HeadersTooLarge,
    Malformed,
    MethodNotAllowed,
    UriTooLong,
)

MAX_HEADER_BYTES: Final = 16 * 1024
MAX_HEADER_COUNT: Final = 100
MAX_TARGET_BYTES: Final = 8 * 1024

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

#: Fields that mean something only when they come once; of two, two readers could pick two.
SINGLE: Final = frozenset(
    {
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"dpop",
        b"host",
        b"idempotency-key",
        b"origin",
        b"transfer-encoding",
        b"x-csrf-token",
        b"x-request-id",
    }
)

#: Where the scope keeps the header fields as a dictionary for the layers behind. Of a field that
#: came several times it holds the last; those of `SINGLE` came once.
FIELDS: Final = "qianjiang.fields"

_ABSOLUTE = re.compile(rb"\Ahttps?://([^/?]+)(.*)\Z", re.IGNORECASE | re.DOTALL)
_CONTROL = re.compile(rb"%(?:[01][0-9a-f]|7f)", re.IGNORECASE)
_REQUEST_ID = re.compile(rb"\A[A-Za-z0-9._-]{1,64}\Z")


def fault(scope: HTTPScope, hosts: Collection[bytes]) -> GatewayError | None:
    """Why a request may not go further, or None. `hosts` are the names it may be addressed to."""
    if scope["method"] not in METHODS:
        return MethodNotAllowed(sorted(METHODS))
    if (found := _target_fault(scope)) is not None:
        return found
    fields = checked_fields(list(scope["headers"]), hosts)
    if isinstance(fields, GatewayError):
        return fields
    scope[FIELDS] = fields  # type: ignore[typeddict-unknown-key]  # ours alone
    return None


def _target_fault(scope: HTTPScope) -> GatewayError | None:
    path, query = scope["path"], scope["query_string"]
    if len(path) + len(query) > MAX_TARGET_BYTES or len(scope["raw_path"]) > MAX_TARGET_BYTES:
        return UriTooLong()
    # `http://other/x` and `//other/x` name another host than the Host field does.
    if path[:1] != "/" or path[:2] == "//" or scope["raw_path"][:1] != b"/":
        return _malformed("the request target must be a path")
    if not path.isprintable() or "\\" in path or not query.isascii():
        return _malformed("the request target holds a character that is not allowed")
    if query:
        # What is a control character once decoded ends in a column or a header field one day.
        if _CONTROL.search(query):
            return _malformed("the request target holds a character that is not allowed")
        # RFC 6750 5.3: tokens in addresses end in logs and histories.
        if b"access_token" in query:
            return _malformed("a token does not travel in the request target")
    return None


def origin_form(target: bytes, headers: Collection[tuple[bytes, bytes]]) -> bytes:
    """A request's target as a path with its query.

    An absolute form must be taken (RFC 9112 3.2.2), and must name the host that Host names: else
    two machines would read it differently.

    Raises:
        Malformed: it names another host, or is no path and no address.
    """
    if b"#" in target:
        raise _malformed("the request target has no fragment")
    if target[:1] == b"/":
        return target
    form = _ABSOLUTE.match(target)
    if form is None or form[1].lower() != dict(headers).get(b"host", b"").lower():
        raise _malformed("the request target must be a path")
    return form[2] if form[2][:1] == b"/" else b"/" + form[2]


def checked_fields(
    headers: list[tuple[bytes, bytes]], hosts: Collection[bytes]
) -> dict[bytes, bytes] | GatewayError:
    """The header fields as a dictionary, or why their request may not go further."""
    fields = dict(headers)
    # Names are lower case by the ASGI specification, so a repeated one shortens the dictionary.
    if len(fields) == len(headers):
        text = b"".join([*fields, *fields.values()])
    elif (repeated := _repeated(headers)) is not None:
        return repeated
    else:
        text = b"".join(chain.from_iterable(headers))
    if len(text) > MAX_HEADER_BYTES or len(headers) > MAX_HEADER_COUNT:
        return HeadersTooLarge()
    if not text.isascii():
        return _malformed("the header fields hold bytes beyond ASCII")
    host = fields.get(b"host")
    if host not in hosts and (host is None or host.lower() not in hosts):
        return _malformed("the Host field must name this gateway")
    length = fields.get(b"content-length")
    if length is not None and not (length.isdigit() and len(length) <= 18):
        return _malformed("the Content-Length field must be a number")
    if b"transfer-encoding" in fields or b"upgrade" in fields:
        return _framing_fault(fields) or fields
    return fields


def _repeated(headers: list[tuple[bytes, bytes]]) -> GatewayError | None:
    names = [name for name, _ in headers]
    if any(name in SINGLE and names.count(name) > 1 for name in set(names)):
        return _malformed("a header field that may come once came twice")
    return None


def _framing_fault(fields: dict[bytes, bytes]) -> GatewayError | None:
    coding = fields.get(b"transfer-encoding")
    if coding is not None and b"content-length" in fields:
        return _malformed("Content-Length and Transfer-Encoding exclude each other")
    if coding is not None and coding.lower() != b"chunked":
        return _malformed("the only transfer coding is chunked")
    if b"upgrade" in fields:
        return _malformed("the connection cannot be upgraded")
    return None


def _malformed(reason: str) -> Malformed:
    return Malformed([("", reason)])


class HeaderGuard:
    """An ASGI application around another: `HeaderGuard(app, hosts)`.

    `hosts` are the Host values (with the port where it is not the default) of this gateway, in
    lower case. A request that carries a well-formed `X-Request-ID` gets it back. `refused` counts
    those that go no further.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], refused: Route | None = None) -> None:
        if not hosts:
            raise ValueError("a gateway that answers to every Host answers to none: name them")
        self._app = app
        self._refused = refused or Counts().route("refused")
        self.hosts = frozenset(host.lower().encode("ascii") for host in hosts)
        #: A way around the application, for the server's protocol (gateway/edge/shortcut.py).
        self.shortcuts: object = None

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # No coroutine of its own: what is good is the inner application's from here on.
        if scope["type"] != ScopeType.HTTP:
            # Life span events pass; a WebSocket has no route here and is refused by the router.
            return self._app(scope, receive, send)
        found = fault(scope, self.hosts)
        if found is not None:
            return _refuse(found, send, self._refused)
        return self._app(scope, receive, _echoing(scope, send))


async def _refuse(found: GatewayError, send: Send, refused: Route) -> None:
    status, headers, body = problem_bytes(found)
    # Whatever follows on this connection may be the other half of a smuggled request.
    headers.append((b"connection", b"close"))
    refused.answered(status, 0.0)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _echoing(scope: HTTPScope, send: Send) -> Send:
    """`send`, adding the request's own `X-Request-ID` where it has one that is harmless."""
    echoed = harmless_id(fields_of(scope))
    if not echoed:
        return send

    async def send_with_id(event: Message) -> None:
        if event["type"] == "http.response.start":
            event["headers"] = [*event["headers"], *echoed]
        await send(event)

    return send_with_id


def harmless_id(fields: Mapping[bytes, bytes]) -> tuple[tuple[bytes, bytes], ...]:
    """The request's own `X-Request-ID` as a field of its answer, where it has a harmless one."""
    value = fields.get(b"x-request-id")
    return ((b"x-request-id", value),) if value is not None and _REQUEST_ID.match(value) else ()


def fields_of(scope: HTTPScope) -> dict[bytes, bytes]:
    """The header fields of a request that passed the guard."""
    fields: dict[bytes, bytes] = scope[FIELDS]  # type: ignore[typeddict-item]  # as above
    return fields
