"""The struct that a party's facts are decoded into, made from their declarations.

Malformed facts never reach a rule: a wrong type, an unknown member or a number out of range fails
the strict decoding. A fact that is not sent stays `UNSET`, which the rule answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from scenarios.manifest import FactSpec, Manifest
from scenarios.units import Unit

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_S = 24 * 60 * 60


def facts_type(manifest: Manifest) -> type[msgspec.Struct]:
    """A frozen struct that takes the declared facts, each of them optional, and nothing else.

    An explicit `null` is malformed: what a party does not know it leaves out.
    """
    name = f"{manifest.id.title().replace('_', '')}Facts"
    return _struct(name, fact_fields(manifest), forbid_unknown_fields=True)


def among_others(name: str, fields: Mapping[str, Any]) -> type[msgspec.Struct]:
    """The same for facts that travel among other members, which are ignored.

    `fields` are of `fact_fields` or `kind`; those of several manifests may be put together.
    """
    return _struct(name, fields, forbid_unknown_fields=False)


def fact_fields(manifest: Manifest) -> dict[str, Any]:
    """What each declared fact is decoded into: its type with its bounds."""
    return {fact.name: _type(fact) | UnsetType for fact in manifest.facts}


def kind(fact: FactSpec) -> Any:
    """The type of a fact without the bounds that may differ between scenarios."""
    if fact.unit is Unit.TIME or fact.unit is Unit.FLAG:
        return _type(fact) | UnsetType
    return (int if fact.unit.is_number else str) | UnsetType


def _struct(
    name: str, fields: Mapping[str, Any], *, forbid_unknown_fields: bool
) -> type[msgspec.Struct]:
    return msgspec.defstruct(
        name,
        [(field, kind, UNSET) for field, kind in fields.items()],
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=forbid_unknown_fields,
        module=__name__,
    )


def to_us(time: datetime) -> int:
    """A time with its zone as microseconds since the Unix epoch (UTC)."""
    elapsed = time - _EPOCH
    return (elapsed.days * _DAY_S + elapsed.seconds) * 1_000_000 + elapsed.microseconds


def _type(fact: FactSpec) -> Any:
    """The annotation that decodes and bounds one fact."""
    if fact.unit is Unit.TIME:
        return Annotated[datetime, Meta(tz=True)]
    if fact.unit is Unit.FLAG:
        return bool
    if fact.unit.is_number:
        return Annotated[int, Meta(ge=fact.min, le=fact.max)]
    # `$` would let a trailing line feed pass, so the whole text is held by \A and \Z.
    pattern = None if fact.pattern is None else rf"\A(?:{fact.pattern})\Z"
    return Annotated[str, Meta(min_length=1, max_length=fact.max_length, pattern=pattern)]


def whole_text(pattern: str | None) -> re.Pattern[str]:
    """What a text must match from its beginning to its end; anything, where there is no pattern."""
    return re.compile("" if pattern is None else rf"\A(?:{pattern})\Z")


def is_pattern(text: str) -> bool:
    """Whether `text` is a regular expression."""
    try:
        re.compile(text)
    except re.error:
        return False
    return True
