"""The schemas, and whether a value is as one says.

Patterns are those of ECMA 262, in which `$` is the very end; Python's `$` also stands before a
newline at the end, so it is read as the former here.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

FOLDER: Final = Path(__file__).parents[2] / "docs" / "protocol" / "schemas"
NAMES = sorted(path.name for path in FOLDER.glob("*.json"))


def document(name: str) -> dict[str, Any]:
    """A schema as it is written."""
    read: dict[str, Any] = json.loads((FOLDER / name).read_text("utf-8"))
    return read


def is_valid(name: str, value: Any) -> bool:
    """Whether a value is as a schema says; `name` may point within it (`trust-list#agreement`)."""
    valid: bool = _validator(name).is_valid(value)
    return valid


@cache
def _validator(name: str) -> Any:
    file, _, inner = name.partition("#")
    reference = document(f"{file}.json")["$id"] + (f"#/$defs/{inner}" if inner else "")
    return _Validator({"$ref": reference}, registry=_registry(), format_checker=_formats)


@cache
def _registry() -> Any:
    read = [document(name) for name in NAMES]
    for each in read:
        del each["$schema"]  # it would bring the library's own reading of patterns back
    pairs = [(each["$id"], DRAFT202012.create_resource(each)) for each in read]
    return Registry().with_resources(pairs)


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[Any]:
    if isinstance(value, str) and not re.search(pattern.removesuffix("$") + r"\Z", value):
        yield jsonschema.ValidationError(f"not as {pattern} says")


_Validator = jsonschema.validators.extend(Draft202012Validator, {"pattern": _pattern})
_formats = jsonschema.FormatChecker(formats=())


def _is_date(value: object) -> bool:
    return not isinstance(value, str) or bool(datetime.date.fromisoformat(value))


_formats.checks("date", raises=ValueError)(_is_date)
