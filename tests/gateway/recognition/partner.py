"""Another city as seen from here: a server that publishes a status list, well or badly, and the
trust list's word on it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import structs

from gateway.claims import Kind, StatusBits, StatusListClaims
from gateway.clock import SECOND_US, Clock
from gateway.jose import sign
from gateway.recognition.status_bits import compressed, raw_of, text_of
from gateway.recognition.status_reader import StatusReader
from gateway.recognition.trust import Trust
from gateway.recognition.trust_fetch import TrustFetcher
from gateway.recognition.veil import Veil
from tests.gateway.city import TestCity
from tests.gateway.recognition.home import scheme
from tests.gateway.recognition.region import TERMS, City, TestRegion

CODE = "330200"
SIZE = 1 << 17


class Partner:
    """A city that says of its citizens what it is told to; `answer` makes it lie."""

    def __init__(self, clock: Clock, code: str) -> None:
        self.clock, self.code = clock, code
        self.key, self.kid = ec.generate_private_key(ec.SECP256R1()), "status"
        self.ended: set[int] = set()
        self.age_s = 0.0
        self.pause_s = 0.0
        self.claims: dict[str, Any] = {}
        self.signs_with: tuple[Kind, str, ec.EllipticCurvePrivateKey] | None = None
        self.answer: Callable[[bytes], bytes] | None = None  # from a good token to what is sent
        self.asked: list[str] = []
        self.heads: list[str] = []
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Partner:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def issuer(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def uri(self, number: int = 1) -> str:
        return f"{self.issuer}/status-lists/{number}"

    def token(self, uri: str) -> str:
        """The list as it stands, by the partner's own clock."""
        issued_s = int(self.clock.now_us() / SECOND_US - self.age_s)
        lst = text_of(compressed(raw_of(self.ended, SIZE)))
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": uri,
            "iat": issued_s,
            "exp": issued_s + 60,
            "ttl": 15,
            "status_list": StatusBits(bits=1, lst=lst),
        } | self.claims
        kind, kid, key = self.signs_with or (Kind.STATUS_LIST, self.kid, self.key)
        return sign(kind, StatusListClaims(**claims), kid, key)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with suppress(ConnectionError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            self.heads.append(head)
            path = head.split()[1]
            self.asked.append(path)
            await asyncio.sleep(self.pause_s)
            token = self.token(self.issuer + path).encode()
            writer.write(self.answer(token) if self.answer else ok(token))
            await writer.drain()
        writer.close()
        self._tasks.discard(task)


def ok(body: bytes, *fields: str) -> bytes:
    """A good answer's bytes."""
    lines = ("HTTP/1.1 200 OK", f"content-length: {len(body)}", "connection: close", *fields)
    return "\r\n".join((*lines, "", "")).encode() + body


class Listed:
    """The region's list with the town and its partners, who all agreed; `publish` after changes."""

    def __init__(
        self, town: TestCity, partners: Sequence[Partner], folder: Path, clock: Clock | None = None
    ) -> None:
        city = town.city
        self.clock, self.lasts_s = clock or city.clock, 60
        at_s = self.clock.now_us() // SECOND_US
        self.own = City(city.settings.city, issuer=city.settings.issuer)
        self.others = {each.code: _listed(each) for each in partners}
        self.region = TestRegion(self.own, *self.others.values())
        for code, other in self.others.items():
            pair = sorted((self.own, other), key=lambda each: each.code)
            self.region.agree(code, pair[0], pair[1], at_s - 100, **TERMS)
        pinned = folder / "pinned.json"
        pinned.write_bytes(self.region.pin())
        self.settings = structs.replace(
            city.settings, trust_list_url=self.region.url, trust_list_keys=str(pinned)
        )
        self.trust = Trust(self.settings, city.database, self.clock)
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        given = city.database, self.clock, city.counts, client
        self._fetcher = TrustFetcher(self.settings, self.trust, *given)

    async def publish(self) -> None:
        """A list of now, fetched and known."""
        self.region.serial += 1
        await self._fetcher.step()
        assert self.trust.until_us > 0

    def reader(self, town: TestCity) -> StatusReader:
        """A process of the town that reads lists."""
        city = town.city
        veil = Veil(city.keys.link)
        parts = self.trust, city.database, city.writer, veil, self.clock, city.ids
        return StatusReader(self.settings, *parts)

    def _answer(self, _request: httpx.Request) -> httpx.Response:
        now_s = self.clock.now_us() // SECOND_US
        token = self.region.token(now_s, exp=now_s + self.lasts_s)
        return httpx.Response(200, stream=httpx.ByteStream(token.encode()))


def _listed(partner: Partner) -> City:
    """The partner as the region knows it."""
    city = City(partner.code, issuer=partner.issuer)
    city.keys[2] = ("status", partner.kid, partner.key)
    return city


_idx = itertools.count(7)


async def visit(
    town: TestCity, partner: Partner, *, idx: int | None = None, number: int = 1
) -> UUID:
    """A visitor from the partner with a living visit; returns the visit."""
    place = next(_idx) if idx is None else idx
    return await open_visit(town, partner.code, partner.uri(number), place)


async def open_visit(town: TestCity, code: str, uri: str, idx: int) -> UUID:
    """A visitor from a city, whose grant named this place of this list; returns the visit."""
    await scheme(town)
    await town.owner.execute("INSERT INTO issuer (code) VALUES ($1) ON CONFLICT DO NOTHING", code)
    citizen = await town.citizen(band=0)
    made = town.city.ids.random_uuid()
    async with town.city.writer.change(citizen) as connection:
        await connection.execute(
            "INSERT INTO visit (id, citizen, issuer, jti, scheme, scheme_version, tier, band,"
            " scenarios, as_of, home_consent, policy, status_uri, status_idx, number)"
            " SELECT $1, $2, num, $1::uuid::text, 'example-delta', 1, 'T1', 4, '{library}',"
            " '2026-06-15', $1, '', $3, $4, 1 FROM issuer WHERE code = $5",
            *(made, citizen, uri, Veil(town.city.keys.link).place(uri, idx), code),
        )
    return made


async def ended(town: TestCity, made: UUID) -> str | None:
    """Why a visit ended; None while it lives."""
    why: str | None = await town.owner.fetchval("SELECT reason FROM visit WHERE id = $1", made)
    return why


async def fresh_for_s(town: TestCity, code: str) -> float:
    """For how many seconds more the town relies on a city; 0 or less where it does not."""
    seconds = await town.owner.fetchval(
        "SELECT extract(epoch FROM fresh_until - clock_timestamp()) FROM issuer WHERE code = $1",
        code,
    )
    return float(seconds)


async def refusals(town: TestCity) -> dict[tuple[str, str], int]:
    """What was refused of status lists: how often, by city and reason."""
    rows = await town.owner.fetch(
        "SELECT city, reason, sum(times) AS times FROM recognition_refusal"
        " WHERE place = 'status-list' GROUP BY city, reason"
    )
    return {(row["city"], row["reason"]): int(row["times"]) for row in rows}
