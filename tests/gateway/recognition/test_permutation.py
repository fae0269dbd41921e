"""A permutation of places: one to one, the same for one place and for all at once, and secret."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.recognition.permutation import PLACES, Permutation
from gateway.recognition.status_bits import raw_of
from gateway.recognition.veil import Veil

URI = "https://home.example/status-lists/1"


def set_bits(raw: bytes) -> set[int]:
    """The places whose bit is set."""
    digits = f"{int.from_bytes(raw, 'little'):b}"[::-1]
    return {place for place, digit in enumerate(digits) if digit == "1"}


@settings(max_examples=30, deadline=None)  # a whole list takes a while
@given(st.binary(min_size=16, max_size=32), st.sets(st.integers(0, PLACES - 1), max_size=50))
def test_every_place_has_a_place_of_its_own_alone_and_in_a_list(
    key: bytes, given: set[int]
) -> None:
    permutation = Permutation(key)
    names = {permutation.place(place) for place in given}
    assert len(names) == len(given)
    assert all(0 <= name < PLACES for name in names)
    assert set_bits(permutation.bits(raw_of(given, PLACES))) == names


def test_it_is_one_to_one_on_all_places() -> None:
    permutation = Permutation(b"k" * 32)
    for raw in (bytes(PLACES // 8), b"\xff" * (PLACES // 8)):
        assert permutation.bits(raw) == raw
    assert len(set(map(permutation.place, range(0, PLACES, 7)))) == len(range(0, PLACES, 7))


@pytest.mark.parametrize("place", [-1, PLACES, PLACES + 7])
def test_there_is_no_place_beyond(place: int) -> None:
    with pytest.raises(ValueError, match="no such place"):
        Permutation(b"k" * 32).place(place)


@pytest.mark.parametrize("size", [0, PLACES // 8 - 1, PLACES // 8 + 1])
def test_a_list_has_all_places(size: int) -> None:
    with pytest.raises(ValueError, match="not as many bits as places"):
        Permutation(b"k" * 32).bits(bytes(size))


def test_names_of_two_keys_and_of_two_lists_have_nothing_in_common() -> None:
    places = random.Random(1).sample(range(PLACES), 2000)
    one, other = Veil(b"1" * 32), Veil(b"2" * 32)
    for first, second in (
        ([one.place(URI, each) for each in places], places),
        ([one.place(URI, each) for each in places], [other.place(URI, each) for each in places]),
        (
            [one.place(URI, each) for each in places],
            [one.place(URI + "2", each) for each in places],
        ),
    ):
        # By chance one place in a million stays; each bit of it stays in half of them (±5σ).
        assert sum(a == b for a, b in zip(first, second, strict=True)) < 5
        for bit in range(20):
            same = sum((a ^ b) >> bit & 1 == 0 for a, b in zip(first, second, strict=True))
            assert 888 < same < 1112, bit


def test_a_place_that_a_list_does_not_have_is_taken_for_set() -> None:
    veil, size = Veil(b"1" * 32), 1 << 17
    named = set_bits(veil.bits(URI, raw_of({5}, size)))
    assert len(named) == PLACES - size + 1
    assert {veil.place(URI, each) for each in (5, size, PLACES - 1)} <= named
    assert not {veil.place(URI, each) for each in (4, 6, size - 1)} & named


@pytest.mark.parametrize("share", [0.01, 0.5])
def test_a_million_entries_take_no_longer_however_many_are_set(
    capsys: pytest.CaptureFixture[str], share: float
) -> None:
    raw = raw_of(random.Random(2).sample(range(1_000_000), int(1_000_000 * share)))
    veil = Veil(b"1" * 32)
    took = []
    for _ in range(3):
        began = time.perf_counter()
        veil.bits(URI, raw)
        took.append(time.perf_counter() - began)
    with capsys.disabled():
        print(f"\na million entries, {share:.0%} set, under own names: {min(took) * 1000:.0f} ms")
    assert min(took) < 1  # the figure is printed; this only says that it is not out of hand
