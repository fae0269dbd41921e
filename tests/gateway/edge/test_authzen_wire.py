"""Defaults and overrides: an item's member replaces the default as a whole, and no other way."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.edge.authzen_wire import Evaluations, Item, asked, searched
from gateway.errors import Malformed

Json = dict[str, Any]
QUICK = settings(max_examples=300, deadline=None)

PARTS = {"subject": ("type", "id"), "action": ("name",), "resource": ("type", "id")}
ONLY = {"subject": ("type", "citizen"), "action": ("name", "use"), "resource": ("type", "scenario")}


def entities(name: str) -> st.SearchStrategy[Json]:
    """An entity of a name, whole or not, of our type or another, with what is ignored."""
    texts = st.sampled_from([ONLY[name][1], ONLY[name][1], "other", "", "a", "b"])
    return st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(PARTS[name], texts) | {"properties": st.just({"id": "c"})},
    )


def items() -> st.SearchStrategy[Json]:
    """Some of the members of an evaluation."""
    contexts = st.dictionaries(st.sampled_from(["amount", "time"]), st.integers(0, 3))
    members = {name: entities(name) for name in PARTS} | {"context": contexts}
    return st.fixed_dictionaries({}, optional=members)


def naive(item: Json, default: Json, where: str) -> tuple[Json, set[str]]:
    """The same, in the words of the standard: the merged request, and the places of its faults."""
    merged = {**default, **item}
    faults = set()
    for name, parts in PARTS.items():
        place = where if name in item or name not in default else ""
        if name not in merged:
            faults.add(f"{place}/{name}")
            continue
        faults |= {f"{place}/{name}/{part}" for part in parts if part not in merged[name]}
        part, only = ONLY[name]
        if merged[name].get(part, only) != only:
            faults.add(f"{place}/{name}/{part}")
    return merged, faults


@QUICK
@given(default=items(), overrides=st.lists(items(), max_size=4))
def test_defaults_and_overrides_are_those_of_a_naive_reading(
    default: Json, overrides: list[Json]
) -> None:
    sent = msgspec.json.encode(default | {"evaluations": overrides})
    batch = msgspec.json.decode(sent, type=Evaluations)
    for place, item in enumerate(batch.evaluations):
        where = f"/evaluations/{place}"
        merged, faults = naive(overrides[place], default, where)
        if faults:
            with pytest.raises(Malformed) as refused:
                asked(item, batch, where)
            assert sorted(pointer for pointer, _ in refused.value.pointers) == sorted(faults)
            continue
        found = asked(item, batch, where)
        assert (found.subject, found.scenario) == (
            merged["subject"]["id"],
            merged["resource"]["id"],
        )
        context = msgspec.json.decode(found.context) if found.context else None
        assert context == merged.get("context")
        assert found.subject_at == (where if "subject" in overrides[place] else "")
        assert found.context_at == (where if "context" in overrides[place] else "")


@QUICK
@given(request=items())
def test_a_search_needs_all_but_the_id_of_what_is_searched(request: Json) -> None:
    merged, faults = naive(request, {}, "")
    foreign = {
        f"/{name}/{part}"
        for name, (part, only) in ONLY.items()
        if merged.get(name, {}).get(part, only) != only
    }
    missing = faults - foreign - {"/resource/id"}
    item = msgspec.json.decode(msgspec.json.encode(request), type=Item)
    if missing:
        with pytest.raises(Malformed) as refused:
            searched(item)
        assert {pointer for pointer, _ in refused.value.pointers} == missing
    else:
        assert searched(item) == (None if foreign else merged["subject"]["id"])
