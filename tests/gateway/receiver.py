"""A party's end of webhooks: a real server on this machine that answers as it is told."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Received(msgspec.Struct, frozen=True):
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    payload: bytes

    @property
    def message(self) -> Any:
        return json.loads(self.payload)

    def verify(self, key: Ed25519PublicKey) -> None:
        """Check the signature as Standard Webhooks says; raises InvalidSignature."""
        signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode()
        version, _, signature = self.headers["webhook-signature"].partition(",")
        assert version == "v1a"
        key.verify(b64decode(signature), signed + self.payload)


class Receiver:
    """Answers each request with the next of `answers`, and the last one for ever."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers or ("204 No Content",))
        self.received: list[Received] = []
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Receiver:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/hook"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = [line.split(": ", 1) for line in head[1:] if line]
        headers = {name.lower(): value for name, value in fields}
        payload = await reader.readexactly(int(headers["content-length"]))
        self.received.append(Received(head[0].split()[1], headers, payload))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer == "silence":
            await reader.read()  # until the other side has had enough
        else:
            lines = f"HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            writer.write(lines.encode())
        writer.close()
