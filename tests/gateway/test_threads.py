"""Work beside the event loop gives way to it."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from gateway import still
from gateway.counter.passwords import Passwords
from gateway.threads import NICE, background_pool


def own_priority() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="threads have their own priority on Linux only")
def test_passwords_and_stills_give_way_to_decisions_and_nothing_else_does() -> None:
    before, passwords = own_priority(), Passwords()
    try:
        for pool in (passwords._threads, still._readers):
            assert pool.submit(own_priority).result(timeout=10) == max(before, NICE)
    finally:
        passwords.close()
    assert own_priority() == before


@pytest.mark.skipif(sys.platform != "linux", reason="threads have their own priority on Linux only")
def test_a_thread_that_gives_way_more_already_stays_as_it_is() -> None:
    found: list[int] = []

    def lowest() -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
        with background_pool(1, "test") as pool:  # a thread begins with its maker's priority
            found.append(pool.submit(own_priority).result(timeout=10))

    maker = threading.Thread(target=lowest)
    maker.start()
    maker.join()
    assert found == [19]
