"""The metrics listener: one path, one method, and nothing that anybody sends does it harm."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as older

from gateway import metrics
from gateway.counts import Counts
from gateway.edge import scrape
from gateway.edge.scrape import CONNECTIONS_MAX, HEAD_BYTES, Scrape
from gateway.local.processes import free_port
from gateway.seats import Snapshot

HOST = "127.0.0.1"
GOOD = b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n"


class Served:
    """An open listener, how often it made its text, and a raw client."""

    def __init__(self) -> None:
        self.port = free_port(HOST)
        self.made = 0
        self.now = 0.0
        self.make: Callable[[bool], bytes] = self._text
        self.listener = Scrape(lambda wanted: self.make(wanted), lambda: self.now)

    def _text(self, wanted: bool) -> bytes:
        self.made += 1
        seen = Snapshot("server", 0.0, Counts().series(), {}, [])
        return metrics.text([seen], 0.0, open_metrics=wanted)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/metrics"

    async def send(self, request: bytes) -> bytes:
        """All that comes back; the connection must end by itself."""
        reader, writer = await asyncio.open_connection(HOST, self.port)
        writer.write(request)
        if not request.endswith(b"\r\n\r\n"):
            writer.write_eof()
        async with asyncio.timeout(10):
            try:
                return await reader.read()
            except ConnectionError:
                return b""
            finally:
                writer.close()


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    opened = Served()
    await opened.listener.open(HOST, opened.port)
    yield opened
    await opened.listener.close()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


async def test_prometheus_reads_both_forms(served: Served) -> None:
    async with httpx.AsyncClient() as http:
        accept = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
        new = await http.get(served.url, headers={"accept": accept})
        old = await http.get(served.url)
    assert new.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert old.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert new.text.endswith("# EOF\n")
    families: Any = open_metrics(new.text)  # type: ignore[no-untyped-call]  # bare library
    names = {family.name for family in families}
    assert names == {family.name.removesuffix("_total") for family in older(old.text)}
    assert names == {metrics.PREFIX + each.name for each in metrics.METRICS}


@pytest.mark.parametrize(
    "method", ["HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "X"]
)
async def test_every_other_method_is_refused(served: Served, method: str) -> None:
    answer = await served.send(f"{method} /metrics HTTP/1.1\r\nhost: x\r\n\r\n".encode())
    assert status(answer) == 405
    assert b"allow: GET\r\n" in answer
    assert served.made == 0


@pytest.mark.parametrize(
    "target", ["/", "/healthz", "/metrics/", "/v1/me", "//metrics", "http://x/metrics", "*"]
)
async def test_nothing_else_is_there(served: Served, target: str) -> None:
    answer = await served.send(f"GET {target} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
    assert status(answer) == 404
    assert b"application/problem+json" in answer


async def test_a_query_changes_nothing(served: Served) -> None:
    assert status(await served.send(GOOD.replace(b"/metrics", b"/metrics?name[]=up"))) == 200


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"GET",
        b"GET /metrics",
        b"GET /metrics SMTP/1.1",
        b"GET  /metrics HTTP/1.1",
        b"\x16\x03",
    ],
)
async def test_what_is_not_http_is_a_400(served: Served, line: bytes) -> None:
    assert status(await served.send(line + b"\r\nhost: x\r\n\r\n")) == 400


async def test_header_fields_without_end_are_refused(served: Served) -> None:
    answer = await served.send(b"GET /metrics HTTP/1.1\r\nx: " + b"a" * (3 * HEAD_BYTES))
    assert answer == b"" or status(answer) == 431
    assert status(await served.send(GOOD)) == 200


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=200),
            st.sampled_from([b"GET ", b"/metrics", b" HTTP/1.1", b"\r\n", b"\r\n\r\n", b"accept:"]),
            st.sampled_from([b"application/openmetrics-text", b";version=", b"\x00", b"9" * 400]),
        ),
        max_size=12,
    ).map(b"".join)
)
def test_no_bytes_break_it(request: bytes) -> None:
    async def one() -> None:
        opened = Served()
        await opened.listener.open(HOST, opened.port)
        answer = await opened.send(request)
        assert answer == b"" or status(answer) in (200, 400, 404, 405, 431)
        assert status(await opened.send(GOOD)) == 200
        await opened.listener.close()

    asyncio.run(one())


async def test_a_silent_client_is_cut_off(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrape, "WAIT_S", 0.2)
    reader, writer = await asyncio.open_connection(HOST, served.port)
    writer.write(GOOD[:-2])
    async with asyncio.timeout(2):
        await _ended(reader, writer)
    assert status(await served.send(GOOD)) == 200


async def _ended(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until the other side has ended the connection, without an answer."""
    with suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()


async def test_a_client_that_does_not_read_is_cut_off(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrape, "WAIT_S", 0.2)
    served.make = lambda _: b"#" * 20_000_000
    _, writer = await asyncio.open_connection(HOST, served.port, limit=1)
    writer.write(GOOD)
    await asyncio.sleep(0.5)
    assert not served.listener._connections
    writer.transport.abort()


async def test_connections_are_bounded(served: Served) -> None:
    held = [await asyncio.open_connection(HOST, served.port) for _ in range(CONNECTIONS_MAX)]
    await asyncio.sleep(0.05)
    assert await served.send(GOOD) == b""
    for _, writer in held:
        writer.close()
    await asyncio.sleep(0.05)
    assert status(await served.send(GOOD)) == 200


async def test_a_flood_makes_the_text_once_in_a_while(served: Served) -> None:
    served.now = 10.0
    for _ in range(20):
        assert status(await served.send(GOOD)) == 200
    assert served.made == 1
    served.now += scrape.KEPT_S
    assert status(await served.send(GOOD)) == 200
    assert served.made == 2


async def test_a_failure_is_a_500_with_nothing_inside(served: Served) -> None:
    def fails(_: bool) -> bytes:
        raise RuntimeError("secret")

    served.make = fails
    answer = await served.send(GOOD)
    assert status(answer) == 500
    assert b"secret" not in answer


async def test_one_listens_at_a_time_and_the_next_when_it_ends(served: Served) -> None:
    second = Scrape(lambda _: b"second", lambda: 0.0)
    with pytest.raises(OSError, match="in use"):
        await second.open(HOST, served.port)
    assert not second.is_open
    await served.send(GOOD)  # leaves a connection in TIME_WAIT
    await served.listener.close()
    await second.open(HOST, served.port)
    assert (await served.send(GOOD)).endswith(b"second")
    await second.close()


async def test_closing_ends_what_is_under_way(served: Served) -> None:
    reader, writer = await asyncio.open_connection(HOST, served.port)
    await asyncio.sleep(0.05)
    async with asyncio.timeout(1):
        await served.listener.close()
        await _ended(reader, writer)
