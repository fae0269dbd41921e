"""Sealed data opens for its person, at its place, and for as long as the key exists."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ids import SystemIds
from gateway.vault import SealBroken, Vault, blind_index

IDS = SystemIds()
VAULT = Vault({1: bytes(32)}, IDS)
ALICE, BOB = UUID(int=1), UUID(int=2)


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_what_is_sealed_opens_again(plain: bytes, place: bytes) -> None:
    wrapped = VAULT.new_key(ALICE)
    sealed = VAULT.person(wrapped, ALICE).seal(plain, place)
    assert VAULT.person(wrapped, ALICE).open(sealed, place) == plain
    assert len(plain) < 4 or plain not in sealed


def test_one_persons_key_is_not_anothers() -> None:
    with pytest.raises(SealBroken):
        VAULT.person(VAULT.new_key(ALICE), BOB)


def test_a_ciphertext_moved_to_another_place_does_not_open() -> None:
    seal = VAULT.person(VAULT.new_key(ALICE), ALICE)
    with pytest.raises(SealBroken):
        seal.open(seal.seal(b"secret", b"row 1"), b"row 2")


@given(st.binary(max_size=80))
def test_noise_is_refused_calmly(noise: bytes) -> None:
    with pytest.raises(SealBroken):
        VAULT.person(noise, ALICE)
    with pytest.raises(SealBroken):
        VAULT.person(VAULT.new_key(ALICE), ALICE).open(noise, b"row 1")


def test_a_rotated_city_key_unwraps_old_keys_and_wraps_new_ones() -> None:
    rotated = Vault({1: bytes(32), 2: b"k" * 32}, IDS)
    old, new = VAULT.new_key(ALICE), rotated.new_key(ALICE)
    rotated.person(old, ALICE)
    with pytest.raises(SealBroken):
        VAULT.person(new, ALICE)


def test_an_index_is_keyed_and_knows_kinds() -> None:
    key = bytes(32)
    assert blind_index(key, "identity", "1") == blind_index(key, "identity", "1")
    others = {
        blind_index(key, "identity", "2"),
        blind_index(key, "phone", "1"),
        blind_index(b"k" * 32, "identity", "1"),
        blind_index(key, "identity1", ""),
        blind_index(key, "identity", "1", ""),
    }
    assert len(others | {blind_index(key, "identity", "1")}) == 6
