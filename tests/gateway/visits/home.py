"""A visitor's home city, played by the test: its keys, its entry, and a server that answers.

It is written from docs/protocol/recognition.md. Its grants are made by the forger's workshop
(tests/gateway/forge.py), so that any part of them can be wrong.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

from gateway.claims import Kind
from tests.gateway import forge
from tests.gateway.recognition.region import SCHEME, City, Private

#: The least that a list may have (docs/protocol/recognition.md 8).
LIST_SIZE = 2**17

#: Status and body of an answer; None: silence.
Answer = tuple[int, bytes] | None


class Home(City):
    """A city of the region with a server behind its addresses, answering honestly unless told."""

    def __init__(self, code: str = "330200") -> None:
        super().__init__(code)
        self.changes["name"] = {"zh": "宁波", "en": "Ningbo"}
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.par: Callable[[dict[str, str]], Answer] = self._pushed
        self.code_for: Callable[[dict[str, str]], Answer] = self._coded
        self.exchange: Callable[[dict[str, str]], Answer] = self._exchanged
        self.next_grant = ""
        self.ended: set[int] = set()  # entries of the status list whose bit is set
        self.lists_down = False
        self.lists_held: asyncio.Event | None = None  # no list is answered before
        self.lists_asked = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Home:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.issuer = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    def key(self, purpose: str) -> tuple[str, Private]:
        """The newest key of a purpose, with its kid."""
        return next((kid, key) for held, kid, key in reversed(self.keys) if held == purpose)

    def claims(self, town: Any, jkt: str, **changes: Any) -> dict[str, Any]:
        """What an honest grant says, for a visitor's key; `...` leaves a member out."""
        now_s = town.city.clock.now_us() // 1_000_000
        settings = town.city.settings
        honest = {
            "iss": self.issuer,
            "aud": settings.issuer,
            "client_id": settings.city,
            "sub": "pairwise-1",
            "jti": str(uuid4()),
            "iat": now_s,
            "exp": now_s + 60,
            "cnf": {"jkt": jkt},
            "recognition": {
                "scheme": SCHEME["id"],
                "scheme_version": SCHEME["version"],
                "tier": "T1",
                "scenarios": ["library"],
                "as_of": "2026-09-01",
                "consent_id": str(uuid4()),
                "policy_revision": "0" * 64,
            },
            "status": {"status_list": {"idx": 7, "uri": f"{self.issuer}/status-lists/1"}},
        }
        said = honest | changes
        for name in ("recognition", "status"):
            if isinstance(changes.get(name), dict):
                said[name] = honest[name] | changes[name]
        return said

    def grant(
        self,
        town: Any,
        jkt: str,
        *,
        head: dict[str, Any] | None = None,
        key: Private | None = None,
        **changes: Any,
    ) -> str:
        """A grant, honest but for the changes."""
        kid, private = self.key("grant")
        header = forge.header(Kind.RECOGNITION, **({"kid": kid} | (head or {})))
        return forge.token(header, forge.dumps(self.claims(town, jkt, **changes)), key or private)

    def _pushed(self, form: dict[str, str]) -> Answer:
        return 201, json.dumps({"request_uri": "urn:example:r1", "expires_in": 90}).encode()

    def _coded(self, form: dict[str, str]) -> Answer:
        pushed = next(said for path, said in reversed(self.forms) if path == "/oauth/par")
        made = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(made).rstrip(b"=").decode()
        if challenge != pushed["code_challenge"] or form["redirect_uri"] != pushed["redirect_uri"]:
            return 400, b'{"error":"invalid_grant"}'
        return 200, b'{"access_token":"for-the-next-step","token_type":"Bearer","expires_in":60}'

    def _exchanged(self, form: dict[str, str]) -> Answer:
        return 200, json.dumps({"access_token": self.next_grant, "token_type": "N_A"}).encode()

    def _status_list(self, path: str) -> str:
        """The list at an address, as it is now (Token Status List 4.1: least significant first)."""
        bits = bytearray(LIST_SIZE // 8)
        for entry in self.ended:
            bits[entry // 8] |= 1 << entry % 8
        now_s = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": self.issuer + path,
            "iat": now_s,
            "exp": now_s + 60,
            "ttl": 15,
            "status_list": {"bits": 1, "lst": forge.b64(zlib.compress(bytes(bits), 9))},
        }
        kid, private = self.key("status")
        return forge.token(forge.header(Kind.STATUS_LIST, kid=kid), forge.dumps(claims), private)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await reader.readexactly(int(fields.get("content-length", "0")))
        path, form = head[0].split()[1], dict(parse_qsl(body.decode()))
        if head[0].startswith("GET /status-lists/"):
            self.lists_asked.set()
            if self.lists_held is not None:
                await self.lists_held.wait()
            said = self._status_list(path).encode()
            status = 503 if self.lists_down else 200
            writer.write(b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n" % (status, len(said)))
            writer.write(b"content-type: application/statuslist+jwt\r\n\r\n" + said)
            writer.close()
            return
        self.forms.append((path, form))
        is_code = form.get("grant_type") == "authorization_code"
        told = self.par if path == "/oauth/par" else self.code_for if is_code else self.exchange
        answer = told(form)
        if answer is None:
            await reader.read()  # until the other side has had enough
        else:
            status, said = answer
            lines = (
                f"HTTP/1.1 {status} X\r\ncontent-length: {len(said)}\r\nconnection: close\r\n\r\n"
            )
            writer.write(lines.encode() + said)
        writer.close()
