"""Requests that could be read in two ways end at the first layer; ordinary ones pass unharmed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.types import Receive, Scope, Send

from gateway.edge.headers import HeaderGuard, fault
from tests.gateway.edge.asgi import HOST, JSON, Sent, scope, sending

HOSTS = ["gateway.example", "127.0.0.1:8700"]
LENGTH = (b"content-length", b"2")
CHUNKED = (b"transfer-encoding", b"chunked")
TOKEN = (b"authorization", b"Bearer x")


class Inside:
    """An application that counts who reaches it."""

    def __init__(self) -> None:
        self.reached = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached += 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok", "more_body": False})


async def ask(asked: Scope) -> tuple[Sent, int]:
    inside, sent = Inside(), Sent()
    await HeaderGuard(inside, HOSTS)(asked, sending(b"{}"), sent)
    return sent, inside.reached


REFUSED: dict[str, tuple[Any, int]] = {
    "Content-Length and Transfer-Encoding": (scope(HOST, LENGTH, CHUNKED), 400),
    "Transfer-Encoding, then Content-Length": (scope(HOST, CHUNKED, LENGTH), 400),
    "two Content-Lengths": (scope(HOST, LENGTH, LENGTH), 400),
    "two that differ": (scope(HOST, LENGTH, (b"content-length", b"3")), 400),
    "two Transfer-Encodings": (scope(HOST, CHUNKED, CHUNKED), 400),
    "a negative length": (scope(HOST, (b"content-length", b"-1")), 400),
    "a signed length": (scope(HOST, (b"content-length", b"+7")), 400),
    "a length in hex": (scope(HOST, (b"content-length", b"0x2")), 400),
    "two lengths in one": (scope(HOST, (b"content-length", b"2, 2")), 400),
    "an empty length": (scope(HOST, (b"content-length", b"")), 400),
    "a huge length": (scope(HOST, (b"content-length", b"9" * 30)), 400),
    "xchunked": (scope(HOST, (b"transfer-encoding", b"xchunked")), 400),
    "gzip, chunked": (scope(HOST, (b"transfer-encoding", b"gzip, chunked")), 400),
    "chunked, identity": (scope(HOST, (b"transfer-encoding", b"chunked, identity")), 400),
    "chunked with a tab": (scope(HOST, (b"transfer-encoding", b"\tchunked")), 400),
    "no Host": (scope(), 400),
    "two Hosts": (scope(HOST, HOST), 400),
    "two Hosts that differ": (scope(HOST, (b"host", b"evil.example")), 400),
    "another Host": (scope((b"host", b"evil.example")), 400),
    "a Host with another port": (scope((b"host", b"gateway.example:81")), 400),
    "a Host with a suffix": (scope((b"host", b"gateway.example.evil")), 400),
    "a Host with userinfo": (scope((b"host", b"x@gateway.example")), 400),
    "an empty Host": (scope((b"host", b"")), 400),
    "a Host beyond ASCII": (scope((b"host", "gatewаy.example".encode())), 400),
    "two Authorizations": (scope(HOST, TOKEN, TOKEN), 400),
    "two Content-Types": (scope(HOST, JSON, JSON), 400),
    "two Idempotency-Keys": (scope(HOST, *[(b"idempotency-key", b"a")] * 2), 400),
    "two request ids": (scope(HOST, *[(b"x-request-id", b"a")] * 2), 400),
    "bytes beyond ASCII in a value": (scope(HOST, (b"x", b"\xff")), 400),
    "bytes beyond ASCII in a name": (scope(HOST, (b"x\xe9", b"a")), 400),
    "UTF-8 in a value": (scope(HOST, (b"x", "钱".encode())), 400),
    "a WebSocket upgrade": (scope(HOST, (b"upgrade", b"websocket")), 400),
    "an h2c upgrade": (scope(HOST, (b"upgrade", b"h2c")), 400),
    "16 KiB of one header": (scope(HOST, (b"x", b"a" * 16_384)), 431),
    "90 KB of one header": (scope(HOST, (b"x", b"a" * 90_000)), 431),
    "150 headers": (scope(HOST, *[(b"x-%d" % i, b"") for i in range(150)]), 431),
    "150 equal headers": (scope(HOST, *[(b"x", b"")] * 150), 431),
    "16 KiB over two headers": (scope(HOST, *[(b"x", b"a" * 8_192)] * 2), 431),
    "64 KB of path": (scope(HOST, path="/" + "a" * 65_536), 414),
    "64 KB of raw path": (scope(HOST, raw_path=b"/" + b"%41" * 21_000), 414),
    "64 KB of query": (scope(HOST, query_string=b"a" * 65_536), 414),
    "an absolute target": (scope(HOST, path="http://evil.example/x"), 400),
    "an absolute raw target": (scope(HOST, raw_path=b"http://evil.example/x"), 400),
    "a target of another authority": (scope(HOST, path="//evil.example/x"), 400),
    "an asterisk": (scope(HOST, path="*", raw_path=b"*", method="OPTIONS"), 400),
    "an empty target": (scope(HOST, path="", raw_path=b""), 400),
    "a NUL in the path": (scope(HOST, path="/v1/\0x"), 400),
    "a line end in the path": (scope(HOST, path="/v1/\r\nx"), 400),
    "a backslash": (scope(HOST, path="/v1\\..\\x"), 400),
    "a query beyond ASCII": (scope(HOST, query_string=b"a=\xff"), 400),
    "a NUL in the query": (scope(HOST, query_string=b"q=%00"), 400),
    "a line feed in the query": (scope(HOST, query_string=b"q=a%0Ab"), 400),
    "a token in the query": (scope(HOST, query_string=b"access_token=abc"), 400),
    "CONNECT": (scope(HOST, method="CONNECT"), 405),
    "TRACE": (scope(HOST, method="TRACE"), 405),
    "an invented method": (scope(HOST, method="BREW"), 405),
    "a method in lower case": (scope(HOST, method="get"), 405),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_an_ambiguous_request_reaches_nobody(name: str) -> None:
    asked, status = REFUSED[name]
    sent, reached = await ask(asked)
    assert (sent.status, reached) == (status, 0)
    assert sent.header(b"content-type") == [b"application/problem+json"]
    assert sent.header(b"connection") == [b"close"]
    assert json.loads(sent.body)["status"] == status


@pytest.mark.parametrize(
    "asked",
    [
        scope(HOST, JSON, LENGTH, TOKEN),
        scope(HOST, JSON, CHUNKED),
        scope((b"host", b"127.0.0.1:8700")),
        scope((b"host", b"Gateway.Example")),
        scope(HOST, (b"cookie", b"a=1"), (b"cookie", b"b=2")),
        scope(HOST, (b"accept", b"a"), (b"accept", b"b"), TOKEN),
        scope(HOST, path="/v1/钱江", raw_path=b"/v1/%E9%92%B1"),
        scope(HOST, query_string=b"limit=20&after=abc"),
        scope(HOST, (b"x", b"a" * 16_000)),
        *[scope(HOST, method=method) for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS")],
    ],
)
async def test_an_ordinary_request_passes(asked: Scope) -> None:
    sent, reached = await ask(asked)
    assert (sent.status, reached) == (200, 1)
    assert sent.headers == []


async def test_a_refusal_repeats_nothing_of_the_request() -> None:
    canary = "330106200001011234"
    for asked in (
        scope((b"host", canary.encode())),
        scope(HOST, path=f"//{canary}"),
        scope(HOST, (b"x", canary.encode() + b"\xff")),
    ):
        sent, _ = await ask(asked)
        assert canary.encode() not in sent.body + repr(sent.headers).encode()


async def test_a_request_id_comes_back() -> None:
    sent, _ = await ask(scope(HOST, (b"x-request-id", b"abc-DEF_1.2")))
    assert sent.header(b"x-request-id") == [b"abc-DEF_1.2"]


@pytest.mark.parametrize("odd", [b"", b"a" * 65, b"a b", b"a;b", b"<x>", b"a\tb", b'"a"'])
async def test_an_odd_request_id_does_not(odd: bytes) -> None:
    sent, reached = await ask(scope(HOST, (b"x-request-id", odd)))
    assert (reached, sent.header(b"x-request-id")) == (1, [])


async def test_life_span_events_pass() -> None:
    reached = []

    async def app(asked: Scope, receive: Receive, send: Send) -> None:
        reached.append(asked["type"])

    lifespan: Any = {"type": "lifespan"}
    await HeaderGuard(app, HOSTS)(lifespan, sending(b""), Sent())
    assert reached == ["lifespan"]


def test_a_gateway_without_a_name_does_not_start() -> None:
    with pytest.raises(ValueError):
        HeaderGuard(Inside(), [])


_names = st.sampled_from([b"host", b"content-length", b"transfer-encoding", b"x", b"authorization"])
_values = st.sampled_from([b"gateway.example", b"2", b"chunked", b"", b"\xff", b"evil.example"])


@given(st.lists(st.tuples(_names, _values), max_size=6))
def test_what_passes_can_be_read_in_one_way_only(headers: list[tuple[bytes, bytes]]) -> None:
    asked: Any = scope(*headers)
    if fault(asked, {b"gateway.example"}) is not None:
        return
    names = [name for name, _ in headers]
    assert headers.count((b"host", b"gateway.example")) == names.count(b"host") == 1
    assert names.count(b"authorization") <= 1
    assert names.count(b"content-length") + names.count(b"transfer-encoding") <= 1
