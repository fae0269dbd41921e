"""Status bits: what goes in comes out, in the draft's order, and a bomb does not unfold."""

from __future__ import annotations

import base64
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.claims import Kind, StatusBits, StatusListClaims
from gateway.jose import sign
from gateway.recognition.status_bits import (
    RAW_MAX,
    SIZE,
    BitsRefused,
    compressed,
    is_set,
    raw_from,
    raw_of,
    text_of,
)
from tests.gateway import forge

KIB = 1024


def text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@given(st.sets(st.integers(0, 4095)))
def test_exactly_the_entries_that_were_set_are_set(entries: set[int]) -> None:
    raw = raw_from(text_of(compressed(raw_of(entries, 4096))))
    assert {entry for entry in range(4096) if is_set(raw, entry)} == entries
    assert len(raw) * 8 == 4096


@given(st.binary(min_size=1, max_size=2000))
def test_any_bytes_survive_the_way_there_and_back(raw: bytes) -> None:
    assert raw_from(text_of(compressed(raw))) == raw


def test_the_order_is_the_drafts() -> None:
    """Token Status List 4.1: statuses 1,0,0,1,1,1,0,1 and 1,1,0,0,0,1,0,1 are 0xB9 0xA3."""
    statuses = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]
    raw = raw_of((at for at, status in enumerate(statuses) if status), 16)
    assert raw == bytes.fromhex("b9a3")
    assert raw_from("eNrbuRgAAhcBXQ") == raw  # the draft's own text


@given(st.integers(-(2**40), 2**40))
def test_an_entry_beyond_the_list_is_no_entry(entry: int) -> None:
    raw = raw_of((), 64)
    assert is_set(raw, entry) is (False if 0 <= entry < 64 else None)
    if not 0 <= entry < 64:
        with pytest.raises(ValueError, match="beyond"):
            raw_of([entry], 64)


def test_the_largest_list_is_read_and_a_larger_one_is_not() -> None:
    assert len(raw_from(text(zlib.compress(bytes(RAW_MAX))))) == RAW_MAX == 2**20 // 8
    with pytest.raises(BitsRefused, match="too many"):
        raw_from(text(zlib.compress(bytes(RAW_MAX + 1))))


def test_a_bomb_does_not_unfold() -> None:
    bomb = zlib.compress(bytes(64 * KIB * KIB), 9)  # 64 MiB in 64 KiB
    with pytest.raises(BitsRefused, match="too many"):
        raw_from(text(bomb))


GOOD = zlib.compress(b"\x01\x02\x03")


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(text(GOOD) + "=", id="padded"),
        pytest.param(text(GOOD).replace("e", "+", 1), id="another alphabet"),
        pytest.param(text(GOOD[:-1]), id="cut off"),
        pytest.param(text(GOOD + b"\0"), id="something behind it"),
        pytest.param(text(GOOD + GOOD), id="two streams"),
        pytest.param(text(GOOD[:-4] + bytes(4)), id="a wrong checksum"),
        pytest.param(text(zlib.compress(b"")), id="nothing in it"),
        pytest.param(text(GOOD[2:-4]), id="deflate without its frame"),
        pytest.param("", id="no text"),
        pytest.param("\u4fe1", id="not ASCII"),
    ],
)
def test_what_is_not_one_whole_stream_is_refused(bad: str) -> None:
    with pytest.raises(BitsRefused):
        raw_from(bad)


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_be_refused(raw: bytes) -> None:
    try:
        raw_from(text(raw))
    except BitsRefused:
        return


def test_a_million_entries_with_one_in_a_hundred_set_stay_small() -> None:
    entries = random.Random(7).sample(range(SIZE), SIZE // 100)
    packed = compressed(raw_of(entries))
    assert SIZE == 1_000_000
    assert len(packed) <= 14_000
    assert len(_token(packed)) <= 25_000


def test_a_list_that_is_half_taken_and_all_ended_still_fits_where_it_is_read() -> None:
    entries = random.Random(7).sample(range(SIZE), SIZE // 2)
    assert len(_token(compressed(raw_of(entries)))) <= 256 * KIB


def _token(packed: bytes) -> str:
    uri = "https://credit.city-of-a-long-name.example/status-lists/2147483647"
    claims = StatusListClaims(
        iss="https://credit.city-of-a-long-name.example",
        sub=uri,
        iat=1_790_000_000,
        exp=1_790_000_060,
        ttl=15,
        status_list=StatusBits(bits=1, lst=text_of(packed)),
    )
    return sign(Kind.STATUS_LIST, claims, "k" * 12, forge.PRIVATE)
