"""What a partner may do instead of answering: down, slow, wrong, or somebody else."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.claims import Kind
from tests.adversity.recognition.front import Asked, Lie, Writer, write
from tests.adversity.recognition.town import Town
from tests.gateway import forge
from tests.gateway.forge import Workshop

#: From the lying city, and an honest one beside it, to its lie.
Maker = Callable[[Town, Town], Awaitable[Lie]]


def _always(status: int, body: bytes, *fields: str) -> Maker:
    async def made(_liar: Town, _other: Town) -> Lie:
        async def lie(_asked: Asked, writer: Writer) -> None:
            write(writer, status, body, *fields)

        return lie

    return made


async def _closed(_liar: Town, _other: Town) -> Lie:
    async def lie(_asked: Asked, writer: Writer) -> None:
        writer.close()

    return lie


async def _silent(_liar: Town, _other: Town) -> Lie:
    async def lie(_asked: Asked, _writer: Writer) -> None:
        await asyncio.sleep(60)

    return lie


async def _trickling(_liar: Town, _other: Town) -> Lie:
    """An answer that never ends, one byte at a time."""

    async def lie(_asked: Asked, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    return lie


async def _endless(_liar: Town, _other: Town) -> Lie:
    """As much as the other side takes, and as fast."""

    async def lie(_asked: Asked, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        for _ in range(4096):
            writer.write(b" " * 65_536)
            await writer.drain()

    return lie


async def _half(liar: Town, _other: Town) -> Lie:
    """Half of an answer."""

    async def lie(_asked: Asked, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4096\r\n\r\n" + b'{"access_token":')
        await writer.drain()
        writer.close()

    return lie


async def _elsewhere(_liar: Town, other: Town) -> Lie:
    """Every request is sent on to another city, which answers honestly."""

    async def lie(asked: Asked, writer: Writer) -> None:
        write(writer, 307, b"", f"location: {other.issuer}{asked.path}")

    return lie


async def _another_citys(_liar: Town, other: Town) -> Lie:
    """Another city's own answers."""
    return other.front.honest


async def _todays(liar: Town, _other: Town) -> Lie:
    """The lists of the moment when it began, again and again."""
    lists = liar.town.city.status_lists
    await lists.step()
    lists._held.clear()
    kept = (await lists.token(1)).encode()

    async def lie(asked: Asked, writer: Writer) -> None:
        if asked.path.startswith("/status-lists/"):
            write(writer, 200, kept, "content-type: application/statuslist+jwt")
        else:
            write(writer, 503, b"")

    return lie


async def _of_another_time(liar: Town, _other: Town) -> Lie:
    return moved(liar, -300)


async def _ahead(liar: Town, _other: Town) -> Lie:
    return moved(liar, 300)


def moved(town: Town, off_s: float = 0) -> Lie:
    """The honest answers, but status lists by the town's own clock, or one that is off from it:
    their instant is the database's, which no test can move."""

    async def lie(asked: Asked, writer: Writer) -> None:
        if not asked.path.startswith("/status-lists/"):
            await town.front.honest(asked, writer)
            return
        lists = town.town.city.status_lists
        await lists.step()
        lists._held.clear()
        told = await lists.token(int(asked.path.rpartition("/")[2]))
        shop = Workshop(Kind.STATUS_LIST, told, town.keys[2][2])
        by_s = int(town.clock.off_s + off_s)
        off: dict[str, Any] = {name: shop.claims[name] + by_s for name in ("iat", "exp")}
        forged = shop.honest(**off).encode()
        write(writer, 200, forged, "content-type: application/statuslist+jwt")

    return lie


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


LIES: dict[str, Maker] = {
    "closed": _closed,
    "silent": _silent,
    "trickling": _trickling,
    "endless": _endless,
    "half": _half,
    "redirects": _elsewhere,
    "redirects to our own machine": _always(302, b"", "location: http://127.0.0.1:22/"),
    "500": _always(500, b"oops"),
    "503": _always(503, b"", "retry-after: 600"),
    "HTML": _always(200, b"<html>maintenance</html>", "content-type: text/html"),
    "other JSON": _always(200, _json({"ok": True}), "content-type: application/json"),
    "other types": _always(201, _json({"request_uri": 7, "expires_in": "x", "access_token": [1]})),
    "no body": _always(200, b""),
    "compressed": _always(200, gzip.compress(b"{}" * 10_000), "content-encoding: gzip"),
    "deep": _always(200, b"[" * 20_000),
    "bad UTF-8": _always(200, b'{"access_token":"\xff"}'),
    "no token": _always(200, forge.honest(Kind.STATUS_LIST).encode()),
    "another city's answers": _another_citys,
    "its lists of before": _todays,
    "lists five minutes old": _of_another_time,
    "lists five minutes ahead": _ahead,
}
