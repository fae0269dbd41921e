"""A real worker around a small application, in the test's own loop, and clients made of sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import uvicorn
import uvloop

from gateway.server import FLAGS, bound

HOST = "127.0.0.1"
HEAD = b"Host: x\r\n"
GET = b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n"
BIG = 4 * 1024 * 1024

Told = list[str]


class Application:
    """Answers by path and remembers what it was asked and told."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.bodies: list[bytes] = []
        self.headers: list[tuple[bytes, bytes]] = []
        self.cut = 0
        self.gate = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for _ in range(2):
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
            return
        path = scope["path"]
        self.asked.append(path)
        self.headers = list(scope["headers"])
        if path == "/gate":
            await self.gate.wait()
        if path == "/body":
            await self._read(receive)
        if path == "/fails":
            raise ValueError("a secret")
        if path != "/says-nothing":
            await self._answer(path, send)

    async def _read(self, receive: Any) -> None:
        body, event = b"", {"more_body": True}
        while event.get("more_body"):
            event = await receive()
            if event["type"] == "http.disconnect":
                self.cut += 1
                return
            body += event["body"]
        self.bodies.append(body)

    async def _answer(self, path: str, send: Any) -> None:
        body = b"x" * BIG if path == "/big" else path.encode()
        headers = [(b"x-a", b"a\nb" if path == "/splits" else b"a")]
        if path == "/events":
            headers.append((b"content-type", b"text/event-stream"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if path == "/fails-late":
            raise ValueError("a secret")
        if path in ("/pieces", "/events", "/file"):
            await send({"type": "http.response.body", "body": b"one", "more_body": True})
        if path in ("/events", "/file"):
            await self.gate.wait()
        await send({"type": "http.response.body", "body": body})


class Client:
    """A connection that says what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, data: bytes) -> None:
        # uvloop raises the second where the server has closed.
        with suppress(ConnectionError, RuntimeError):
            self.writer.write(data)
            await self.writer.drain()

    async def rest(self, within_s: float = 5) -> bytes:
        """All that comes until the server closes."""
        async with asyncio.timeout(within_s):
            return await self.reader.read()

    async def answer(self, within_s: float = 5) -> bytes:
        """The next answer, head and body."""
        async with asyncio.timeout(within_s):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            return head + await self.reader.readexactly(length)

    async def is_open(self, for_s: float = 0.2) -> bool:
        """Whether nothing comes and nobody closes for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(for_s):
                await self.reader.read(1)
                return False
        return True


class Worker:
    """The running server and its application."""

    def __init__(self, app: Application, server: uvicorn.Server, port: int) -> None:
        self.app, self.server, self.port = app, server, port

    @property
    def connections(self) -> int:
        return len(self.server.server_state.connections)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        reader, writer = await asyncio.open_connection(HOST, self.port, limit=2 * BIG)
        try:
            yield Client(reader, writer)
        finally:
            writer.close()

    async def ask(self, data: bytes, within_s: float = 5) -> bytes:
        """Say it, and hear all until the server closes."""
        async with self.client() as client:
            await client.say(data)
            return await client.rest(within_s)


def played(play: Callable[[Worker], Awaitable[None]]) -> None:
    """Run a play against a worker on the loop that workers use."""

    async def whole() -> None:
        app = Application()
        config = uvicorn.Config(lambda: app, **FLAGS)
        server = uvicorn.Server(config)
        listener = bound(HOST, 0)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110  # uvicorn tells it by nothing else
            await asyncio.sleep(0.01)
        try:
            await play(Worker(app, server, listener.getsockname()[1]))
        finally:
            app.gate.set()
            server.should_exit = True
            await task

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(whole())


def post(path: str, body: bytes, *fields: bytes, length: int | None = None) -> bytes:
    """A POST whose length may lie."""
    size = b"Content-Length: %d" % (len(body) if length is None else length)
    lines = [f"POST {path} HTTP/1.1".encode(), b"Host: x", size, *fields, b"", body]
    return b"\r\n".join(lines)


def get(path: str, *fields: bytes) -> bytes:
    """A GET."""
    return b"\r\n".join([f"GET {path} HTTP/1.1".encode(), b"Host: x", *fields, b"", b""])


def statuses(answers: bytes) -> list[int]:
    """The statuses of what came back, in order."""
    return [int(part[:3]) for part in answers.split(b"HTTP/1.1 ")[1:]]
