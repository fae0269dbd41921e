"""The token endpoint's request body: strict `application/x-www-form-urlencoded` (RFC 6749 3.2)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl

#: More parameters than any grant knows.
MAX_FIELDS: Final = 32

_FORM = re.compile(
    r'\A[ \t]*application/x-www-form-urlencoded[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?\Z',
    re.IGNORECASE,
)


def is_form(content_type: str) -> bool:
    """Whether a content type says form parameters in UTF-8."""
    return _FORM.match(content_type) is not None


def read_form(body: bytes) -> dict[str, str] | None:
    """Parameters by name, or None where they are malformed or one comes twice.

    A parameter without a value counts as left out, but two of them still as two: what a proxy
    and we might read differently is refused.
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:  # UnicodeDecodeError among them
        return None
    form = dict(pairs)
    if len(form) != len(pairs):
        return None
    return {name: value for name, value in form.items() if value}
