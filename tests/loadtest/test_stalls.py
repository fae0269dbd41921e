"""A slow answer gets the cause that is nearest to it, and none where there is no evidence."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import pairwise

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.offered import Request
from loadtest.stalls import postgres
from loadtest.stalls.evidence import (
    CAUSES,
    CHECKPOINT,
    FSYNC,
    GC,
    GENERATOR,
    LOCK,
    LOOP,
    SCHEDULER,
    STATEMENT,
    UNEXPLAINED,
    Evidence,
    join,
    late,
)
from loadtest.stalls.scheduler import Scheduler
from tests.engines import Database, Engines

BEGAN = 1_000.0


def slow(at_ms: float, took_ms: float, sent_ms: float = 0) -> Request:
    """A request that was due so long after the run began, and took so long."""
    return Request(
        stream="decisions",
        at_us=round(at_ms * 1e3),
        sent_us=round(sent_ms * 1e3),
        latency_us=round(took_ms * 1e3),
        status=200,
        retry_after_s=None,
        body=0,
        id="",
    )


def during(cause: str, from_ms: float, to_ms: float, detail: str = "") -> Evidence:
    """Something stood still in this stretch of the run."""
    return Evidence(cause, BEGAN + from_ms / 1e3, BEGAN + to_ms / 1e3, detail)


REQUESTS = st.lists(
    st.builds(slow, at_ms=st.integers(0, 2_000), took_ms=st.integers(50, 400)), max_size=30
)


@given(REQUESTS)
def test_every_slow_request_is_in_exactly_one_stall(requests: list[Request]) -> None:
    stalls = join(requests, BEGAN, [])
    assert sum(stall.requests for stall in stalls) == len(requests)
    assert all(stall.cause == UNEXPLAINED for stall in stalls)
    ends = [(stall.at_s, stall.at_s + stall.length_ms / 1e3) for stall in stalls]
    assert all(later[0] > earlier[1] - 1e-9 for earlier, later in pairwise(ends))


@given(REQUESTS.filter(bool), st.sampled_from(CAUSES))
def test_what_covers_all_of_a_stall_is_its_cause(requests: list[Request], cause: str) -> None:
    stalls = join(requests, BEGAN, [during(cause, 0, 3_000)])
    assert {stall.cause for stall in stalls} == {cause}
    assert all(stall.covered_ms[cause] == pytest.approx(stall.length_ms, abs=1) for stall in stalls)


@given(st.sets(st.sampled_from(CAUSES), min_size=1))
def test_of_several_causes_the_most_direct_one_is_believed(causes: set[str]) -> None:
    (stall,) = join([slow(100, 80)], BEGAN, [during(each, 90, 190) for each in causes])
    assert stall.cause == min(causes, key=CAUSES.index)
    assert stall.covered_ms.keys() == causes


def test_a_collection_that_makes_the_loop_late_is_told_as_the_collection() -> None:
    found = [during(LOOP, 100, 170), during(GC, 105, 165, "a worker")]
    (stall,) = join([slow(100, 75)], BEGAN, found)
    assert (stall.cause, stall.detail) == (GC, "a worker")


@pytest.mark.parametrize(("from_ms", "to_ms"), [(0, 99), (176, 300), (100, 108)])
def test_what_lies_beside_a_stall_or_covers_next_to_nothing_did_not_cause_it(
    from_ms: float, to_ms: float
) -> None:
    (stall,) = join([slow(100, 75)], BEGAN, [during(FSYNC, from_ms, to_ms)])
    assert stall.cause == UNEXPLAINED


def test_evidence_that_overlaps_is_counted_once() -> None:
    found = [during(SCHEDULER, 100, 140), during(SCHEDULER, 110, 130), during(SCHEDULER, 135, 150)]
    (stall,) = join([slow(100, 75)], BEGAN, found)
    assert stall.covered_ms == {SCHEDULER: pytest.approx(50)}


def test_a_request_that_was_sent_late_is_the_generators_unless_others_held_it_up() -> None:
    first, held_up = slow(100, 90, sent_ms=60), slow(120, 80, sent_ms=50)
    found = late([first, held_up], BEGAN)
    assert [(each.cause, round(each.start - BEGAN, 3)) for each in found] == [(GENERATOR, 0.1)]
    assert late([slow(100, 90)], BEGAN) == []


@contextmanager
def watched(engines: Engines, database: Database) -> Iterator[int]:
    """The suite's own engine, talkative for once; where its log begins."""
    asyncio.run(postgres.talkative(database.superuser_url))
    time.sleep(0.1)  # backends read their settings anew with their next statement
    try:
        yield engines.postgres.log.stat().st_size
    finally:
        asyncio.run(_silent(database.superuser_url))


async def _silent(url: str) -> None:
    async with _connected(url) as connection:
        for name in postgres.SETTINGS:
            await connection.execute(f"ALTER SYSTEM RESET {name}")
        await connection.execute("SELECT pg_reload_conf()")


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close(timeout=5)


def test_slow_statements_and_checkpoints_are_found_in_the_servers_own_log(
    engines: Engines, database: Database
) -> None:
    async def slowly() -> float:
        async with _connected(database.superuser_url) as connection:
            await connection.execute("CHECKPOINT")
            begun = time.monotonic()
            await connection.execute("SELECT pg_sleep(0.06), 'a word' AS confided")
            return begun

    ahead_s = time.time() - time.monotonic()
    with watched(engines, database) as offset:
        begun = asyncio.run(slowly())
        fsyncs, took_ms = asyncio.run(postgres.synced(database.superuser_url))
        found = list(postgres.logged(engines.postgres.log, offset, ahead_s))
    (statement,) = [each for each in found if each.cause == STATEMENT and each.end > begun + 0.05]
    assert statement.start == pytest.approx(begun, abs=0.03)
    assert statement.end - statement.start == pytest.approx(0.06, abs=0.05)
    assert CHECKPOINT in {each.cause for each in found}
    assert "confided" not in "".join(each.detail for each in found)
    assert fsyncs >= 0 <= took_ms


async def test_a_backend_that_waits_for_a_lock_is_seen_waiting(database: Database) -> None:
    watch = postgres.Backends(database.superuser_url, time.monotonic)
    async with (
        _connected(database.superuser_url) as holder,
        _connected(database.superuser_url) as waiter,
    ):
        await holder.execute("SELECT pg_advisory_lock(4711)")
        watch.start()
        begun = time.monotonic()
        waiting = asyncio.ensure_future(waiter.execute("SELECT pg_advisory_lock(4711)"))
        await asyncio.sleep(0.5)
        await holder.execute("SELECT pg_advisory_unlock(4711)")
        ended = time.monotonic()
        await waiting
        await asyncio.to_thread(watch.stop)
    (wait,) = [each for each in watch.found if each.cause == LOCK]
    assert begun <= wait.start < wait.end <= ended + 0.1


def test_processes_that_want_the_same_core_are_seen_waiting_for_it() -> None:
    core = min(os.sched_getaffinity(0))
    busy = f"import os, time; os.sched_setaffinity(0, {{{core}}})\nwhile True: pass"
    rivals = [subprocess.Popen([sys.executable, "-c", busy]) for _ in range(2)]
    watch = Scheduler({"one of them": rivals[0].pid}, time.monotonic)
    try:
        watch.start()
        time.sleep(0.8)
    finally:
        watch.stop()
        for rival in rivals:
            rival.kill()
            rival.wait()
    waited = [each for each in watch.found if each.detail == "one of them"]
    assert sum(each.end - each.start for each in waited) > 0.05
    assert {each.cause for each in watch.found} == {SCHEDULER}
