"""A value, and every way in which a single part of it can be odd."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Final

Path = tuple[str | int, ...]

#: What may stand where something else should. A whole number is never written with a fraction
#: here, for a schema cannot tell 1.0 from 1.
_PALETTE: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1, 2, 31, 1.5, 2**31, 2**53, 253_402_300_800),
    *("", "x", "T1", "2026-02-30", "2026-01-01", "code", "x" * 41, "x" * 300, "x" * 5000, "示例"),
    *("330100", "030100", "https://credit.ningbo.example/", "http://credit.ningbo.example", "#"),
    *([], [[]], {}, {"x": 1}, ["x"], ["library"], ["library"] * 101),
)


def variants(value: Any) -> Iterator[tuple[Path, Any]]:
    """Where a value was changed, and what it is then."""
    for path in _places(value):
        for odd in _instead(_at(value, path)):
            yield path, _with(value, path, odd)
        if path and isinstance(_at(value, path[:-1]), dict):
            yield path, _without(value, path)
        if isinstance(_at(value, path), dict):
            yield (*path, "unknown"), _with(value, (*path, "unknown"), 1)


def _instead(value: Any) -> Iterator[Any]:
    yield from _PALETTE
    if isinstance(value, str):
        yield from (value + "\n", " " + value, value + "x", value[:-1], value + "\0")
    elif isinstance(value, int):
        yield from (str(value), [value], -value)
    elif isinstance(value, list):
        yield from (value * 2, value[:1], value * 9, value * 402, [None, *value[1:]])


def _places(value: Any) -> Iterator[Path]:
    yield ()
    inner: Any = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = list(enumerate(value))[:1]  # the others are alike
    for name, each in inner:
        for path in _places(each):
            yield (name, *path)


def _at(value: Any, path: Path) -> Any:
    for name in path:
        value = value[name]
    return value


def _with(value: Any, path: Path, odd: Any) -> Any:
    if not path:
        return odd
    changed = copy.deepcopy(value)
    _at(changed, path[:-1])[path[-1]] = odd
    return changed


def _without(value: Any, path: Path) -> Any:
    changed = copy.deepcopy(value)
    del _at(changed, path[:-1])[path[-1]]
    return changed
