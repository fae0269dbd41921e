"""The revision changes exactly where a decision could: manifest, figures, compiler, calendar."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from scenarios import compiler
from scenarios.compiler import compile_scenario
from scenarios.registry import parse_manifest
from tests.scenarios.worlds import CALENDAR, SAMPLE, compiled, packaged, sample


def test_the_same_manifest_has_the_same_revision_however_it_is_laid_out() -> None:
    spaced = SAMPLE.replace("\n\n", "\n\n# a remark\n\n").replace(" = ", "  =  ")
    assert compiled(parse_manifest(spaced, "x")).revision == compiled(sample()).revision


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("value = 2,", "value = 1,"),
        ("from = 2026-02-01", "from = 2026-02-02"),
        ("[0, 1, 2, 300, 400, 500]", "[0, 1, 2, 300, 400, 501]"),
        ('{ ge = ["standing.band"', '{ gt = ["standing.band"'),
        ('zh = "承诺"', 'zh = "承諾"'),
        ('version = "1.2.3"', 'version = "1.2.4"'),
        ("illustrative = true", "illustrative = false"),
        ("max = 1_000_000", "max = 1_000_001"),
        ('id = "fair"', 'id = "fairer"'),
    ],
)
def test_any_change_of_the_manifest_changes_the_revision(old: str, new: str) -> None:
    assert old in SAMPLE
    changed = parse_manifest(SAMPLE.replace(old, new, 1), "x")
    assert compiled(changed).revision != compiled(sample()).revision


@pytest.mark.parametrize(
    "change",
    [
        {"holidays": CALENDAR.holidays | {date(2026, 2, 5)}},
        {"workdays": CALENDAR.workdays | {date(2026, 2, 8)}},
        {"covers": (date(2025, 12, 20), date(2026, 2, 21))},
    ],
)
def test_a_change_of_the_calendar_changes_the_revision(change: dict[str, Any]) -> None:
    other = msgspec.structs.replace(CALENDAR, **change)
    assert compile_scenario(sample(), other).revision != compiled(sample()).revision


def test_where_the_calendar_comes_from_changes_nothing() -> None:
    other = msgspec.structs.replace(CALENDAR, source="another library with the same days")
    assert compile_scenario(sample(), other).revision == compiled(sample()).revision


def test_another_compiler_changes_the_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    before = compiled(sample()).revision
    monkeypatch.setattr(compiler, "COMPILER_VERSION", compiler.COMPILER_VERSION + 1)
    assert compiled(sample()).revision != before


def test_a_revision_is_thirty_two_bytes_and_no_two_scenarios_share_one() -> None:
    revisions = [scenario.revision for scenario in packaged().values()]
    assert {len(revision) for revision in revisions} == {32}
    assert len(set(revisions)) == len(revisions)
