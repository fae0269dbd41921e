"""A search's receipt covers every column it claims to cover."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.search_evidence import SearchRecord, head, receipt

BASE = SearchRecord(
    id=UUID(int=1),
    received_us=2,
    party=3,
    party_revision=4,
    sector=5,
    citizen=UUID(int=6),
    standing_version=7,
    evaluated=(1, 2, 3),
    found=(2,),
    consents=(UUID(int=8).bytes,),
    consent_versions=(9,),
    since_us=12,
    until_us=13,
    score_as_of=date(2026, 1, 1),
    facts_hash=b"hash",
    staff="desk",
    reference="case",
)

CHANGES: list[tuple[str, Any]] = [
    *((name, UUID(int=99)) for name in ("id", "citizen")),
    *((name, 99) for name in ("received_us", "party", "party_revision", "sector")),
    *((name, 99) for name in ("standing_version", "since_us", "until_us")),
    *(("evaluated", numbers) for numbers in ((), (1, 2), (1, 2, 4), (1, 2, 3, 4), (3, 2, 1))),
    ("found", (3,)),
    ("consents", (UUID(int=99).bytes,)),
    ("consent_versions", (8,)),
    ("score_as_of", date(2026, 1, 2)),
    ("score_as_of", None),
    ("facts_hash", b"other"),
    *((name, text) for name in ("staff", "reference") for text in (None, "", "deskc")),
]


def test_every_column_is_tried() -> None:
    assert {name for name, _ in CHANGES} == set(SearchRecord.__struct_fields__)


@pytest.mark.parametrize(("name", "value"), CHANGES)
def test_a_changed_column_changes_the_receipt(name: str, value: Any) -> None:
    other = msgspec.structs.replace(BASE, **{name: value})
    assert receipt(other, 1, 2) != receipt(BASE, 1, 2)


def test_the_commits_two_instants_are_covered() -> None:
    assert len({receipt(BASE, 1, 2), receipt(BASE, 2, 1), receipt(BASE, 1, 3)}) == 3


numbers = st.lists(st.integers(0, 3), max_size=3).map(tuple)


@given(numbers, numbers, numbers, numbers)
def test_lists_never_run_into_each_other(
    asked: tuple[int, ...], found: tuple[int, ...], other: tuple[int, ...], more: tuple[int, ...]
) -> None:
    """What was asked and what was found stand side by side; their lengths tell them apart."""

    def with_lists(evaluated: tuple[int, ...], found: tuple[int, ...]) -> bytes:
        return head(
            msgspec.structs.replace(
                BASE,
                evaluated=evaluated,
                found=found,
                consents=tuple(UUID(int=number).bytes for number in found),
                consent_versions=found,
            )
        )

    same = (asked, found) == (other, more)
    assert (with_lists(asked, found) == with_lists(other, more)) == same


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_texts_never_run_into_each_other(a: str, b: str, c: str, d: str) -> None:
    one = msgspec.structs.replace(BASE, staff=a, reference=b)
    two = msgspec.structs.replace(BASE, staff=c, reference=d)
    assert (head(one) == head(two)) == ((a, b) == (c, d))
