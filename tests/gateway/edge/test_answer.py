"""An answer on the wire: its own struct, written by hand, and where a scenario's stock lies."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.decision import Answer
from gateway.edge.answer import EligibilityAnswer, Wire
from gateway.working_days import calendar
from scenarios.compiler import compile_scenario
from scenarios.contract import Outcome
from scenarios.registry import load_registry, parse_manifest
from tests.scenarios.worlds import SAMPLE

REGISTRY = load_registry(calendar())
TIMES = st.integers(1_700_000_000_000_000, 1_900_000_000_000_000)


@given(
    name=st.sampled_from(sorted(REGISTRY)),
    decision=st.uuids(),
    outcome=st.sampled_from(Outcome),
    at_us=TIMES,
    valid_until_us=TIMES,
    receipt=st.binary(min_size=32, max_size=32),
    score_as_of=st.none() | st.dates(min_value=date(2000, 1, 1)),
)
def test_what_is_written_by_hand_is_the_declared_struct(
    name: str,
    decision: UUID,
    outcome: Outcome,
    at_us: int,
    valid_until_us: int,
    receipt: bytes,
    score_as_of: date | None,
) -> None:
    written = Wire(REGISTRY[name]).encode(
        Answer(
            decision=decision,
            outcome=outcome,
            at_us=at_us,
            valid_until_us=valid_until_us,
            receipt=receipt,
            score_as_of=score_as_of,
        )
    )
    read = msgspec.json.decode(written, type=EligibilityAnswer)
    assert msgspec.json.encode(read) == written
    assert (read.decision_id, read.outcome) == (str(decision), outcome.wire)
    assert read.freshness.score_as_of == (score_as_of.isoformat() if score_as_of else None)


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_only_a_scenario_that_reads_stock_has_a_shelf(name: str) -> None:
    scenario = REGISTRY[name]
    facts = msgspec.convert(scenario.manifest.example_at(0), scenario.facts_type, strict=False)
    shelf = Wire(scenario).shelf(facts)
    assert (shelf is not None) == ("stock" in scenario.reads)


def test_stock_of_an_item_that_no_fact_names_is_not_known() -> None:
    scenario = compile_scenario(parse_manifest(SAMPLE, "sample/scenario.toml"), calendar())
    assert "stock" in scenario.reads
    assert Wire(scenario).shelf(scenario.facts_type()) is None
