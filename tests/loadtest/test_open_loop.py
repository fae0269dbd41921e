"""What an open-loop run says: when each request was due, what came of it, and whether the load of
the plan was offered at all."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.connection import answer_in
from loadtest.generator import Plan as ClosedPlan
from loadtest.offered import NO_ANSWER, UNSENT, Plan, Request, Result, Stream, offer, stream_of
from loadtest.popularity import draws
from tests.loadtest.counterpart import Answering, Counterpart, answer

ID = "01a20583-8a14-7c1e-a0d5-6f1b7a0c9e55"


def offered(
    tmp_path: Path, answering: Answering, *streams: Stream, **given: float
) -> tuple[Result, Counterpart]:
    """A run of half a second against a server that answers so."""
    with Counterpart(answering) as server:
        plan = Plan(
            host=server.host,
            port=server.port,
            streams=streams,
            **{"seconds": 0.5, "lag_p99_ms_max": 1000.0, **given},  # type: ignore[arg-type]  # of many types
        )
        return offer(plan, tmp_path), server


async def at_once(line: str, body: bytes) -> bytes:
    return answer(200, f'{{"decision_id":"{ID}"}}'.encode())


def test_a_run_offers_its_rate_and_keeps_every_answer(tmp_path: Path) -> None:
    result, server = offered(tmp_path, at_once, Stream(name="all", rate=400, arrivals="fixed"))
    (stream,) = result.streams
    requests = list(stream)
    if result.lag_ms["max"] < 5:  # a machine that is busy with other things is late, and says so
        assert result.faults == ()
    assert result.offered == len(requests) == len(server.seen) == 199
    assert [one.at_us for one in requests[:3]] == [2500, 5000, 7500]
    assert {(one.status, one.id, one.retry_after_s) for one in requests} == {(200, ID, None)}
    assert all(0 <= one.sent_us <= one.latency_us for one in requests)
    assert 200 < result.achieved_per_s < 420
    assert 0 < result.lag_ms["p50"] <= result.lag_ms["p99"] <= result.lag_ms["max"]


def test_a_latency_runs_from_the_time_that_a_request_was_due(tmp_path: Path) -> None:
    """One connection and a server that takes 20 ms: of 100 requests a second half must wait, and
    a closed loop would have called each of them 20 ms."""

    async def slowly(line: str, body: bytes) -> bytes:
        await asyncio.sleep(0.02)
        return answer()

    stream = Stream(name="queue", rate=100, arrivals="fixed", connections=1)
    result, _ = offered(tmp_path, slowly, stream)
    requests = list(result.streams[0])
    assert requests[0].latency_us < requests[-1].latency_us / 2
    assert requests[-1].latency_us > 300_000
    assert requests[-1].latency_us - requests[-1].sent_us < requests[-1].latency_us / 2
    assert result.slower_than(200) == [one for one in requests if one.latency_us > 200_000]


def test_what_finds_no_place_to_wait_is_unsent_and_the_result_says_so(tmp_path: Path) -> None:
    async def never(line: str, body: bytes) -> bytes:
        await asyncio.sleep(30)
        return answer()

    stream = Stream(name="full", rate=100, connections=2, arrivals="fixed")
    result, server = offered(tmp_path, never, stream, waiting_max=3, drain_s=0.2)
    statuses = result.streams[0].statuses
    assert statuses == Counter({UNSENT: 49 - 5, NO_ANSWER: 5})
    assert len(server.seen) == 2
    assert any("44 requests never sent" in fault for fault in result.faults)
    waited = [one for one in result.streams[0] if one.status == NO_ANSWER]
    assert all(one.at_us + one.latency_us >= 650_000 for one in waited), "until the end of the run"


def test_a_generator_that_cannot_keep_up_says_so(tmp_path: Path) -> None:
    fast = Stream(name="too much", rate=4_000_000, connections=4)
    result, _ = offered(tmp_path, at_once, fast, seconds=0.1, drain_s=0.1)
    assert any(fault.startswith("began ") for fault in result.faults)
    calm = Stream(name="calm", rate=50)
    late, _ = offered(tmp_path, at_once, calm, lag_p99_ms_max=0.0001)
    assert any("its own lag" in fault for fault in late.faults)


def test_refusals_keep_their_status_and_when_to_come_back(tmp_path: Path) -> None:
    async def refuse(line: str, body: bytes) -> bytes:
        if "withdraw" in line:
            return answer(200)
        return answer(503, b"{}", "Retry-After: 7")

    asked = Stream(name="ask", rate=100, path="/ask")
    withdrawn = Stream(name="withdraw", rate=20, path="/withdraw", method="POST")
    result, server = offered(tmp_path, refuse, asked, withdrawn)
    first, second = result.streams
    assert {(one.status, one.retry_after_s) for one in first} == {(503, 7)}
    assert {(one.status, one.retry_after_s) for one in second} == {(200, None)}
    lines = Counter(head.split(" ")[1] for head, _ in server.seen)
    assert lines == {"/ask": len(list(first)), "/withdraw": len(list(second))}


def test_a_connection_that_breaks_costs_its_request_and_is_replaced(tmp_path: Path) -> None:
    turns = iter(range(1_000_000))

    async def every_tenth_breaks(line: str, body: bytes) -> bytes | None:
        turn = next(turns)
        if turn % 10 == 0:
            return None
        return answer(200, b"{}", "connection: close") if turn % 10 == 5 else answer()

    result, server = offered(
        tmp_path, every_tenth_breaks, Stream(name="broken", rate=200, connections=2)
    )
    statuses = result.streams[0].statuses
    broken = (len(server.seen) + 9) // 10
    assert statuses[NO_ANSWER] == broken > 3
    assert statuses[200] == sum(statuses.values()) - broken
    assert server.connections > broken


def test_requests_of_their_own_are_used_once(tmp_path: Path) -> None:
    own = tuple(
        f"POST /{n} HTTP/1.1\r\nHost: h\r\nX-Key: {n}\r\nContent-Length: 1\r\n\r\n{n}".encode()
        for n in range(9)
    )
    stream = Stream(name="once", rate=1000, requests=own, order="once")
    result, server = offered(tmp_path, at_once, stream)
    assert sorted(body for _, body in server.seen) == [b"%d" % n for n in range(9)]
    assert all(f"X-Key: {body.decode()}" in head for head, body in server.seen)
    assert [one.body for one in result.streams[0]] == list(range(9))


def test_nobody_listening_is_an_error_and_no_result(tmp_path: Path) -> None:
    with Counterpart(at_once) as gone:
        port = gone.port
    plan = Plan(host="127.0.0.1", port=port, seconds=0.1, streams=(Stream(name="a", rate=100),))
    with pytest.raises(Exception, match="exit status 1"):
        offer(msgspec.structs.replace(plan, connect_s=0.3), tmp_path)
    assert not (tmp_path / "result.msgpack").exists()


@pytest.mark.parametrize(
    "wrong",
    [{"seconds": 0}, {"seconds": 601}, {"rate": 0.0}, {"rate": 1e6}, {"connections": 1025}],
)
def test_a_plan_out_of_bounds_is_refused(wrong: dict[str, float]) -> None:
    stream = {"name": "x", "rate": 1.0, "connections": 1}
    plan = {"host": "127.0.0.1", "port": 1, "seconds": 10}
    stream |= {name: value for name, value in wrong.items() if name in stream}
    plan |= {name: value for name, value in wrong.items() if name in plan}
    with pytest.raises(ValueError, match="at most"):
        msgspec.convert({**plan, "streams": [stream]}, Plan)


def test_a_closed_plan_becomes_a_stream_of_the_same_requests() -> None:
    closed = ClosedPlan(
        host="127.0.0.1",
        port=1,
        path="/p",
        connections=1,
        seconds=1,
        facts="{}",
        subjects=("a", "b"),
        distribution="zipf",
    )
    stream = stream_of(closed, "ask", 10)
    assert stream.encoded("127.0.0.1", 1) == closed.requests()
    assert stream.order == "zipf"


@given(st.integers(1, 200), st.integers(0, 2**32))
def test_draws_stay_in_range_and_repeat_for_a_seed(size: int, seed: int) -> None:
    drawn = draws(100, size, "zipf", seed)
    assert drawn == draws(100, size, "zipf", seed)
    assert all(0 <= n < size for n in drawn)


def test_the_popular_are_drawn_by_a_power_law_and_the_uniform_alike() -> None:
    zipf, uniform = (Counter(draws(200_000, 1000, how, 1)) for how in ("zipf", "uniform"))
    assert 1.7 < zipf[0] / zipf[1] < 2.3
    assert 7 < zipf[0] / zipf[9] < 13
    assert max(uniform.values()) < 2 * min(uniform.values())


@given(
    st.binary(max_size=200).filter(lambda body: b"\r\n\r\n" not in body),
    st.integers(100, 999),
    st.data(),
)
def test_an_answer_is_one_only_when_it_is_whole(
    body: bytes, status: int, data: st.DataObject
) -> None:
    whole = answer(status, body, "Server: x")
    assert answer_in(whole) == (status, -1, len(whole) - len(body), True)
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert answer_in(whole[:cut]) is None


@pytest.mark.parametrize("chunks", [b"", b"3\r\nabc\r\n", b"3\r\nabc\r\n1\r\nd\r\n"])
def test_an_answer_in_chunks_ends_with_the_last(chunks: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert answer_in(head + chunks) is None
    assert answer_in(head + chunks + b"0\r\n\r\n") == (200, -1, len(head), True)


def test_an_answer_without_a_body_is_whole_with_its_head() -> None:
    assert answer_in(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n") == (
        204,
        -1,
        46,
        False,
    )


def test_a_request_is_a_row_of_plain_values() -> None:
    assert Request._fields == (
        *("stream", "at_us", "sent_us", "latency_us", "status", "retry_after_s", "body", "id"),
    )


def test_arrivals_follow_their_rate_and_their_seed(tmp_path: Path) -> None:
    stream = Stream(name="poisson", rate=300)
    one, _ = offered(tmp_path, at_once, stream)
    again, _ = offered(tmp_path, at_once, stream)
    other, _ = offered(tmp_path, at_once, stream, seed=7)
    times = [request.at_us for request in one.streams[0]]
    assert times == [request.at_us for request in again.streams[0]]
    assert times != [request.at_us for request in other.streams[0]]
    gaps = [late - early for early, late in pairwise(times)]
    assert 110 < len(times) < 190
    assert min(gaps) < 300 < 10_000 < max(gaps), "as chance has it, not a comb"
