"""Invented facts about nobody, drawn from the shipped catalogue."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st

from scoring import Fact, Rejected, check_row, load_catalogue, load_model
from scoring.catalogue import Entry

TODAY = date(2026, 6, 15)
CATALOGUE = load_catalogue(TODAY)
MODEL = load_model(TODAY)
ENTRIES = tuple(CATALOGUE.entries.values())


def row(**changes: object) -> dict[str, object]:
    """A good row of an import file, with `changes`; a change to None takes the column away."""
    good: dict[str, object] = {
        "department": "utilities",
        "code": "months_paid_on_time",
        "value": "18",
        "effective": "2026-01-01",
        "source": "示例-0001",
    }
    merged = good | changes
    return {name: value for name, value in merged.items() if value is not None}


def penalty(**changes: object) -> dict[str, object]:
    """A good row of a negative fact, with `changes`."""
    negative: dict[str, object] = {
        "department": "enforcement",
        "code": "penalty",
        "value": "ordinary",
        "effective": "2024-03-01",
        "determined": "2024-03-01",
    }
    return row(**(negative | changes))


def fact_of(raw: dict[str, object]) -> Fact:
    """The fact of a row that must be good."""
    checked = check_row(raw, CATALOGUE, 1)
    assert isinstance(checked, Fact), checked
    return checked


def refused(raw: dict[str, object]) -> Rejected:
    """The refusal of a row that must be bad."""
    checked = check_row(raw, CATALOGUE, 7)
    assert isinstance(checked, Rejected), checked
    assert checked.line == 7
    return checked


def changed(fact: Fact, **changes: Any) -> Fact:
    """`fact` with some fields replaced."""
    return msgspec.structs.replace(fact, **changes)


def values(entry: Entry) -> list[int | str]:
    """All values of an entry, from worst to best."""
    if entry.levels:
        return [level.code for level in entry.levels]
    assert entry.most is not None
    numbers: list[int | str] = list(range(entry.least, entry.most + 1))
    return numbers[::-1] if entry.negative else numbers


@st.composite
def facts(draw: st.DrawFn, entries: tuple[Entry, ...] = ENTRIES) -> Fact:
    """Any admitted fact; few references, so that versions of one record meet."""
    entry = draw(st.sampled_from(entries))
    effective = TODAY - timedelta(days=draw(st.integers(-400, 2200)))
    determined = effective - timedelta(days=draw(st.integers(0, 100))) if entry.negative else None
    lasts = draw(st.none() | st.integers(1, 3000))
    return Fact(
        department=entry.department,
        code=entry.code,
        dimension=entry.dimension,
        value=draw(st.sampled_from(values(entry))),
        effective=effective,
        expires=None if lasts is None else effective + timedelta(days=lasts),
        determined=determined,
        source=f"示例-{draw(st.integers(1, 4))}",
        sphere=entry.sphere,
        merit=entry.merit,
    )


def files(entries: tuple[Entry, ...] = ENTRIES) -> st.SearchStrategy[list[Fact]]:
    """The facts on file of one person."""
    return st.lists(facts(entries), max_size=8)
