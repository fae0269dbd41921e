"""What these tests share: a short calendar, the packaged scenarios, a sample of all forms."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from scenarios.calendar import Calendar
from scenarios.compiler import Compiled, compile_scenario
from scenarios.facts import to_us
from scenarios.grammar import Test, parse_test
from scenarios.manifest import Clause, Manifest
from scenarios.registry import Registry, load_registry, parse_manifest

#: Invented days off and make-up days; the real ones are the gateway's to supply.
CALENDAR = Calendar(
    holidays=frozenset({date(2026, 1, 1), date(2026, 1, 2), date(2026, 2, 4)}),
    workdays=frozenset({date(2026, 1, 4), date(2026, 2, 7)}),
    source="tests",
    covers=(date(2025, 12, 20), date(2026, 2, 20)),
)

PACKAGED = files("scenarios")
NAMES = ("hospital", "library", "points", "recognition", "rent")
SAMPLE = Path(__file__).with_name("sample.toml").read_text(encoding="utf-8")


@cache
def packaged() -> Registry:
    """The five scenarios, compiled."""
    return load_registry(CALENDAR)


@cache
def sample() -> Manifest:
    """The manifest that uses every form of the grammar."""
    return parse_manifest(SAMPLE, "sample.toml")


def with_clauses(*clauses: Clause) -> Manifest:
    """The sample with other clauses; what they read need not be declared."""
    return msgspec.structs.replace(sample(), clauses=clauses)


def clause(when: Test | dict[str, Any], fails: str = "standard_path", name: str = "c") -> Clause:
    """A clause that asks `when`, which may be given as the TOML spells it."""
    test = parse_test(when, ("when",)) if isinstance(when, dict) else when
    words = dict.fromkeys(("zh", "en", "help_zh", "help_en"), "文字")
    return msgspec.convert({"id": name, "fails": fails, "when": test, **words}, Clause)


def compiled(manifest: Manifest) -> Compiled:
    """A manifest compiled with the short calendar."""
    return compile_scenario(manifest, CALENDAR)


def us(text: str) -> int:
    """An RFC 3339 time in microseconds since the Unix epoch."""
    return to_us(datetime.fromisoformat(text).astimezone(UTC))


def facts_of(scenario: Compiled, /, **sent: Any) -> msgspec.Struct:
    """Facts as a party sends them, decoded as the gateway does."""
    return msgspec.json.decode(msgspec.json.encode(sent), type=scenario.facts_type)
