"""A region of this machine that publishes its list, made by the vectors' workshop."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

from tests.protocol.making.jws import dumps, header, pair, signed

KEY = pair("interop-region")


class Region:
    """What the region says; `address` is its origin."""

    def __init__(self, address: str) -> None:
        self.address, self.url = address, f"{address}/trust-list"
        self.cities: list[dict[str, Any]] = []
        self.agreements: list[dict[str, Any]] = []

    @property
    def pinned(self) -> dict[str, Any]:
        """What cities pin."""
        return {"iss": self.address, "keys": [KEY.jwk]}

    def document(self) -> str:
        """The list, signed just now."""
        now = int(time.time())
        claims = {"iss": self.address, "sub": self.url, "iat": now, "exp": now + 60, "ttl": 1,
                  "serial": now, "cities": self.cities, "agreements": self.agreements}  # fmt: skip
        return signed(header("trust-list+jwt", KEY), dumps(claims), KEY)


@contextmanager
def serving() -> Iterator[Region]:
    """A region with a server of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            raw = region.document().encode()
            self.send_response(200)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Nothing is said."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        region = Region(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield region
        finally:
            server.shutdown()
            thread.join()
