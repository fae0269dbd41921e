"""Whatever the cache offers for a body is a body or is refused; nothing else can happen."""

from __future__ import annotations

import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.body import (
    Body,
    CommitmentSlip,
    ConsentSlip,
    Viewpoint,
    consent_of,
    decode_body,
    encode_body,
    is_body,
    pack_commitments,
    pack_consents,
    values_at,
)

VIEW = Viewpoint(1, "rent", ("band", "commitment", "waived_fen", "loans_overdue", "residency"))
SLIP = ConsentSlip(bytes(16), 1, 1, "rent", 0, 10)
BODY = encode_body(
    Body(key=b"k", band=4, consents=pack_consents([SLIP]), suspensions=(("rent", 5),))
)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_body_or_refused(raw: bytes) -> None:
    judge(raw)


@given(st.integers(0, len(BODY) - 1), st.binary(min_size=1, max_size=12))
def test_a_damaged_body_is_a_body_or_refused(at: int, damage: bytes) -> None:
    judge(BODY[:at] + damage + BODY[at + len(damage) :])


@pytest.mark.parametrize(
    "slip",
    [
        ConsentSlip(bytes(16), 2**31, 1, "rent", 0, 10),
        ConsentSlip(bytes(16), 1, 2**32, "rent", 0, 10),
        ConsentSlip(bytes(16), 1, 1, "rent", 0, 2**63),
        ConsentSlip(bytes(16), 1, 1, "rent", 0, 10, 0, 2**31),
    ],
)
def test_a_consent_that_no_row_could_hold_is_never_packed(slip: ConsentSlip) -> None:
    with pytest.raises(struct.error):
        pack_consents([slip])


@pytest.mark.parametrize("cut", [1, 59, 61, 119])
def test_a_record_that_was_cut_is_refused(cut: int) -> None:
    packed = pack_consents([SLIP, SLIP])
    with pytest.raises(msgspec.DecodeError):
        decode_body(encode_body(Body(key=b"k", consents=packed[:cut])))
    with pytest.raises(msgspec.DecodeError):
        decode_body(encode_body(Body(key=b"k", commitments=packed[:19])))


SCENARIOS = st.sampled_from(["rent", "library", "points"])
CONSENTS = st.builds(
    ConsentSlip,
    id=st.binary(min_size=16, max_size=16),
    version=st.integers(0, 2**31 - 1),
    sector=st.integers(0, 3),
    scenario=SCENARIOS,
    from_us=st.integers(0, 9),
    to_us=st.integers(0, 9),
    paused_until_us=st.integers(0, 9),
    frequency=st.integers(0, 2**31 - 1),
)


@given(st.lists(CONSENTS, max_size=6), st.integers(0, 3), SCENARIOS)
def test_a_recipient_finds_its_own_consent_and_no_other(
    slips: list[ConsentSlip], sector: int, scenario: str
) -> None:
    body = decode_body(encode_body(Body(key=b"k", consents=pack_consents(slips))))
    own = [slip for slip in slips if slip.sector == sector and slip.scenario == scenario]
    assert consent_of(body, Viewpoint(sector, scenario, ())) == (own[0] if own else None)


def test_the_bytes_of_a_place_inside_a_record_are_not_taken_for_one() -> None:
    view = Viewpoint(7, "rent", ())
    posing = ConsentSlip(view.own + bytes(4), 1, 3, "library", 0, 9)
    real = ConsentSlip(b"r" * 16, 2, 7, "rent", 0, 9)
    assert consent_of(Body(consents=pack_consents([posing])), view) is None
    assert consent_of(Body(consents=pack_consents([posing, real])), view) == real


PROMISES = st.builds(
    CommitmentSlip, scenario=SCENARIOS, sector=st.integers(0, 2), since_us=st.integers(0, 9)
)


@given(st.lists(PROMISES, max_size=6), st.integers(1, 2), SCENARIOS, st.integers(0, 9))
def test_a_promise_counts_where_it_was_made_to_this_recipient_or_to_the_city(
    promises: list[CommitmentSlip], sector: int, scenario: str, at_us: int
) -> None:
    body = Body(key=b"k", commitments=pack_commitments(promises))
    seen = values_at(body, Viewpoint(sector, scenario, ("commitment",)), at_us, slip=None)
    assert seen.commitment == any(
        promise.scenario == scenario and promise.sector in (0, sector) and promise.since_us <= at_us
        for promise in promises
    )


def test_text_that_is_no_text_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_body(BODY.replace(b"rent", b"\xa3ent"))


def judge(raw: bytes) -> None:
    """Decode, and if it can be decoded, look at it as a decision would."""
    try:
        body = decode_body(raw)
    except msgspec.DecodeError:
        return
    slip = consent_of(body, VIEW)
    seen = values_at(body, VIEW, 7, slip=slip)
    assert -(2**63) <= seen.since_us <= seen.until_us < 2**63
    assert slip is None or len(slip.id) == 16


def test_the_bytes_of_an_earlier_layout_are_no_body_though_they_would_decode() -> None:
    # Of the layout before visitors: thirteen members, all of a right type.
    former = msgspec.msgpack.encode([b"k", 3, 0, 0, b"", b"", [], [], [], [], [], [], []])
    assert msgspec.msgpack.decode(former, type=Body).band == 3
    assert not is_body(former)
    with pytest.raises(msgspec.DecodeError):
        decode_body(former)
