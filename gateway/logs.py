"""Logs: one JSON object a line, made of a closed set of keys whose values have a closed shape.

Nothing about a person can be written by accident: an unknown key, or a known key with a value of
another shape, is counted under `dropped` and its value goes nowhere. Words are short and without
digits, so that no identity number, telephone number, token or subject can pass as one. Records of
libraries are reduced to their logger, level and place in the source: their texts are theirs, and
may quote an address, a header or an SQL parameter.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final

import msgspec
import structlog

from gateway.clock import SECOND_US, rfc3339

#: Frames of a failure that are told, the innermost last.
PLACES_MAX: Final = 12

Fits = Callable[[object], bool]


def _like(pattern: str) -> Fits:
    whole = re.compile(rf"\A(?:{pattern})\Z", re.ASCII)
    return lambda value: isinstance(value, str) and whole.match(value) is not None


_word = _like(r"[A-Za-z][A-Za-z_.-]{0,63}")
#: A class of exception, or a few small words and an HTTP status.
_error = _like(r"[A-Za-z][A-Za-z_.-]{0,63}|[a-z]{1,20}(?: [a-z]{1,20}){0,3}(?: [1-5][0-9]{2})?")
_message = _like(r"msg_[A-Za-z0-9_-]{8,64}")
_sqlstate = _like(r"[0-9A-Z]{5}")
_city = _like(r"[0-9]{6}")  # GB/T 2260
_place = _like(r"[\w./<>@+~ -]{1,200}:[0-9]{1,6} [\w<>]{1,80}")


def _places(value: object) -> bool:
    return isinstance(value, list) and all(_place(each) for each in value)


def _count(value: object) -> bool:
    # Eleven digits are a telephone number, eighteen an identity number.
    return isinstance(value, int | float) and abs(value) < 1_000_000_000


#: Every key that a line may have, and the shape of its value.
ALLOWED: Final[Mapping[str, Fits]] = {
    **dict.fromkeys(("event", "level", "logger"), _word),
    **dict.fromkeys(("code", "job", "kind", "origin", "outcome", "reason"), _word),
    **dict.fromkeys(("scenario", "dependency", "place"), _word),
    "city": _city,  # left out where it is not known which
    **dict.fromkeys(("attempts", "count", "status", "took_ms"), _count),
    "error": _error,
    "message": _message,  # a webhook message's own random id
    "sqlstate": _sqlstate,
    "places": _places,
}


class Words(dict[str, Any]):
    """What the gateway says of itself; a library's record is never one."""


def configure() -> None:
    """Send every log line of this process, ours and the libraries', through here to stderr.

    Libraries speak from WARNING on. Called once by everything that serves or works in the
    background; tests and commands for people keep their own ways.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in list(logging.root.manager.loggerDict):
        library = logging.getLogger(name)
        library.handlers, library.propagate = [], True
    logging.getLogger("gateway").setLevel(logging.INFO)
    logging.captureWarnings(True)
    sys.unraisablehook = _unraisable
    structlog.configure(
        processors=[structlog.stdlib.add_log_level, _to_record],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _to_record(_: object, __: str, said: Any) -> tuple[tuple[Words], dict[str, Any]]:
    return (Words(said),), {}


class Lines(logging.Formatter):
    """A log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        said = record.msg if isinstance(record.msg, Words) else _foreign(record)
        line = {"at": rfc3339(round(record.created * SECOND_US)), "logger": record.name}
        return msgspec.json.encode(line | kept(said)).decode()


def kept(said: Mapping[str, object]) -> dict[str, object]:
    """What of a statement may be written; `dropped` counts what may not."""
    known = {
        key: value
        for key, value in said.items()
        if (fits := ALLOWED.get(key)) is not None and fits(value)
    }
    lost = len(said) - len(known)
    return known | {"dropped": lost} if lost else known


def places_of(trace: TracebackType | None) -> list[str]:
    """Where a failure arose, innermost last: file, line and function, no values."""
    frames = traceback.extract_tb(trace)[-PLACES_MAX:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def _foreign(record: logging.LogRecord) -> dict[str, object]:
    said: dict[str, object] = {"event": "library", "level": record.levelname.lower()}
    if record.exc_info and record.exc_info[1] is not None:
        said["error"] = type(record.exc_info[1]).__name__
        said["places"] = places_of(record.exc_info[2])
    else:
        # Together with the library's version this finds the words it would have said.
        said["places"] = [f"{record.pathname}:{record.lineno} {record.funcName}"]
    return said


def _unraisable(fault: Any) -> None:
    error, places = fault.exc_type.__name__, places_of(fault.exc_traceback)
    structlog.get_logger(__name__).error("unraisable", error=error, places=places)
