"""The text's limits fit together, and are those of the schemas and of the gateway."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from gateway.claims import RULES, Kind
from gateway.edge.body import CONSENT_BYTES
from gateway.local.region_rules import fault_of_size
from gateway.recognition.home_city import ANSWER_BYTES, TIMEOUT_S
from gateway.recognition.status_fetch import FETCH_S, LIST_BYTES
from gateway.recognition.trust_fetch import EVERY_S
from gateway.recognition.trust_fetch import TIMEOUT_S as LIST_TIMEOUT_S
from gateway.recognition.trust_list import MAX_BYTES, STATEMENTS_MAX
from tests.protocol import schemas
from tests.protocol.making import agreements, trust_lists
from tests.protocol.making.world import A, B, entry

TEXT: Final = Path(__file__).parents[2].joinpath("docs/protocol/recognition.md").read_text("utf-8")
WORDS: Final = " ".join(TEXT.split())

CITIES, AGREEMENTS, OPERATORS = 400, 1_000, 4
ENTRY_BYTES, STATEMENT_CHARS = 1_720, 560


@pytest.mark.parametrize(
    "says",
    [
        f"at most {CITIES} entries and {AGREEMENTS:,} agreements, "
        f"an agreement at most {STATEMENTS_MAX:,} statements",
        f"at most the {MAX_BYTES:,} characters",
        f"Entries of {ENTRY_BYTES:,} bytes and agreements of four statements of {STATEMENT_CHARS}",
        f"each of the {CITIES * (CITIES - 1) // 2:,} pairs of {CITIES} cities",
        f"within {FETCH_S:.0f} s and {LIST_BYTES:,} bytes",
        f"a city SHOULD answer within {TIMEOUT_S:.0f} s, the region within {LIST_TIMEOUT_S:.0f} s",
        f"a body of more than {CONSENT_BYTES >> 10} KiB",
        f"at most {ANSWER_BYTES >> 10} KiB",
    ],
)
def test_the_text_names_the_limits_of_the_code(says: str) -> None:
    assert says.lower() in WORDS.lower()


def test_a_list_is_fetched_as_often_as_the_text_wants() -> None:
    assert EVERY_S * 1.1 + LIST_TIMEOUT_S < 20


def test_both_numbers_of_a_list_fit_into_its_characters() -> None:
    usual = len(json.dumps(entry(A), ensure_ascii=False, separators=(",", ":")).encode())
    assert usual <= ENTRY_BYTES
    assert len(agreements.statement(B, 1)) <= STATEMENT_CHARS
    parts = [ENTRY_BYTES] * CITIES + [STATEMENT_CHARS] * OPERATORS * AGREEMENTS
    assert fault_of_size(parts, AGREEMENTS) is None
    assert fault_of_size([*parts, 200_000], AGREEMENTS) is not None


@pytest.mark.parametrize(("member", "most"), [("cities", CITIES), ("agreements", AGREEMENTS)])
def test_schema_and_decoder_end_a_list_where_the_text_does(member: str, most: int) -> None:
    def is_good(number: int) -> bool:
        claims: dict[str, Any] = trust_lists.claims(**{member: [{}] * number})
        try:
            RULES[Kind.TRUST_LIST].decode.decode(json.dumps(claims).encode())
        except msgspec.ValidationError:
            assert not schemas.is_valid("trust-list", claims)
            return False
        return schemas.is_valid("trust-list", claims)

    assert [is_good(most), is_good(most + 1)] == [True, False]
