"""Agreements: this gateway decides as the vectors say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gateway.clock import SECOND_US
from gateway.recognition.agreements import State, conclude
from gateway.recognition.entry import parse_entry
from gateway.recognition.statements import Statements
from gateway.recognition.trust_list import TrustList
from tests.protocol.vectors import Case, cases


def verdict(given: dict[str, Any]) -> dict[str, Any] | str:
    now_us = given["now"] * SECOND_US
    read = [parse_entry(msgspec.json.encode(each)) for each in given["cities"]]
    listed = TrustList(
        iss=given["region"],
        serial=1,
        issued_us=now_us,
        expires_us=now_us + SECOND_US,
        content=b"",
        cities={city.entry.code: city for city in read},
        agreements={given["agreement"]: tuple(given["statements"])},
        left_out=(),
    )
    # Either city reads it, and both must read the same.
    found = {_read(listed, code, given["agreement"], now_us) for code in ("330100", "330200")}
    assert len(found) == 1
    answer: dict[str, Any] | str = msgspec.json.decode(found.pop())
    return answer


def _read(listed: TrustList, code: str, name: str, now_us: int) -> bytes:
    said = Statements(code).read(listed).get(name, ())
    agreement = conclude(name, said, now_us)
    if agreement is None:
        return msgspec.json.encode(State.PROPOSED)
    if agreement.state is not State.IN_FORCE:
        return msgspec.json.encode(agreement.state)
    terms = agreement.terms
    opened = {
        "cities": terms.cities,
        "scenarios": sorted(terms.scenarios),
        "scheme": {"id": terms.scheme.id, "version": terms.scheme.version},
    }
    return msgspec.json.encode(opened)


@pytest.mark.parametrize("case", cases("agreements.json"), ids=lambda case: case.id)
def test_statements_make_the_state_that_the_vectors_say(case: Case) -> None:
    assert verdict(case.given) == (case.reason or case.expect["accept"])
