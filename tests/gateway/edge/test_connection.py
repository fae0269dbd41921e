"""A connection has so many bytes and so many requests, and each request one answer, in order.

Real sockets against a real worker.
"""

from __future__ import annotations

import asyncio

import pytest

from gateway.edge import connection
from tests.gateway.edge.listening import GET, HEAD, Worker, get, played, post, statuses

# ── Size and number


def test_a_head_without_an_end_is_refused_while_it_comes() -> None:
    async def play(worker: Worker) -> None:
        fields = b"X-A: " + b"a" * connection.HEAD_MAX
        assert statuses(await worker.ask(b"GET / HTTP/1.1\r\n" + HEAD + fields)) == [431]
        assert statuses(await worker.ask(b"GET /" + b"a" * connection.HEAD_MAX)) == [414]
        assert statuses(await worker.ask(b"\r\n" * connection.HEAD_MAX)) == [414]
        assert worker.app.asked == []

    played(play)


def test_a_head_of_many_small_pieces_is_bounded_too() -> None:
    async def play(worker: Worker) -> None:
        async with worker.client() as client:
            await client.say(GET + b"GET / HTTP/1.1\r\n" + HEAD)
            answers, sent = asyncio.create_task(client.rest()), 0
            while not answers.done() and sent < 2 * connection.HEAD_MAX:
                piece = b"X-A: %b\r\n" % (b"a" * 400)
                sent += len(piece)
                await client.say(piece)
                await asyncio.sleep(0.001)
            assert statuses(await answers) == [200, 431]
            assert sent <= connection.HEAD_MAX + 8192

    played(play)


def test_a_long_body_is_not_mistaken_for_a_head() -> None:
    async def play(worker: Worker) -> None:
        body = b"a" * (3 * connection.HEAD_MAX)
        async with worker.client() as client:
            for _ in range(3):
                await client.say(post("/body", body))
                assert statuses(await client.answer()) == [200]
        assert worker.app.bodies == [body] * 3

    played(play)


@pytest.mark.parametrize(("count", "status"), [(99, 200), (100, 431)])
def test_a_request_has_a_hundred_fields_at_most(count: int, status: int) -> None:
    async def play(worker: Worker) -> None:
        async with worker.client() as client:
            await client.say(get("/", *[b"X-A: a"] * count))
            assert statuses(await client.answer()) == [status]

    played(play)


def test_trailers_are_no_fields_and_are_counted() -> None:
    async def play(worker: Worker) -> None:
        chunked = post("/body", b"", b"Transfer-Encoding: chunked")
        chunked = chunked.replace(b"Content-Length: 0\r\n", b"") + b"2\r\n{}\r\n0\r\n"
        async with worker.client() as client:
            await client.say(chunked + b"Authorization: Bearer x\r\n\r\n")
            assert statuses(await client.answer()) == [200]
        assert worker.app.bodies == [b"{}"]
        assert dict(worker.app.headers).keys() == {b"host", b"transfer-encoding"}
        assert statuses(await worker.ask(chunked + b"X-A: a\r\n" * 100)) == [431]

    played(play)


def test_requests_sent_ahead_are_answered_in_order_and_so_many_at_most() -> None:
    async def play(worker: Worker) -> None:
        paths = [f"/{n}" for n in range(100)]
        async with worker.client() as client:
            await client.say(b"".join(map(get, ["/gate", *paths])))
            await asyncio.sleep(0.05)
            worker.app.gate.set()
            answers = await client.rest()
        waited = paths[: connection.AHEAD_MAX]
        assert statuses(answers) == [200] * (1 + len(waited))
        assert worker.app.asked == ["/gate", *waited]
        assert answers.count(b"connection: close") == 1
        assert answers.endswith(waited[-1].encode())

    played(play)


def test_the_longest_idle_makes_room_and_where_none_is_idle_the_newcomer_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "CONNECTIONS_MAX", 2)

    async def play(worker: Worker) -> None:
        async with worker.client() as first, worker.client() as second:
            for client in (first, second):
                await client.say(GET)
                await client.answer()
            await asyncio.sleep(0.02)
            await first.say(GET)  # now the second has been idle longer
            await first.answer()
            async with worker.client() as third:
                assert await second.rest(within_s=1) == b""
                await first.say(get("/gate"))
                await third.say(get("/gate"))
                await asyncio.sleep(0.05)
                refused = await worker.ask(b"")
                assert statuses(refused) == [503]
                assert b"retry-after: " in refused
                worker.app.gate.set()
                assert statuses(await first.answer() + await third.answer()) == [200, 200]

    played(play)


# ── Faults in their place


BROKEN = [b"\x16\x03\x01 tls\r\n\r\n", b"GET / HTTP/3.7\r\n\r\n", b"GET /a#b HTTP/1.1\r\n\r\n"]


@pytest.mark.parametrize("broken", BROKEN)
def test_what_cannot_be_read_gets_one_problem_and_the_end(broken: bytes) -> None:
    async def play(worker: Worker) -> None:
        answers = await worker.ask(broken + GET)
        assert statuses(answers) == [400]
        assert b"content-type: application/problem+json\r\n" in answers
        assert b"connection: close\r\n" in answers
        assert worker.app.asked == []

    played(play)


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("path", ["/", "/gate"])
def test_a_fault_behind_a_good_request_never_answers_in_its_place(path: str, broken: bytes) -> None:
    async def play(worker: Worker) -> None:
        async with worker.client() as client:
            await client.say(get(path) + broken + GET)
            await asyncio.sleep(0.05)
            worker.app.gate.set()
            answers = await client.rest()
        assert statuses(answers) == [200]
        assert answers.endswith(path.encode())
        assert b"connection: close\r\n" in answers
        assert worker.app.asked == [path]

    played(play)


CHUNKED = b"POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("chunk", [b"zz\r\n", b"2\r\n{}XX", b"2\n{}\n", b"-1\r\n", b"2 \r\n{}\r\n"])
def test_a_body_that_cannot_be_read_is_answered_once_and_its_reader_is_told(chunk: bytes) -> None:
    async def play(worker: Worker) -> None:
        async with worker.client() as client:
            await client.say(CHUNKED)
            await asyncio.sleep(0.05)
            await client.say(chunk + GET)
            assert statuses(await client.rest()) == [400]
        assert (worker.app.asked, worker.app.bodies, worker.app.cut) == (["/body"], [], 1)

    played(play)


def test_a_body_that_cannot_be_read_does_not_spoil_the_answer_before_it() -> None:
    async def play(worker: Worker) -> None:
        async with worker.client() as client:
            await client.say(get("/gate") + get("/") + CHUNKED + b"zz\r\n")
            await asyncio.sleep(0.05)
            worker.app.gate.set()
            assert statuses(await client.rest()) == [200, 200]
        assert worker.app.asked == ["/gate", "/"]

    played(play)


def test_an_answer_before_the_end_of_its_request_ends_the_connection_and_arrives() -> None:
    async def play(worker: Worker) -> None:
        async with worker.client() as client:
            await client.say(post("/", b"a" * 300_000, length=700_000))
            answers = asyncio.create_task(client.rest())
            await client.say(b"a" * 300_000)
            assert statuses(await answers) == [200]
            assert b"connection: close\r\n" in answers.result()
        # It was still listening, so it saw the client go.
        await asyncio.sleep(connection.LINGER_S / 4)
        assert worker.connections == 0

    played(play)


def test_what_follows_such_an_answer_is_heard_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LINGER_BYTES", 100_000)
    monkeypatch.setattr(connection, "LINGER_S", 60.0)

    async def play(worker: Worker) -> None:
        async with worker.client() as client:
            await client.say(post("/", b"", length=2**40))
            assert statuses(await client.answer()) == [200]
            for _ in range(50):
                await client.say(b"a" * 20_000)
                await asyncio.sleep(0.005)
            assert worker.connections == 0
        assert worker.app.asked == ["/"]

    played(play)


def test_nobody_upgrades_and_nothing_behind_it_is_read() -> None:
    async def play(worker: Worker) -> None:
        upgrade = get("/", b"Connection: Upgrade", b"Upgrade: websocket")
        answers = await worker.ask(upgrade + get("/smuggled"))
        assert statuses(answers) == [200]
        assert worker.app.asked == ["/"]

    played(play)


def test_nothing_behind_a_last_request_is_read() -> None:
    async def play(worker: Worker) -> None:
        answers = await worker.ask(get("/", b"Connection: close") + get("/smuggled"))
        assert statuses(answers) == [200]
        assert worker.app.asked == ["/"]

    played(play)


# ── What a request is


def test_the_older_version_is_answered_with_a_length_and_closed() -> None:
    async def play(worker: Worker) -> None:
        answers = await worker.ask(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + GET)
        assert statuses(answers) == [200]
        assert b"content-length: 1\r\n" in answers
        assert b"transfer-encoding" not in answers

    played(play)


def test_an_absolute_form_names_the_host_that_the_field_names() -> None:
    async def play(worker: Worker) -> None:
        for target, path in ((b"http://x/a?b", "/a"), (b"HTTP://X", "/"), (b"https://x?c", "/")):
            async with worker.client() as client:
                await client.say(GET.replace(b" / ", b" %b " % target))
                assert statuses(await client.answer()) == [200]
            assert worker.app.asked.pop() == path
        for target in (b"http://y/a", b"http://x@y/", b"http://x:80/", b"ftp://x/", b"*"):
            assert statuses(await worker.ask(GET.replace(b" / ", b" %b " % target))) == [400]
        assert worker.app.asked == []

    played(play)


def test_white_space_around_a_value_is_not_of_it() -> None:
    async def play(worker: Worker) -> None:
        async with worker.client() as client:
            await client.say(get("/", b"X-A: \t a b \t "))
            await client.answer()
        assert (b"x-a", b"a b") in worker.app.headers

    played(play)


def test_to_go_on_is_said_to_a_client_that_waits_when_its_body_is_wanted_and_else_not() -> None:
    async def play(worker: Worker) -> None:
        async with worker.client() as client:
            await client.say(post("/body", b"", b"Expect: 100-continue", length=2))
            assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            await client.say(b"{}")
            assert statuses(await client.answer()) == [200]
        refused = await worker.ask(post("/", b"", b"Expect: 100-continue", length=2))
        assert statuses(refused) == [200]
        assert b"connection: close\r\n" in refused

    played(play)


REQUESTS = [
    get("/a"),
    post("/body", b'{"a":1}'),
    CHUNKED + b"2;x=y\r\n{}\r\n0\r\nX-A: a\r\n\r\n",
    b"\r\n" + get("/c?d=e", b"X-A: a", b"X-B: b  "),
]


def test_how_bytes_are_cut_into_packets_changes_nothing() -> None:
    async def play(worker: Worker) -> None:
        data = b"".join(REQUESTS) + BROKEN[1]
        cuts = [[data[:n], data[n:]] for n in range(len(data))]
        for pieces in [*cuts, [bytes([byte]) for byte in data]]:
            async with worker.client() as client:
                for piece in pieces:
                    await client.say(piece)
                    await asyncio.sleep(0.001)
                answers = await client.rest()
            # The last request cannot be read: its problem comes if all before it are answered.
            told = statuses(answers)
            assert told[: len(REQUESTS)] == [200] * len(REQUESTS), pieces
            assert told[len(REQUESTS) :] in ([], [400]), pieces
            assert worker.app.asked == ["/a", "/body", "/body", "/c"], pieces
            assert worker.app.bodies == [b'{"a":1}', b"{}"], pieces
            worker.app.asked.clear()
            worker.app.bodies.clear()

    played(play)


def test_what_is_not_the_body_of_a_body_is_bounded() -> None:
    """Chunk extensions and trailers cost as much as they like, unless somebody counts."""

    async def play(worker: Worker) -> None:
        chunked = b"POST /body HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        endless = b"a" * (2 * connection.FRAMING_MAX)
        for framing in (b"0\r\nX: " + endless, b"1;x=" + endless):
            assert statuses(await worker.ask(chunked + framing)) == [413]
        pieces = b"".join(b"1\r\na\r\n" for _ in range(16 * 1024))
        async with worker.client() as client:
            await client.say(chunked + pieces + b"0\r\n\r\n")
            assert statuses(await client.answer()) == [200]
        assert worker.app.bodies == [b"a" * 16 * 1024]

    played(play)


def test_nothing_more_is_asked_of_who_could_not_be_read() -> None:
    async def play(worker: Worker) -> None:
        chunked = b"POST /body HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n"
        answer = await worker.ask(chunked + b"Expect: 100-continue\r\n\r\nno chunk\r\n")
        assert statuses(answer) == [400]
        assert b"100 Continue" not in answer
        assert worker.app.cut == 1

    played(play)
