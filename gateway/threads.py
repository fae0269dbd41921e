"""Threads for work that may wait, beside the event loop that may not."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

#: Their nice value: beside a thread of 0 such a one gets some thirtieth of a processor.
NICE: Final = 15


def background_pool(count: int, name: str) -> ThreadPoolExecutor:
    """Threads that compute only with what the event loop leaves of the processor.

    Hashing a password takes a processor for as long as a hundred decisions do. On Linux each thread
    has a priority of its own (setpriority(2), "C library/kernel differences"); elsewhere a thread's
    number would name another process, and the priority stays as it is.
    """
    return ThreadPoolExecutor(count, thread_name_prefix=name, initializer=_give_way)


def _give_way() -> None:
    if sys.platform != "linux":
        return
    thread = threading.get_native_id()
    # Only ever downwards, for upwards needs a privilege.
    if os.getpriority(os.PRIO_PROCESS, thread) < NICE:
        os.setpriority(os.PRIO_PROCESS, thread, NICE)
