"""Whatever the cache offers for a body is a body or is refused; nothing else can happen."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.body import Body, ConsentSlip, Viewpoint, consent_of, decode_body, encode_body
from gateway.body import values_at as values

VIEW = Viewpoint(1, "rent", ("band", "commitment", "waived_fen", "loans_overdue", "residency"))
SLIP = ConsentSlip(bytes(16), 1, 1, "rent", 0, 10)
BODY = encode_body(Body(key=b"k", band=4, consents=(SLIP,), suspensions=(("rent", 5),)))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_body_or_refused(raw: bytes) -> None:
    judge(raw)


@given(st.integers(0, len(BODY) - 1), st.binary(min_size=1, max_size=12))
def test_a_damaged_body_is_a_body_or_refused(at: int, damage: bytes) -> None:
    judge(BODY[:at] + damage + BODY[at + len(damage) :])


@pytest.mark.parametrize(
    "slip",
    [
        (b"short", 1, 1, "rent", 0, 10),
        (bytes(16), 2**31, 1, "rent", 0, 10),
        (bytes(16), 1, 1, "rent", 0, 2**63),
        (bytes(16), 1, 1, "rent", 0, 10, 0, -1),
    ],
)
def test_a_consent_that_no_row_could_hold_is_refused(slip: tuple[object, ...]) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_body(msgspec.msgpack.encode((b"k", 4, 0, 0, (slip,))))


def test_text_that_is_no_text_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_body(BODY.replace(b"rent", b"\xa3ent"))


def judge(raw: bytes) -> None:
    """Decode, and if it can be decoded, look at it as a decision would."""
    try:
        body = decode_body(raw)
    except msgspec.DecodeError:
        return
    seen = values(body, VIEW, 7)
    assert -(2**63) <= seen.since_us <= seen.until_us < 2**63
    slip = consent_of(body, VIEW)
    assert slip is None or len(slip.id) == 16
