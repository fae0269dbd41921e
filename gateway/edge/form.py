"""Form bodies, as OAuth sends them: each parameter once, in UTF-8 (RFC 6749 3.2, appendix B)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from litestar.types import Receive, Scope

from gateway.edge.body import BODY_DEADLINE_S, read_raw
from gateway.errors import Malformed, UnsupportedMediaType

MAX_PARAMETERS: Final = 32

_FORM = re.compile(
    rb'\A[ \t]*application/x-www-form-urlencoded[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?\Z',
    re.IGNORECASE,
)
_ESCAPES = re.compile(rb"%(?![0-9A-Fa-f]{2})")


async def read_form(
    scope: Scope, receive: Receive, *, limit_bytes: int, deadline_s: float = BODY_DEADLINE_S
) -> dict[str, str]:
    """The parameters of a form body.

    Raises:
        UnsupportedMediaType: the content type is absent, repeated or not a form in UTF-8.
        Malformed: a parameter comes twice, or the text is not a form.
        TooLarge, TooSlow, ClientGone: as for every body.
    """
    types = [value for name, value in scope["headers"] if name == b"content-type"]
    if len(types) != 1 or not _FORM.match(types[0]):
        raise UnsupportedMediaType
    body = await read_raw(scope, receive, limit_bytes=limit_bytes, deadline_s=deadline_s)
    return parse_form(body)


def parse_form(raw: bytes) -> dict[str, str]:
    """Parameters of a form body or of a query, decoded; an empty text has none.

    Raises:
        Malformed: a parameter is repeated, there are too many, or the text holds bad escapes,
            bad UTF-8 or control characters. No name or value is repeated in the fault.
    """
    pairs = raw.split(b"&") if raw else []
    if len(pairs) > MAX_PARAMETERS:
        raise Malformed([("", "too many parameters")])
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition(b"=")
        if not name or not equals:
            raise Malformed([("", "a parameter is a name, an equals sign and a value")])
        key = _unquote(name)
        # Of two values one reader takes the first and another the last (RFC 6749 3.2).
        if key in found:
            raise Malformed([("", "a repeated parameter")])
        found[key] = _unquote(value)
    return found


def _unquote(raw: bytes) -> str:
    try:
        text = unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed([("", "a parameter is not UTF-8")]) from None
    if (
        _ESCAPES.search(raw)
        or not raw.isascii()
        or any(char < " " or char == "\x7f" for char in text)
    ):
        raise Malformed([("", "a parameter holds a character that is not allowed")])
    return text
