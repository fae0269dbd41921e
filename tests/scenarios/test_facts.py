"""A party's facts are decoded strictly; what is not sent is an answer, not an error."""

from __future__ import annotations

import msgspec
import pytest

from scenarios.contract import Outcome, Values
from scenarios.facts import to_us
from tests.scenarios.worlds import compiled, packaged, sample, us

RENT = b'{"deposit_fen": %s, "rent_fen_per_day": 1, "due_at": "2026-11-09T12:00:00+08:00"}'


def decode(scenario: str, body: bytes) -> msgspec.Struct:
    found = packaged()[scenario] if scenario != "sample" else compiled(sample())
    return msgspec.json.decode(body, type=found.facts_type)


@pytest.mark.parametrize("sent", [b"1", b"10000000"])
def test_a_number_at_its_bounds_is_taken(sent: bytes) -> None:
    decode("rent", RENT % sent)


@pytest.mark.parametrize(
    "sent", [b"0", b"10000001", b"-1", b"1.5", b'"1"', b"true", b"null", b"[1]", b"1e400"]
)
def test_a_number_out_of_bounds_or_of_another_type_is_malformed(sent: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode("rent", RENT % sent)


@pytest.mark.parametrize(
    "due",
    ['"2026-11-09T12:00:00"', '"2026-11-09"', '"tomorrow"', "1762660800", '"2026-13-09T12:00:00Z"'],
)
def test_a_time_without_zone_or_sense_is_malformed(due: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode("rent", b'{"due_at": %s}' % due.encode())


@pytest.mark.parametrize("card", ["", "a b", "card\n", "é", "x" * 65, "card\u0000"])
def test_a_text_that_does_not_match_as_a_whole_is_malformed(card: str) -> None:
    body = msgspec.json.encode({"items": 1, "card": card})
    with pytest.raises(msgspec.ValidationError):
        decode("library", body)


@pytest.mark.parametrize("city", ["33010", "3301000", "３３０１００", "330100\n"])
def test_a_city_is_six_plain_digits(city: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode("recognition", msgspec.json.encode({"city": city, "scenario": "rent"}))


@pytest.mark.parametrize("name", ["band", "score", "waived_fen", "stock", "known"])
def test_a_party_cannot_send_what_the_city_knows(name: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        decode("rent", b'{"%s": 1}' % name.encode())


@pytest.mark.parametrize("scenario", list(packaged()))
def test_facts_that_are_not_sent_cannot_be_assessed(scenario: str) -> None:
    found = packaged()[scenario]
    verdict = found.decide(Values(), decode(scenario, b"{}"), us("2026-11-02T10:00:00Z"))
    assert verdict.outcome is Outcome.CANNOT_ASSESS


def test_facts_encode_as_they_were_sent() -> None:
    body = b'{"deposit_fen":1,"due_at":"2026-11-09T12:00:00+08:00"}'
    assert msgspec.json.encode(decode("rent", body)) == body


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00.000001+00:00", 1),
        ("1969-12-31T23:59:59.999999+00:00", -1),
        ("2026-01-01T00:00:00+08:00", 1_767_196_800_000_000),
    ],
)
def test_times_become_microseconds_exactly(text: str, expected: int) -> None:
    facts = decode("sample", msgspec.json.encode({"due": text}))
    assert to_us(getattr(facts, "due")) == expected  # noqa: B009 - declared by the manifest
