"""A receipt covers every column it claims to cover."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence import Record, facts_hash, head, receipt

BASE = Record(
    id=UUID(int=1),
    received_us=2,
    party=3,
    party_revision=4,
    policy=5,
    citizen=UUID(int=6),
    standing_version=7,
    consent=UUID(int=8),
    consent_version=9,
    outcome=1,
    clauses=11,
    since_us=12,
    until_us=13,
    score_as_of=date(2026, 1, 1),
    facts_hash=b"hash",
    staff="desk",
    reference="case",
    repeat_of=UUID(int=14),
)


@dataclass(frozen=True)
class Change:
    """Another value of one column."""

    name: str
    value: Any


CHANGES = [
    *(Change(name, UUID(int=99)) for name in ("id", "citizen", "consent", "repeat_of")),
    *(
        Change(name, 99)
        for name in ("received_us", "party", "party_revision", "policy", "standing_version")
    ),
    *(Change(name, 99) for name in ("consent_version", "outcome", "clauses", "since_us")),
    Change("until_us", 99),
    Change("score_as_of", date(2026, 1, 2)),
    Change("score_as_of", None),
    Change("facts_hash", b"other"),
    *(Change(name, text) for name in ("staff", "reference") for text in (None, "", "deskc")),
    *(Change(name, None) for name in ("consent", "repeat_of")),
]


def test_every_column_is_tried() -> None:
    assert {change.name for change in CHANGES} == set(Record.__struct_fields__)


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_changed_column_changes_the_receipt(change: Change) -> None:
    other = msgspec.structs.replace(BASE, **{change.name: change.value})
    assert receipt(other, 1, 2) != receipt(BASE, 1, 2)


def test_the_commits_two_instants_are_covered() -> None:
    assert len({receipt(BASE, 1, 2), receipt(BASE, 2, 1), receipt(BASE, 1, 3)}) == 3


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_texts_never_run_into_each_other(a: str, b: str, c: str, d: str) -> None:
    one = msgspec.structs.replace(BASE, staff=a, reference=b)
    two = msgspec.structs.replace(BASE, staff=c, reference=d)
    assert (head(one) == head(two)) == ((a, b) == (c, d))


def test_equal_facts_compare_for_one_recipient_and_scenario_only() -> None:
    key = bytes(32)
    same = facts_hash(key, 1, "rent", b"facts")
    assert same == facts_hash(key, 1, "rent", b"facts")
    others = {
        facts_hash(key, 2, "rent", b"facts"),
        facts_hash(key, 1, "library", b"facts"),
        facts_hash(key, 1, "rent", b"other"),
        facts_hash(b"k" * 32, 1, "rent", b"facts"),
    }
    assert len(others | {same}) == 5
