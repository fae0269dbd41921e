"""Identifiers: of their time, in order, never twice, and not shared with a forked process."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from gateway.ids import SystemIds, uuid7_millis

_FORKS = """
import os
from gateway.ids import SystemIds
ids = SystemIds()
ids.random_bytes(1)  # a block is drawn
child = os.fork()
os.write(1, ids.random_bytes(16).hex().encode() + bytes((10,)))  # in one piece
if child:
    os.waitpid(child, 0)
"""


@given(st.integers(0, 2**48 * 1000 - 1))
def test_an_identifier_tells_its_millisecond_and_what_it_is(now_us: int) -> None:
    made = SystemIds().uuid7(now_us)
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert uuid7_millis(made) == now_us // 1000


@given(st.integers(0, 2**47), st.integers(1, 10**6))
def test_identifiers_of_one_process_sort_by_time(now_us: int, later_us: int) -> None:
    ids = SystemIds()
    assert ids.uuid7(now_us) < ids.uuid7(now_us + later_us)


def test_no_bytes_are_handed_out_twice() -> None:
    ids = SystemIds()
    drawn = [ids.random_bytes(16) for _ in range(2000)]
    assert len(set(drawn)) == len(drawn)
    assert len(ids.random_bytes(100_000)) == 100_000


def test_a_forked_process_has_bytes_of_its_own() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FORKS], capture_output=True, text=True, check=True, timeout=30
    )
    parent, child = done.stdout.split()
    assert parent != child
