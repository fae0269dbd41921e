"""A scenario as data: who may ask what of whom, by which rule, in which words.

The structs mirror `scenario.toml` key by key. They are checked for form when they are read; what
the parts mean together is checked in `scenarios.checks`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from scenarios.calendar import DAY_US, day_number, midnight_us, to_date
from scenarios.grammar import Test
from scenarios.units import Unit

_SHANGHAI = timezone(timedelta(hours=8))
_NOON_US = DAY_US // 2

Name = Annotated[str, Meta(pattern=r"\A[a-z][a-z0-9_]{0,39}\Z")]
SemVer = Annotated[
    str, Meta(pattern=r"\A(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\Z", max_length=32)
]
Words = Annotated[str, Meta(min_length=2, max_length=2000)]
#: JSON numbers are exact up to here (RFC 8259, section 6).
Safe = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Scalar = bool | Safe | str
Value = Scalar | tuple[Scalar, ...]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a manifest; an unknown key is a fault."""


class Text(_Part, frozen=True):
    """Words for citizens in both languages; the Chinese text is the binding one."""

    zh: Words
    en: Words


class Citation(_Part, frozen=True):
    """A law or plan, and the article that the scenario rests on."""

    doc: Words
    article: str
    url: str | None = None


class Consent(_Part, frozen=True):
    """What the citizen is asked to allow, and the exact words of it.

    `fields` name what the recipient learns. `separate` is true where the law wants a consent of
    its own (PIPL 23, 29). `frequency_per_day` limits how often a day the consent answers; none
    by default.
    """

    version: SemVer
    fields: Annotated[tuple[Name, ...], Meta(min_length=1)]
    max_duration_days: Annotated[int, Meta(ge=1, le=3660)]
    separate: bool
    zh: Words
    en: Words
    frequency_per_day: Annotated[int, Meta(ge=1, le=1000)] | None = None

    @property
    def text_sha256(self) -> bytes:
        """The hash that a stored consent names as the text it was given under."""
        return text_sha256(self.version, self.zh)


class Commitment(_Part, frozen=True):
    """The promise a citizen signs (信用承诺), and the exact words of it."""

    template: Name
    version: SemVer
    zh: Words
    en: Words

    @property
    def text_sha256(self) -> bytes:
        """The hash that the citizen's device signs, of the very text shown."""
        return text_sha256(self.version, self.zh)


class FactSpec(_Part, frozen=True):
    """One fact that the asking party sends.

    `min` and `max` bound a number; `max_length` and `pattern` (without anchors, the whole text
    must match) a text. `used_for` names what else needs a fact that no clause reads: facts that
    nothing needs are not collected (PIPL 6).
    """

    name: Name
    unit: Unit
    zh: Words
    en: Words
    min: Safe | None = None
    max: Safe | None = None
    max_length: Annotated[int, Meta(ge=1, le=256)] | None = None
    pattern: str | None = None
    optional: bool = False
    used_for: Literal["order", "stock"] | None = None


class Dated(_Part, frozen=True):
    """A parameter's value from the start of a day in Asia/Shanghai on, and where it comes from.

    `illustrative` marks a number that is invented and no official figure.
    """

    start: date = msgspec.field(name="from")
    value: Value
    source: Words
    illustrative: bool = False

    @property
    def start_us(self) -> int:
        """The instant from which the value is in force, in microseconds."""
        return midnight_us(self.start)


class Parameter(_Part, frozen=True):
    """A number or list of the city, by date; with `by`, one value for each band 0 to 5."""

    name: Name
    unit: Unit
    zh: Words
    en: Words
    dated: Annotated[tuple[Dated, ...], Meta(min_length=1)]
    by: Literal["standing.band"] | None = None

    def at(self, t: int) -> Dated | None:
        """The value in force at `t` (microseconds), or None before the first one."""
        in_force = [dated for dated in self.dated if dated.start_us <= t]
        return in_force[-1] if in_force else None


class Clause(_Part, frozen=True):
    """One question of the rule, what follows when it is not met, and words for the citizen."""

    id: Name
    fails: Literal["standard_path", "cannot_assess"]
    when: Test
    zh: Words
    en: Words
    help_zh: Words
    help_en: Words


class Obligation(_Part, frozen=True):
    """What a party owes the citizen with the benefit, the same for everybody."""

    id: Name
    zh: Words
    en: Words


class Manifest(_Part, frozen=True):
    """A whole scenario, as written in its `scenario.toml`."""

    id: Name
    version: SemVer
    status: Literal["draft", "live", "sunset"]
    owner: Words
    title: Text
    summary: Text
    legal_basis: Annotated[tuple[Citation, ...], Meta(min_length=1)]
    purposes: Annotated[tuple[Name, ...], Meta(min_length=1)]
    reads: tuple[Name, ...]
    consent: Consent
    facts: Annotated[tuple[FactSpec, ...], Meta(min_length=1)]
    #: With the universal ones they fit the 63 bits of a record's bitmap.
    clauses: Annotated[tuple[Clause, ...], Meta(min_length=1, max_length=55)]
    obligations: Annotated[tuple[Obligation, ...], Meta(min_length=1)]
    example: dict[str, Any]
    parameters: tuple[Parameter, ...] = ()
    commitment: Commitment | None = None

    def canonical(self) -> bytes:
        """The manifest as bytes that are equal exactly where the manifests are."""
        return msgspec.json.encode(self, order="deterministic")

    def example_at(self, t: int) -> dict[str, Any]:
        """Facts that are valid when asked at `t` (microseconds).

        A time is written in the manifest as `{ in_days = n }`, so that an example never expires.
        """
        return {name: _example_value(value, t) for name, value in self.example.items()}

    def public(self, t: int) -> dict[str, Any]:
        """What anybody may read of the scenario at `t`: the rule is published (深圳 29, 39)."""
        document: dict[str, Any] = msgspec.to_builtins(self)
        document["example"] = self.example_at(t)
        document["consent"]["text_sha256"] = self.consent.text_sha256.hex()
        if self.commitment is not None:
            document["commitment"]["text_sha256"] = self.commitment.text_sha256.hex()
        return document


def text_sha256(version: str, zh: str) -> bytes:
    """SHA-256 over the version, a line feed and the Chinese text, in UTF-8.

    The mini-app computes the same from what it shows, before the citizen signs.
    """
    return hashlib.sha256(f"{version}\n{zh}".encode()).digest()


def _example_value(value: Any, t: int) -> Any:
    if not isinstance(value, Mapping):
        return value
    noon_us = midnight_us(to_date(day_number(t) + value["in_days"])) + _NOON_US
    noon = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=noon_us)
    return noon.astimezone(_SHANGHAI).isoformat()
