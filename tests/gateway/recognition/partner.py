"""Another city as seen from here: a server that publishes a status list, well or badly, and the
trust list's word on it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.claims import Kind, StatusBits, StatusListClaims
from gateway.clock import SECOND_US, Clock, from_us
from gateway.jose import sign
from gateway.jwk import Alg, Key, public_jwk
from gateway.recognition.entry import City, Purpose, parse_entry
from gateway.recognition.status_bits import compressed, raw_of, text_of
from gateway.recognition.status_reader import StatusReader
from gateway.ssrf import guarded_client
from tests.gateway.city import TestCity
from tests.gateway.recognition.home import scheme

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


class Trusted:
    """The trust list, as its reader shows it: who is in it, with whom something is agreed."""

    def __init__(self, clock: Clock, partners: Sequence[Partner]) -> None:
        self.clock = clock
        self.partners = {partner.code: partner for partner in partners}
        self.agreed_with = set(self.partners)
        self.lasts_us = 60 * SECOND_US
        self._entries = {code: entry(each) for code, each in self.partners.items()}

    @property
    def until_us(self) -> int:
        return self.clock.now_us() + self.lasts_us

    def city(self, code: str) -> City | None:
        return self._entries.get(code)

    def agreed(self, code: str, now_us: int) -> object | None:
        assert now_us
        return code if code in self.agreed_with else None

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        purposes: dict[Kind, Purpose] = {Kind.STATUS_LIST: "status", Kind.RECOGNITION: "grant"}
        purpose = purposes.get(kind)
        for city in self._entries.values():
            if city.entry.issuer == issuer and purpose is not None:
                return city.keys.get((purpose, kid))
        return None


def entry(partner: Partner) -> City:
    """The partner's entry in the region's list."""

    def jwk(kid: str, key: ec.EllipticCurvePrivateKey | None = None) -> dict[str, Any]:
        made = key or ec.generate_private_key(ec.SECP256R1())
        return dict(public_jwk(Key(kid, Alg.ES256, made.public_key())))

    keys = {
        "client": jwk("client"),
        "grant": jwk("grant"),
        "status": jwk(partner.kid, partner.key),
    }
    told = {
        "code": partner.code,
        "name": {"zh": "示例", "en": "example"},
        "contact": "example",
        "issuer": partner.issuer,
        "endpoints": {
            name: f"{partner.issuer}/oauth/{name}" for name in ("par", "authorize", "token")
        },
        "redirect_uris": [f"{partner.issuer}/recognition/callback"],
        "scenarios": ["library"],
        "schemes": [{"id": "example-delta", "version": 1}],
        "keys": [{"purpose": name, "jwk": key} for name, key in keys.items()],
        "operators": [{"name": f"o{n}", "jwk": jwk(f"o{n}")} for n in range(2)],
    }
    return parse_entry(msgspec.json.encode(told), allow_loopback_http=True)


def reader_of(town: TestCity, trusted: Trusted, clock: Clock | None = None) -> StatusReader:
    """A process of the town that reads lists; its client lives as long as the test's loop."""
    city = town.city
    client = guarded_client(allow_loopback_http=True, timeout_s=2.0)
    given = trusted, city.database, city.writer, client
    return StatusReader(*given, clock or city.clock, city.ids)


_idx = itertools.count(7)


async def visit(
    town: TestCity, partner: Partner, *, idx: int | None = None, number: int = 1
) -> UUID:
    """A visitor from the partner with a living visit; returns the visit."""
    await scheme(town)
    await town.owner.execute(
        "INSERT INTO issuer (code) VALUES ($1) ON CONFLICT DO NOTHING", partner.code
    )
    citizen = await town.citizen(band=0)
    made: UUID = town.city.ids.uuid7(town.city.clock.now_us())
    async with town.city.writer.change(citizen) as connection:
        await connection.execute(
            "INSERT INTO visit (id, citizen, issuer, jti, scheme, scheme_version, tier, band,"
            " scenarios, as_of, home_consent, policy, status_uri, status_idx, granted_at)"
            " SELECT $1, $2, num, $1::uuid::text, 'example-delta', 1, 'T1', 4, '{library}',"
            " '2026-06-15', $1, '', $3, $4, $5 FROM issuer WHERE code = $6",
            *(made, citizen, partner.uri(number), next(_idx) if idx is None else idx),
            *(from_us(town.city.clock.now_us()), partner.code),
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
