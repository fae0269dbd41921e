"""Calls to addresses that somebody else chose: webhooks, key sets of other cities.

Whoever names the address could name a machine of ours. So a name is resolved once, every address
behind it must be public, and the connection goes to the very address that was checked: a second
look-up by the HTTP client could be answered differently (DNS rebinding). TLS still proves the
name. No redirect is followed, no cookie is taken, no proxy setting of the environment applies.
"""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final

import httpx

from gateway.errors import GatewayError

#: What a call that comes to nothing raises. A name may be none at all (`https://xn--a`), which
#: httpx finds out as it reads it, with an error of Unicode's.
NO_ANSWER: Final = (httpx.HTTPError, httpx.InvalidURL, UnicodeError, TimeoutError)

#: Names that are looked up at a time.
RESOLVERS_MAX: Final = 32

#: The greatest port that there is (RFC 9293 3.1).
PORT_MAX: Final = 65535

#: From a host name and a port to the texts of its addresses.
Resolve = Callable[[str, int], Awaitable[list[str]]]


class OutboundRefused(GatewayError):
    """An address is not one that the gateway calls."""


class OutboundFailed(GatewayError):
    """The other side did not give a usable answer."""


#: An answer of the system's resolver.
_Found = list[tuple[Any, ...]]
_looking: dict[tuple[str, int], Future[_Found]] = {}


@functools.cache
def _resolvers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(RESOLVERS_MAX, thread_name_prefix="resolver")


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host by the system's resolver.

    A look-up can be neither bounded in time nor called off. So each name has one at a time, for
    whoever asks meanwhile, in threads of their own: whoever names a host whose server of names is
    slow takes a single one of them, and none from the rest of the process.
    """
    name = host, port
    found = _looking.get(name)
    if found is None:
        found = _resolvers().submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        _looking[name] = found
        found.add_done_callback(lambda _: _looking.pop(name, None))
    # Who stops waiting ends nobody else's look-up.
    return [str(address[0]) for *_, address in await asyncio.shield(asyncio.wrap_future(found))]


def is_public(text: str) -> bool:
    """Whether an address belongs to the public internet: not ours, not special, not a tunnel."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if address.sixtofour is not None or address.teredo is not None:
            return False
    return _is_public(address)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    # Reserved covers ::/8 as well, where the NAT64 prefixes hide an IPv4 address (RFC 6052).
    return address.is_global and not address.is_multicast and not address.is_reserved


@functools.cache
def _trusted() -> ssl.SSLContext:
    """The trusted certificates, which take 20 ms to read: read once for all clients."""
    return httpx.create_ssl_context(trust_env=False)


class GuardedTransport(httpx.AsyncBaseTransport):
    """Checks where a request goes, then sends it to exactly there.

    `allow_loopback_http` admits loopback addresses, also without TLS, and nothing else private:
    for the demonstration and tests on one machine.
    """

    def __init__(
        self,
        *,
        allow_loopback_http: bool = False,
        resolve: Resolve = resolve,
        inner: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._allow_loopback = allow_loopback_http
        self._resolve = resolve
        # A kept connection is found again by address and port alone, so it could carry a request
        # for another name that shares the address: none is kept.
        self._inner = inner or httpx.AsyncHTTPTransport(
            verify=_trusted(), limits=httpx.Limits(max_keepalive_connections=0)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        address = await self.pin(request.url)
        pinned = httpx.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,  # the Host field still holds the name
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": request.url.host},
        )
        response = await self._inner.handle_async_request(pinned)
        # One city's or party's cookies would be kept for ever and sent to every other under a name
        # that both share, as `.gov.cn`: too many of them, or one in odd letters, stop all calls.
        response.headers.pop("set-cookie", None)
        return response

    async def pin(self, url: httpx.URL) -> str:
        """The one address to which a request for `url` may go.

        Raises:
            OutboundRefused: the URL or one of its addresses is not allowed.
            OutboundFailed: the name has no address.
        """
        port = url.port or (443 if url.scheme == "https" else 80)
        if url.scheme not in ("https", "http") or not url.host or url.userinfo:
            raise OutboundRefused("only plain https addresses are called")
        if port > PORT_MAX:
            raise OutboundRefused("no such port")
        try:
            addresses = await self._resolve(url.host, port)
        except (OSError, UnicodeError):
            raise OutboundFailed("the name does not resolve") from None
        if not addresses:
            raise OutboundFailed("the name does not resolve")
        if self._allow_loopback and all(ip_address(each).is_loopback for each in addresses):
            return addresses[0]
        # One private address among public ones is already an attempt: all must be public.
        if url.scheme != "https" or not all(map(is_public, addresses)):
            raise OutboundRefused("only public addresses are called, over https")
        if port != 443 and port < 1024:
            raise OutboundRefused("a port of another protocol")
        return addresses[0]

    async def aclose(self) -> None:
        await self._inner.aclose()


def guarded_client(
    *, allow_loopback_http: bool = False, timeout_s: float = 2.0
) -> httpx.AsyncClient:
    """An HTTP client for addresses chosen by others; close it when done."""
    return httpx.AsyncClient(
        transport=GuardedTransport(allow_loopback_http=allow_loopback_http),
        timeout=timeout_s,
        follow_redirects=False,
        trust_env=False,
    )


async def get_bytes(
    client: httpx.AsyncClient,
    url: str,
    *,
    limit_bytes: int,
    timeout_s: float,
    accept: str = "*/*",
) -> bytes:
    """The body at `url`, if it answers 200 with at most `limit_bytes` within `timeout_s`.

    `accept` is the media type that is asked for.

    Raises:
        OutboundRefused: the address is not allowed.
        OutboundFailed: no answer, late, too large, compressed, a redirect or another status.
    """
    _, body = await _exchange(
        client, "GET", url, limit_bytes=limit_bytes, timeout_s=timeout_s, accept=accept, only=200
    )
    return body


async def post_form(
    client: httpx.AsyncClient,
    url: str,
    form: Mapping[str, str],
    *,
    limit_bytes: int,
    timeout_s: float,
) -> tuple[int, bytes]:
    """Status and body of the answer to a form, whatever status it has, within the same bounds.

    Raises:
        OutboundRefused: the address is not allowed.
        OutboundFailed: no answer, late, too large or compressed.
    """
    return await _exchange(
        client, "POST", url, limit_bytes=limit_bytes, timeout_s=timeout_s, form=form
    )


async def _exchange(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    limit_bytes: int,
    timeout_s: float,
    accept: str = "application/json, */*;q=0.1",
    form: Mapping[str, str] | None = None,
    only: int | None = None,
) -> tuple[int, bytes]:
    headers = {"accept": accept, "accept-encoding": "identity"}
    try:
        # httpx times each read; a server that trickles would hold us for ever without this.
        async with (
            asyncio.timeout(timeout_s),
            client.stream(method, url, headers=headers, data=form) as response,
        ):
            status = response.status_code
            # What is of no use is not read either.
            if only not in (None, status):
                raise OutboundFailed(f"status {status}")
            return status, await _read(response, limit_bytes)
    except NO_ANSWER as exc:
        raise OutboundFailed(type(exc).__name__) from None


async def _read(response: httpx.Response, limit_bytes: int) -> bytes:
    # A small compressed answer can unfold into a huge one, and we asked for none.
    if response.headers.get("content-encoding", "identity") != "identity":
        raise OutboundFailed("a compressed answer")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > limit_bytes:
            raise OutboundFailed("too large an answer")
    return bytes(body)
