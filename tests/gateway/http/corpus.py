"""Requests that servers and frameworks get wrong, as bytes, and the statuses that may answer them.

Each is sent over a socket of its own. What is let through that one might want refused is written
down as it is, with the reason beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from tests.gateway.http.door import Door
from tests.gateway.http.spoilt import spoilt

HOT: Final = "/v1/scenarios/rent/eligibility"

#: What may follow a request on the same connection if a length was read wrongly.
SMUGGLED: Final = b"GET /healthz HTTP/1.1\r\nHost: %b\r\n\r\n"


class Case(msgspec.Struct, frozen=True):
    """One request: its pieces in time, and what may answer."""

    name: str
    sent: bytes
    wanted: frozenset[int]
    trickle: bytes = b""
    closed_within_s: float = 0.0


class Maker:
    """Builds the corpus against one door."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.host = f"127.0.0.1:{door.port}".encode()
        self.smuggled = SMUGGLED % self.host
        self.cases: list[Case] = []

    def add(self, name: str, sent: bytes, *wanted: int) -> None:
        self.cases.append(Case(name, sent, frozenset(wanted)))

    def head(
        self,
        *fields: bytes,
        line: str = f"POST {HOT} HTTP/1.1",
        host: bool = True,
        token: bool = True,
    ) -> bytes:
        """A request's head with honest fields unless told otherwise."""
        lines = [line.encode("latin-1")]
        if host:
            lines.append(b"Host: " + self.host)
        if token:
            lines.append(b"Authorization: Bearer " + self.door.caller.token.encode())
        return b"\r\n".join([*lines, *fields, b"", b""])

    def post(self, body: bytes, *fields: bytes, kind: bytes | None = b"application/json") -> bytes:
        """A question with this body."""
        typed = [b"Content-Type: " + kind] if kind is not None else []
        return self.head(*typed, b"Content-Length: %d" % len(body), *fields) + body

    def chunked(self, body: bytes, *fields: bytes, coding: bytes = b"chunked") -> bytes:
        """A question whose body follows as it is, under a transfer coding."""
        return (
            self.head(b"Content-Type: application/json", b"Transfer-Encoding: " + coding, *fields)
            + body
        )

    def get(self, *fields: bytes, line: str = "GET /healthz HTTP/1.1", host: bool = True) -> bytes:
        """A request without credentials."""
        return self.head(*fields, line=line, host=host, token=False)


def corpus(door: Door) -> list[Case]:
    """Every case."""
    maker = Maker(door)
    parts: tuple[Callable[[Maker], None], ...] = (
        *(_framing, _heads, _fields, _targets, _methods),
        *(_bodies, _slow),
    )
    for part in parts:
        part(maker)
    return maker.cases


def _chunk(body: bytes, extension: bytes = b"") -> bytes:
    return b"%x%b\r\n%b\r\n" % (len(body), extension, body)


def _framing(m: Maker) -> None:
    """RFC 9112 6: where one request ends and the next begins."""
    good = m.door.question.encode()
    ended = b"0\r\n\r\n"
    length = b"Content-Length: %d"
    json_type = b"Content-Type: application/json"
    m.add("a good question", m.post(good), 200)
    m.add("a good question in chunks", m.chunked(_chunk(good[:9]) + _chunk(good[9:]) + ended), 200)
    m.add("CL.TE", m.chunked(ended + m.smuggled, length % (len(ended + m.smuggled))), 400)
    m.add(
        "CL.TE, length first",
        m.head(json_type, length % 4, b"Transfer-Encoding: chunked") + ended + m.smuggled,
        400,
    )
    m.add("TE.CL", m.chunked(_chunk(m.smuggled) + ended, length % 4), 400)
    m.add("TE.TE, twice chunked", m.chunked(ended, b"Transfer-Encoding: chunked"), 400)
    m.add("TE.TE, the second unknown", m.chunked(ended, b"Transfer-Encoding: x"), 400)
    for coding in (
        b"xchunked",
        b"chunked, identity",
        b"gzip, chunked",
        b"identity",
        b"chunked;q=1",
    ):
        m.add(f"Transfer-Encoding {coding.decode()}", m.chunked(ended, coding=coding), 400)
    m.add(
        "Transfer-Encoding before its colon",
        m.head(json_type, b"Transfer-Encoding : chunked") + ended,
        400,
    )
    m.add("Transfer-Encoding after a vertical tab", m.chunked(ended, coding=b"\x0bchunked"), 400)
    m.add(
        "Transfer-Encoding in HTTP/1.0",
        m.head(b"Transfer-Encoding: chunked", json_type, line=f"POST {HOT} HTTP/1.0") + ended,
        400,
    )
    for value in (b"-1", b"+7", b"0x10", b"1_0", b"1 1", b"4,4", b"", b"9" * 30):
        m.add(
            f"Content-Length {value.decode()}",
            m.head(json_type, b"Content-Length: " + value) + b"{}",
            400,
            413,
        )
    m.add("Content-Lengths that differ", m.head(json_type, length % 2, length % 3) + b"{}}", 400)
    m.add("two Content-Lengths", m.head(json_type, length % 2, length % 2) + b"{}", 400)
    m.add("0.CL: no length, a request behind", m.head(json_type) + m.smuggled, 400)
    m.add("GET with a body that is a request", m.get(length % len(m.smuggled)) + m.smuggled, 200)
    m.add("a chunk extension", m.chunked(_chunk(good, b";a=b") + ended), 200)
    m.add("a chunk extension with a line feed", m.chunked(_chunk(good, b";a\n") + ended), 400)
    for name, raw in (
        ("a chunk size that is no number", b"zz\r\n{}\r\n0\r\n\r\n"),
        ("a negative chunk size", b"-2\r\n{}\r\n0\r\n\r\n"),
        ("a huge chunk size", b"ffffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
        ("a bad chunk terminator", b"2\r\n{}XX0\r\n\r\n"),
        ("bare line feeds in chunks", b"2\n{}\n0\n\n"),
        ("a chunk too short for its data", b"1\r\n{}\r\n0\r\n\r\n"),
    ):
        m.add(name, m.chunked(raw), 400)
    m.add("trailers", m.chunked(_chunk(good) + b"0\r\nAuthorization: Bearer x\r\n\r\n"), 200)


def _heads(m: Maker) -> None:
    """RFC 9112 5 and 9110 5: header fields."""
    m.add("bare line feeds", m.get().replace(b"\r\n", b"\n"), 400)
    m.add("a bare line feed in the fields", m.get(b"X-A: a\nX-B: b"), 400)
    m.add("a field before the first", m.get().replace(b"\r\n", b"\r\n X-A: a\r\n", 1), 400)
    m.add("white space behind a value", m.get(b"X-A: a \t"), 200)
    m.add("white space behind the Host", m.get(b"Host: " + m.host + b" ", host=False), 200)
    m.add("empty lines before the request", b"\r\n\r\n" + m.get(), 200)
    m.add("a folded header", m.get(b"X-A: a\r\n b"), 400)
    m.add("a header without a colon", m.get(b"X-A"), 400)
    m.add("a header without a name", m.get(b": a"), 400)
    m.add("a space before the colon", m.get(b"X-A : a"), 400)
    m.add("a NUL in a header", m.get(b"X-A: a\x00b"), 400)
    m.add("a carriage return in a header", m.get(b"X-A: a\rb"), 400)
    m.add("no Host", m.get(host=False), 400)
    m.add("two Hosts", m.get(b"Host: " + m.host), 400)
    m.add("two Hosts that differ", m.get(b"Host: evil.example"), 400)
    for value in (b"evil.example", b"127.0.0.1", m.host + b".evil.example", b"x@" + m.host, b""):
        m.add(f"Host {value[:9].decode()}…{len(value)}", m.get(b"Host: " + value, host=False), 400)


def _fields(m: Maker) -> None:
    """Too many, too large, of another protocol, or credentials twice."""
    m.add("90 KB of one header", m.get(b"X-A: " + b"a" * 90_000), 431)
    m.add("20 KB of one header", m.get(b"X-A: " + b"a" * 20_000), 431)
    m.add("600 KB of one header", m.get(b"X-A: " + b"a" * 600_000), 431)
    m.add("101 headers", m.get(*[b"X-%d: a" % n for n in range(100)]), 431)
    m.add("150 headers", m.get(*[b"X-%d: a" % n for n in range(150)]), 431)
    m.add("bytes beyond ASCII", m.get(b"X-A: \xff\xfe"), 400)
    m.add("UTF-8 in a header", m.get("X-A: 钱江分".encode()), 400)
    m.add(
        "a WebSocket",
        m.get(
            b"Connection: Upgrade",
            b"Upgrade: websocket",
            b"Sec-WebSocket-Version: 13",
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        ),
        400,
    )
    m.add(
        "an h2c upgrade",
        m.get(
            b"Connection: Upgrade, HTTP2-Settings",
            b"Upgrade: h2c",
            b"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA",
        ),
        400,
    )
    token = m.door.caller.token.encode()
    again = b"Authorization: Bearer " + token
    m.add("two Authorizations", m.head(b"Content-Length: 0", again), 400)
    m.add("two Authorizations that differ", m.head(again + b"x", b"Content-Length: 0"), 400)
    m.add(
        "two tokens in one field",
        m.head(again + b", Bearer " + token, b"Content-Length: 0", token=False),
        401,
    )
    m.add("another scheme", m.head(b"Authorization: Basic eDp5", token=False), 401)
    m.add("a token in a cookie", m.head(b"Cookie: access_token=" + token, token=False), 401)
    m.add("a head of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400)
    m.add("HTTP/3.7", m.get(line="GET /healthz HTTP/3.7"), 400)
    m.add("HTTP/2.0 as text", m.get(line="GET /healthz HTTP/2.0"), 400)
    m.add("HTTP/0.9", b"GET /healthz\r\n\r\n", 400)
    m.add("HTTP/0.9 by name", m.get(line="GET /healthz HTTP/0.9"), 400)
    m.add("HTTP/1.0", m.get(line="GET /healthz HTTP/1.0"), 200)
    m.add("HTTP/1.0 without a Host", b"GET /healthz HTTP/1.0\r\n\r\n", 400)
    # The parser knows these two, and says 1.0 of them: answered, and closed, as HTTP/1.0 is.
    m.add("another protocol", m.get(line="GET /healthz RTSP/1.0"), 200)
    m.add("yet another protocol", m.get(line="SOURCE /healthz ICE/1.0"), 405)
    m.add("a request that is none", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 9, 400)
    m.add("an expectation", m.post(m.door.question.encode(), b"Expect: 100-continue"), 200)


def _targets(m: Maker) -> None:
    """RFC 9112 3: request lines."""

    def line(target: str, method: str = "GET") -> bytes:
        return m.get(line=f"{method} {target} HTTP/1.1")

    m.add("another host's absolute form", line("http://evil.example/healthz"), 400)
    m.add("our own absolute form", line(f"http://{m.host.decode()}/healthz"), 200)
    m.add("our own absolute form with a user", line(f"http://x@{m.host.decode()}/healthz"), 400)
    m.add("an absolute form of another scheme", line(f"ftp://{m.host.decode()}/healthz"), 400)
    m.add(
        "an absolute form of ours under another Host",
        m.get(
            b"Host: evil.example", line=f"GET http://{m.host.decode()}/healthz HTTP/1.1", host=False
        ),
        400,
    )
    # The router reads both spellings of a path; one that ends in a slash hides nothing.
    m.add("a slash at the end", line("/healthz/"), 200)
    m.add("two slashes", line("//healthz"), 400, 404)
    m.add("two slashes and a host", line("//evil.example/healthz"), 400, 404)
    m.add("an asterisk", line("*", "OPTIONS"), 400, 404)
    m.add("64 KB of path", line("/" + "a" * 65_536), 414, 431)
    m.add("9 KB of path", line("/" + "a" * 9_000), 414)
    m.add("9 KB of query", line("/healthz?" + "a" * 9_000), 414)
    for target in (
        "/healthz%00",
        "/%2e%2e/etc/passwd",
        "/../etc/passwd",
        "/healthz%0d%0aX:y",
        "/%ff",
        "/healthz\\",
        "/HEALTHZ",
        "/healthz;x=y",
        "/health%7a%",
    ):
        m.add(f"target {target}", line(target), 400, 404)
    m.add("bytes beyond ASCII in the path", line("/\xe9"), 400, 404)
    m.add("bytes beyond ASCII in the query", line("/healthz?\xe9"), 400)
    m.add("a token in the query", line(f"/healthz?access_token={m.door.caller.token}"), 400)
    m.add("a space in the target", line("/healthz x"), 400)
    # RFC 9112 3 lets a reader part a request line at any white space.
    m.add("two spaces before the target", m.get(line="GET  /healthz HTTP/1.1"), 200)
    m.add("a fragment", line("/healthz#a"), 400)


def _methods(m: Maker) -> None:
    """RFC 9110 9, and what stands for a scenario's name."""

    def line(target: str, method: str) -> bytes:
        return m.get(line=f"{method} {target} HTTP/1.1")

    for method in ("GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW"):
        m.add(f"{method} on the hot route", m.head(line=f"{method} {HOT} HTTP/1.1"), 405)
    m.add("CONNECT", line(m.host.decode(), "CONNECT"), 400, 404, 405)
    m.add("a method of bytes", line("/healthz", "G\x00T"), 400)
    m.add("a method in small letters", line("/healthz", "get"), 405)
    m.add("a method that is unknown", line("/healthz", "PROPFIND"), 405)
    m.add(
        "a scenario that is unknown", m.head(line="POST /v1/scenarios/x/eligibility HTTP/1.1"), 404
    )
    m.add(
        "a scenario that climbs",
        m.head(line="POST /v1/scenarios/..%2f..%2fhealthz/eligibility HTTP/1.1"),
        404,
    )
    m.add("a scenario without a name", m.head(line="POST /v1/scenarios//eligibility HTTP/1.1"), 404)


def _bodies(m: Maker) -> None:
    """Bodies that are not what they seem, and types that browsers send unasked."""
    good = m.door.question
    for name, body in spoilt(good, m.door.caller.subject, m.door.facts).items():
        m.add(f"body: {name}", m.post(body), 400)
    m.add("body: 5 KB", m.post(b" " * 5_000 + good.encode()), 413)
    m.add("body: 5 KB in chunks", m.chunked(_chunk(b" " * 5_000) + b"0\r\n\r\n"), 413)
    m.add(
        "body: 10 MB announced",
        m.head(b"Content-Type: application/json", b"Content-Length: 10000000"),
        413,
    )
    for kind in (
        b"text/plain",
        b"text/json",
        b"application/x-www-form-urlencoded",
        b"multipart/form-data; boundary=x",
        b"application/json; charset=utf-16",
        b"application/json, text/plain",
        b"application/jsonx",
        b"",
    ):
        m.add(f"content type {kind.decode()}", m.post(good.encode(), kind=kind), 415)
    m.add("no content type", m.post(good.encode(), kind=None), 415)
    m.add("two content types", m.post(good.encode(), b"Content-Type: text/plain"), 400)
    m.add("a compressed body", m.post(good.encode(), b"Content-Encoding: gzip"), 415)
    m.add(
        "an uncompressed body that says so",
        m.post(good.encode(), b"Content-Encoding: identity"),
        200,
    )


def _slow(m: Maker) -> None:
    """Clients that take their time: closed before they cost anything."""
    head = m.head(b"Content-Type: application/json", b"Content-Length: 200")

    def slow(name: str, sent: bytes, trickle: bytes, within_s: float, *wanted: int) -> None:
        m.cases.append(
            Case(name, sent, frozenset(wanted), trickle=trickle, closed_within_s=within_s)
        )

    slow("connect and send nothing", b"", b"", 6.0, 0, 408)
    slow("a head that stops", head[:40], b"", 6.0, 0, 408)
    first_line = head[: head.index(b"\r\n") + 2]
    slow("a head that trickles", first_line, b"X-A: a\r\n", 6.0, 408)
    slow("a request line that trickles", b"GET /", b"a", 6.0, 408)
    slow("empty lines that trickle", b"", b"\r\n", 6.0, 0, 408)
    slow("a body nobody reads that trickles", m.get(b"Content-Length: 9"), b" ", 6.0, 200)
    slow("a body that never comes", head, b"", 11.0, 408)
    slow("a body that trickles", head, b" ", 11.0, 408)
    slow("a chunked body that trickles", m.chunked(b""), b"1\r\n \r\n", 11.0, 408)
