"""Nobody can make the gateway call a machine of ours, whatever address they register."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from gateway.ssrf import (
    GuardedTransport,
    OutboundFailed,
    OutboundRefused,
    get_bytes,
    guarded_client,
    is_public,
    resolve,
)

PRIVATE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::1", "2001::1", "2001:db8::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "8.8.8.8", "114.114.114.114", "2606:4700:4700::1111", "::ffff:1.1.1.1"]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is(address: str) -> None:
    assert is_public(address)


def answering(*addresses: str) -> Callable[[str, int], Awaitable[list[str]]]:
    async def answer(host: str, port: int) -> list[str]:
        return list(addresses)

    return answer


class Recorder(httpx.AsyncBaseTransport):
    """The network's place: it keeps what would have been sent."""

    def __init__(self) -> None:
        self.sent: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        return httpx.Response(200, content=b"ok")


async def ask(url: str, *addresses: str, **how: Any) -> list[httpx.Request]:
    recorder = Recorder()
    transport = GuardedTransport(resolve=answering(*addresses), inner=recorder, **how)
    async with httpx.AsyncClient(transport=transport) as client:
        await client.get(url)
    return recorder.sent


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_name_of_a_private_address_is_not_called(address: str) -> None:
    with pytest.raises(OutboundRefused):
        await ask("https://hook.example/x", address)


async def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(OutboundRefused):
        await ask("https://hook.example/x", "1.1.1.1", "10.0.0.1")


@pytest.mark.parametrize(
    "url",
    [
        "http://hook.example/x",
        "http://hook.example:8080/x",
        "https://user:word@hook.example/x",
        "https://hook.example:22/x",
        "https://hook.example:80/x",
        "ftp://hook.example/x",
        "https://hook.example:65536/x",
        "https://hook.example:99999/x",
    ],
)
async def test_an_odd_address_is_not_called(url: str) -> None:
    with pytest.raises((OutboundRefused, httpx.UnsupportedProtocol)):
        await ask(url, "1.1.1.1")


async def test_loopback_is_called_only_where_it_is_allowed_and_nothing_else_private() -> None:
    assert await ask("http://127.0.0.1:9/x", "127.0.0.1", allow_loopback_http=True)
    for address in ("10.0.0.1", "169.254.169.254", "1.1.1.1"):
        with pytest.raises(OutboundRefused):
            await ask("http://hook.example/x", address, allow_loopback_http=True)
    with pytest.raises(OutboundRefused):
        await ask("http://hook.example/x", "127.0.0.1", "10.0.0.1", allow_loopback_http=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "[::1]"])
async def test_another_spelling_of_loopback_is_still_loopback(host: str) -> None:
    # The system's resolver reads them as addresses; what it finds is what is judged.
    transport = GuardedTransport(resolve=resolve, inner=Recorder())
    with pytest.raises((OutboundRefused, OutboundFailed)):
        await transport.pin(httpx.URL(f"https://{host}/x"))


async def test_a_name_whose_server_is_slow_takes_one_thread_and_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, answers, system = list[str](), threading.Event(), socket.getaddrinfo

    def look_up(host: str, port: int, **how: Any) -> list[Any]:
        asked.append(host)
        if host == "slow.example":
            answers.wait()
            return system("127.0.0.2", port, **how)
        return system(host, port, **how)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    waiting = [asyncio.create_task(resolve("slow.example", 443)) for _ in range(100)]
    await asyncio.sleep(0)
    for impatient in waiting[1:]:
        impatient.cancel()
    try:
        async with asyncio.timeout(1.0):
            assert await resolve("127.0.0.1", 443) == ["127.0.0.1"]
            assert await asyncio.to_thread(str, 1) == "1"
    finally:
        answers.set()
    assert await waiting[0] == ["127.0.0.2"]
    assert asked == ["slow.example", "127.0.0.1"]


async def test_a_name_that_does_not_resolve_is_a_failure() -> None:
    with pytest.raises(OutboundFailed):
        await ask("https://hook.example/x")


@pytest.mark.parametrize("host", ["xn--a", "xn--zz--.example", "a..b", "1.2.3.999", "a" * 64])
async def test_a_name_that_is_none_is_a_failure(host: str) -> None:
    with pytest.raises(OutboundFailed):
        await fetch(f"https://{host}/x")


async def test_the_connection_goes_to_the_checked_address_under_the_same_name() -> None:
    (request,) = await ask("https://hook.example/x?y=1", "1.1.1.1")
    assert request.url == "https://1.1.1.1/x?y=1"
    assert request.headers["host"] == "hook.example"
    assert request.extensions["sni_hostname"] == "hook.example"


async def test_an_ipv6_address_is_pinned_too() -> None:
    (request,) = await ask("https://hook.example/x", "2606:4700:4700::1111")
    assert request.url.host == "2606:4700:4700::1111"


@asynccontextmanager
async def serving(
    *chunks: bytes, pause_s: float = 0.0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[str, list[str]]]:
    """A loopback server that answers anything with these bytes and keeps the request lines."""
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.split(b"\r\n")[0].decode())
        try:
            for chunk in chunks:
                writer.write(chunk)
                await writer.drain()
                await asyncio.sleep(pause_s)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}/keys", asked
    finally:
        server.close()


OK = b"HTTP/1.1 200 OK\r\nconnection: close\r\n"


async def fetch(url: str, *, timeout_s: float = 1.0) -> bytes:
    async with guarded_client(allow_loopback_http=True) as client:
        return await get_bytes(client, url, limit_bytes=100, timeout_s=timeout_s)


async def test_a_good_answer_is_read() -> None:
    async with serving(OK + b"content-length: 2\r\n\r\nok") as (url, asked):
        assert await fetch(url) == b"ok"
    assert asked == ["GET /keys HTTP/1.1"]


async def test_a_redirect_is_not_followed() -> None:
    async with (
        serving(OK + b"\r\nsecret") as (target, asked),
        serving(b"HTTP/1.1 302 Found\r\nlocation: %s\r\n\r\n" % target.encode()) as (url, _),
    ):
        with pytest.raises(OutboundFailed):
            await fetch(url)
    assert asked == []


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"content-length: 101\r\n\r\n" + b"x" * 101,
        OK + b"\r\n" + b"x" * 101,
        OK + b"content-encoding: gzip\r\ncontent-length: 2\r\n\r\n\x1f\x8b",
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"not http at all\r\n\r\n",
        b"",
    ],
    ids=["long", "long without length", "compressed", "404", "204", "no HTTP", "nothing"],
)
async def test_an_odd_answer_is_a_failure(answer: bytes) -> None:
    async with serving(answer) as (url, _):
        with pytest.raises(OutboundFailed):
            await fetch(url)


@pytest.mark.parametrize("name", [b"a", b"\xff"], ids=["plain", "that no request can hold"])
async def test_no_cookie_is_taken(name: bytes) -> None:
    """It would go along to whoever shares the name, or keep every later call from being made."""
    cookie = b"set-cookie: %s=1; domain=127.0.0.1\r\nset-cookie: b=2\r\n" % name
    async with (
        serving(OK + cookie + b"content-length: 2\r\n\r\nok") as (url, asked),
        guarded_client(allow_loopback_http=True) as client,
    ):
        for _ in range(2):
            assert await get_bytes(client, url, limit_bytes=100, timeout_s=1.0) == b"ok"
        assert not client.cookies
    assert len(asked) == 2


async def test_a_trickled_answer_is_cut() -> None:
    async with serving(OK + b"\r\n", *[b"x"] * 40, pause_s=0.05) as (url, _):
        started = asyncio.get_running_loop().time()
        with pytest.raises(OutboundFailed):
            await fetch(url, timeout_s=0.2)
        assert asyncio.get_running_loop().time() - started < 1.0


async def test_nobody_at_home_is_a_failure() -> None:
    async with serving(b"") as (url, _):
        pass
    with pytest.raises(OutboundFailed):
        await fetch(url)


async def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(OK + b"\r\nproxied") as (proxy, asked):
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("ALL_PROXY", proxy)
        async with serving(OK + b"\r\nok") as (url, _):
            assert await fetch(url) == b"ok"
    assert asked == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of hook.example, key included."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hook.example")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2099, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hook.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "hook.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return path


@pytest.mark.parametrize(("host", "proven"), [("hook.example", True), ("other.example", False)])
async def test_tls_proves_the_name_and_not_the_address(
    certificate: Path, host: str, proven: bool
) -> None:
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(certificate)
    async with serving(OK + b"\r\nok", tls=ours) as (url, _):
        transport = GuardedTransport(
            allow_loopback_http=True,
            resolve=answering("127.0.0.1"),
            inner=httpx.AsyncHTTPTransport(verify=ssl.create_default_context(cafile=certificate)),
        )
        async with httpx.AsyncClient(transport=transport) as client:
            asked = get_bytes(
                client, url.replace("127.0.0.1", host), limit_bytes=100, timeout_s=2.0
            )
            if proven:
                assert await asked == b"ok"
            else:
                with pytest.raises(OutboundFailed):
                    await asked
