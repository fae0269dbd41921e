"""Reading a request's body and turning it into a typed value: one way for every route.

Litestar decodes JSON without types first and converts leniently afterwards (`"1"` becomes 1, JSON
under `text/plain` passes, bad UTF-8 is a 500), and no ASGI server cuts a body that trickles in
byte by byte. So the gateway reads by itself: media type, size, time, structure, then one strict
msgspec decoder. `StrictRequest` gives the same to ordinary typed handlers.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec
from litestar import Request
from litestar.enums import RequestEncodingType
from litestar.types import Receive, Scope

from gateway.edge.patience import patience
from gateway.errors import ClientGone, GatewayError, Malformed, TooLarge, TooSlow
from gateway.errors import UnsupportedMediaType as WrongMediaType
from gateway.scan import DEFAULT_LIMITS, Limits, check, member

T = TypeVar("T")

#: Body caps in bytes by what a route takes.
ELIGIBILITY_BYTES: Final = 4 * 1024
CONSENT_BYTES: Final = 16 * 1024
COMMITMENT_BYTES: Final = 64 * 1024
EVALUATIONS_BYTES: Final = 128 * 1024
SEARCH_BYTES: Final = 16 * 1024

#: How long a whole body may take to arrive, in seconds; cut at most a tenth of it later.
BODY_DEADLINE_S: Final = 9.0

_JSON_UTF8 = re.compile(
    rb'\A[ \t]*application/json[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?\Z', re.IGNORECASE
)
_DIGITS = re.compile(rb"\A[0-9]{1,18}\Z")


def authzen_wrong_media() -> GatewayError:
    """The error for a wrong content type where AuthZEN 1.0 asks for 400 instead of 415."""
    return Malformed([("", "the content type must be application/json")])


async def read_body(
    scope: Scope,
    receive: Receive,
    *,
    limit_bytes: int,
    deadline_s: float = BODY_DEADLINE_S,
    wrong_media: Callable[[], GatewayError] = WrongMediaType,
) -> bytes:
    """The whole JSON body of a request, not yet decoded.

    `wrong_media` makes the error for a wrong or missing content type (AuthZEN).

    Raises:
        UnsupportedMediaType: the content type is absent, repeated or not JSON in UTF-8, or the
            body is said to be compressed.
        TooLarge: the body is, or says that it will be, larger than `limit_bytes`.
        TooSlow: the body was not whole after `deadline_s` seconds.
        ClientGone: the client went away before that.
    """
    check_media_type(scope, wrong_media)
    return await read_raw(scope, receive, limit_bytes=limit_bytes, deadline_s=deadline_s)


def check_media_type(
    scope: Scope, wrong_media: Callable[[], GatewayError] = WrongMediaType
) -> None:
    """Require exactly one content type, JSON in UTF-8.

    JSON under another type would let a foreign web page post it as a "simple request", without
    the browser asking first.
    """
    found = None
    for name, value in scope["headers"]:
        if name == b"content-type":
            if found is not None:
                raise wrong_media()
            found = value
    if found != b"application/json" and (found is None or not _JSON_UTF8.match(found)):
        raise wrong_media()


def are_plain(fields: Mapping[bytes, bytes], *, limit_bytes: int) -> bool:
    """Whether `check_fields` takes these for certain; nearly all requests are so."""
    length = fields[b"content-length"]
    return (
        fields.get(b"content-type") == b"application/json"
        and b"content-encoding" not in fields
        and length.isdigit()
        and int(length) <= limit_bytes
    )


def check_fields(fields: Mapping[bytes, bytes], *, limit_bytes: int) -> None:
    """What `read_body` asks of the header fields, where each is known to come once.

    Raises:
        UnsupportedMediaType, TooLarge: as `read_body`.
    """
    media = fields.get(b"content-type")
    if media != b"application/json" and (media is None or not _JSON_UTF8.match(media)):
        raise WrongMediaType
    if b"content-encoding" in fields and fields[b"content-encoding"].lower() != b"identity":
        raise WrongMediaType
    length = fields.get(b"content-length", b"0")
    if _DIGITS.match(length) and int(length) > limit_bytes:
        raise TooLarge


async def read_raw(
    scope: Scope, receive: Receive, *, limit_bytes: int, deadline_s: float = BODY_DEADLINE_S
) -> bytes:
    """The whole body whatever its type, within a size and a time; raises as `read_body` does."""
    for name, value in scope["headers"]:
        # Nothing here unpacks, so a body that says it is packed is not what it would be read as.
        if name == b"content-encoding" and value.lower() != b"identity":
            raise WrongMediaType
        if name == b"content-length" and _DIGITS.match(value) and int(value) > limit_bytes:
            raise TooLarge
    return await collect(receive, limit_bytes, deadline_s)


async def collect(receive: Receive, limit_bytes: int, deadline_s: float = BODY_DEADLINE_S) -> bytes:
    """The chunks of a body, within a size and a time; raises as `read_body` does."""
    bound = patience(deadline_s)
    task = bound.enter()
    try:
        event = await receive()
        # Nearly every body is one chunk, which is then not copied.
        chunk: bytes = event.get("body", b"") if event["type"] == "http.request" else b""
        if len(chunk) <= limit_bytes and chunk and not event.get("more_body", False):
            return chunk
        return await _rest(event, receive, limit_bytes)
    except asyncio.CancelledError:
        if bound.has_cut(task):
            raise TooSlow from None
        raise
    finally:
        bound.leave(task)


async def _rest(event: Any, receive: Receive, limit_bytes: int) -> bytes:
    """A body of several chunks, or one that must not pass, from its first event on."""
    chunks: list[bytes] = []
    size = 0
    while True:
        if event["type"] != "http.request":
            raise ClientGone
        chunk = event.get("body", b"")
        size += len(chunk)
        if size > limit_bytes:
            raise TooLarge
        chunks.append(chunk)
        if not event.get("more_body", False):
            return b"".join(chunks)
        event = await receive()


def decode(body: bytes, decoder: msgspec.json.Decoder[T], limits: Limits = DEFAULT_LIMITS) -> T:
    """A checked and typed value from a body.

    Raises:
        Malformed: with JSON Pointers; neither they nor the reasons carry a value.
    """
    check(body, limits)
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise Malformed([_explain(str(exc))]) from None


def decode_part(part: bytes | msgspec.Raw, decoder: msgspec.json.Decoder[T], where: str) -> T:
    """A typed value from a part of a body that was checked as a whole.

    `where` is the part's JSON Pointer.

    Raises:
        Malformed: as `decode` does.
    """
    try:
        return decoder.decode(part)
    except msgspec.DecodeError as exc:
        pointer, reason = _explain(str(exc))
        raise Malformed([(where + pointer, reason)]) from None


_PLACE = re.compile(
    r"\A(?P<text>.*?)(?: - at `\$(?P<path>(?:\.\w+|\[\d+\]|\[\.\.\.\])*)`)?\Z", re.DOTALL
)
_NAMED = re.compile(r"\AObject (missing required|contains unknown) field `(.*)`\Z", re.DOTALL)
_STEP = re.compile(r"\.([A-Za-z0-9_]+)|\[([0-9]+)\]")


def _explain(message: str) -> tuple[str, str]:
    """msgspec's message as a pointer (RFC 6901) and a reason without values."""
    place = _PLACE.match(message)
    text, path = (place["text"], place["path"] or "") if place else ("", "")
    # msgspec writes `[...]` for a key that the sender chose: the pointer ends at its object.
    path = path.split("[...]", 1)[0]
    pointer = "".join(f"/{name or index}" for name, index in _STEP.findall(path))
    if named := _NAMED.match(text):
        reason = "a required member is missing" if "missing" in named[1] else "an unknown member"
        return member(pointer, named[2]), reason
    # "Expected `int`, got `str`" speaks of the schema alone; other messages may quote a value.
    return pointer, text if text.startswith("Expected ") else "not a valid value"


@lru_cache(maxsize=256)
def decoder_for(annotation: Any) -> msgspec.json.Decoder[Any]:
    """The one strict decoder of a type."""
    return msgspec.json.Decoder(annotation, strict=True)


class StrictRequest(Request[Any, Any, Any]):
    """Litestar's request with the gateway's reader and decoder below a typed handler.

    Set as `request_class` of the application. A handler declares `data: JSONBody[SomeStruct]` as
    usual, so the OpenAPI document stays true; its size cap is Litestar's own
    `request_max_body_size`, and never above 64 KiB. `opt={"authzen": True}` answers a wrong
    media type with 400, `opt={"limits": Limits(...)}` changes the structure limits.
    """

    async def stream(self) -> AsyncGenerator[bytes, None]:
        handler = self.route_handler
        takes_json = "data" in handler.parsed_fn_signature.parameters and not _is_form(handler)
        if takes_json:
            check_media_type(
                self.scope, authzen_wrong_media if handler.opt.get("authzen") else WrongMediaType
            )
        limit = min(handler.resolve_request_max_body_size() or COMMITMENT_BYTES, COMMITMENT_BYTES)
        body = await read_raw(self.scope, self.receive, limit_bytes=limit)
        if takes_json and not body:
            raise Malformed([("", "a body is required")])
        yield body

    async def json(self) -> Any:
        handler = self.route_handler
        field = handler.parsed_fn_signature.parameters.get("data")
        decoder = decoder_for(Any if field is None else field.raw)
        return decode(await self.body(), decoder, handler.opt.get("limits", DEFAULT_LIMITS))


def _is_form(handler: Any) -> bool:
    field = handler.parsed_fn_signature.parameters["data"]
    media_type = getattr(field.kwarg_definition, "media_type", None)
    return media_type is not None and media_type != RequestEncodingType.JSON
