"""An answer leaves whole, with its length, or not at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.exchange import encoded
from tests.gateway.edge.listening import GET, Worker, get, played, statuses


def test_a_field_cannot_end_its_line() -> None:
    for value in (b"a\r\nx-b: b", b"a\nb", b"a\rb", b"a\0b"):
        with pytest.raises(RuntimeError):
            encoded(200, [(b"x-a", value)], b"", closes=False)


@given(st.lists(st.tuples(st.from_regex(rb"\A[a-z-]{1,9}\Z"), st.binary(max_size=9)), max_size=5))
def test_an_answer_has_the_lines_it_was_given_or_does_not_leave(
    headers: list[tuple[bytes, bytes]],
) -> None:
    headers = [field for field in headers if field[0] not in {b"content-length", b"connection"}]
    try:
        answer = encoded(200, headers, b"body", closes=True)
    except RuntimeError:
        assert any(set(value) & set(b"\r\n\0") for _, value in headers)
        return
    head, _, body = answer.partition(b"\r\n\r\n")
    assert body == b"body"
    lines = head.split(b"\r\n")[1:]
    assert lines == [
        *(b"%b: %b" % field for field in headers),
        b"content-length: 4",
        b"connection: close",
    ]


def test_a_length_is_the_bodys_own() -> None:
    assert b"content-length: 2\r\n" in encoded(200, [], b"ab", closes=False)
    said = [(b"content-length", b"3")]
    with pytest.raises(RuntimeError):
        encoded(200, said, b"ab", closes=False)
    assert encoded(200, said, b"abc", closes=False).count(b"content-length") == 1
    # What a GET would have had (RFC 9110 9.3.2).
    assert encoded(200, said, b"", closes=False, is_head=True).endswith(b": 3\r\n\r\n")


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_says_no_length(status: int) -> None:
    answer = encoded(status, [], b"", closes=False)
    assert b"content-length" not in answer
    assert answer.endswith(b"\r\n\r\n")


def test_an_answer_in_one_piece_is_whole_and_keeps_the_connection() -> None:
    async def play(worker: Worker) -> None:
        async with worker.client() as client:
            for _ in range(2):
                await client.say(GET)
                answer = await client.answer()
                assert b"transfer-encoding" not in answer
                assert b"connection" not in answer
                assert b"\r\ndate: " in answer
                assert b"\r\nserver: " not in answer

    played(play)


def test_an_answer_in_pieces_is_chunked() -> None:
    async def play(worker: Worker) -> None:
        answer = await worker.ask(get("/pieces", b"Connection: close"))
        assert answer.endswith(b"\r\n\r\n3\r\none\r\n7\r\n/pieces\r\n0\r\n\r\n")

    played(play)


def test_a_head_request_has_a_length_and_no_body() -> None:
    async def play(worker: Worker) -> None:
        async with worker.client() as client:
            await client.say(GET.replace(b"GET /", b"HEAD /longer") + GET)
            head = await client.reader.readuntil(b"\r\n\r\n")
            assert b"content-length: 7\r\n" in head
            assert statuses(await client.answer()) == [200]

    played(play)


@pytest.mark.parametrize("path", ["/fails", "/fails-late", "/splits", "/says-nothing"])
def test_an_application_that_fails_is_a_problem_that_tells_nothing(path: str) -> None:
    async def play(worker: Worker) -> None:
        async with worker.client() as client:
            await client.say(get(path))
            answer = await client.answer()
        assert statuses(answer) == [500]
        assert b"secret" not in answer
        assert b"x-a" not in answer
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 500

    played(play)
