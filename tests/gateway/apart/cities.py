"""Three cities in one process, on a database each: people of one visit the two others.

Grants are made and accepted by the very services that serve, in the order of the calls; only the
pages between them are left out.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from gateway.clock import SECOND_US
from gateway.local.valkey import Valkey
from gateway.oauth.metadata import TOKEN_PATH
from gateway.recognition.acceptance import Accepted
from gateway.recognition.grants import Grants, Issued
from gateway.recognition.partners import Partner, Partners
from gateway.recognition.presentation import Presented
from gateway.recognition.schemes import publish
from gateway.recognition.status_lists import HOLD_S
from gateway.recognition.veil import Veil
from gateway.recognition.visit_sessions import SESSION_PATH
from gateway.sessions import hash_of
from gateway.store import trust_list as trust_rows
from gateway.store import visit as visit_rows
from gateway.store import visit_attempt as attempt_rows
from gateway.store.recognition_request import Taken
from gateway.store.trust_list import Head
from gateway.store.visit_attempt import NewAttempt
from tests.engines import Database
from tests.gateway.apps import app_of
from tests.gateway.city import TestCity, open_test_city
from tests.gateway.prover import Prover
from tests.gateway.recognition.region import TERMS, URL, City, TestRegion

HOME, AWAY = "330100", ("330200", "320500")
#: What everybody asks for: content that differs would tell people apart at both ends, as it must.
SCENARIOS = ("library",)
SCHEME_FILE = Path(__file__).parents[3] / "seeds/schemes/example-delta-1.toml"

_REQUEST = """
INSERT INTO recognition_request (id, uri_hash, party, redirect_uri, scenarios, state,
  code_challenge, jkt, status, citizen, consent, expires_at)
VALUES ($1, $2, $3, 'https://city.example/callback', $4, $5, 'x', $6, 'exchanged', $7, $8,
        clock_timestamp() + interval '10 minutes')
"""


class Alliance:
    """The three cities, and a region's list that says so."""

    def __init__(self, home: TestCity, away: Sequence[TestCity], region: TestRegion) -> None:
        self.home, self.away, self._region = home, away, region
        self._listed_at = self._copied_at = float("-inf")

    async def person(self) -> UUID:
        """A citizen at home who allows both cities to hear of it."""
        citizen = await self.home.citizen(band=4)
        for code in AWAY:
            await self.home.consent(citizen, recipient=f"entity-{code}", scenario="recognition")
        return citizen

    async def visit(
        self,
        citizen: UUID,
        town: TestCity,
    ) -> None:
        """Let a citizen visit a city."""
        await self._keep_fresh()
        key, secret, state = Prover(), secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        grant = await self._granted(citizen, town.city.settings.city, key.jkt, state)
        settings, now_s = town.city.settings, town.city.clock.now_us() // SECOND_US
        attempt = NewAttempt(hash_of(secret), HOME, SCENARIOS, key.jkt, hash_of(state), b"sealed")
        async with town.city.database.connection() as connection:
            await visit_rows.know_issuer(connection, HOME)
            await attempt_rows.begin(connection, attempt, 600)
            assert await attempt_rows.returned(connection, hash_of(secret))
        proof = key.proof("POST", settings.issuer + TOKEN_PATH, now_s).encode()
        accepted = await town.city.visiting.acceptance.accept(
            Presented(settings.city, secret, [(b"dpop", proof)], grant)
        )
        assert isinstance(accepted, Accepted), accepted
        token = accepted.token
        proof = key.proof("POST", settings.issuer + SESSION_PATH, now_s, token=token).encode()
        shown = [(b"authorization", f"DPoP {token}".encode()), (b"dpop", proof)]
        await town.city.visiting.sessions.begin(shown, instead_of=None)

    async def take_back(self, citizen: UUID) -> None:
        """Let a citizen withdraw what both cities were told."""
        rows = await self.home.owner.fetch("SELECT id FROM consent WHERE citizen = $1", citizen)
        for row in rows:
            await self.home.city.consents.withdraw(citizen, row["id"])

    async def read_lists(self, town: TestCity) -> None:
        """Let a city read what has ended by now."""
        await self.home.city.status_lists.step()
        await asyncio.sleep(HOLD_S)  # a worker at home serves for so long what it read
        await town.city.status_reader._read(HOME, None)

    async def known_at(self, town: TestCity, people: Sequence[UUID]) -> list[UUID]:
        """Who the home city's people are at a visited one, as only both key files together tell."""
        partner = self._partner(town.city.settings.city)
        sector = partner.registration.view.sector
        rows = await town.owner.fetch("SELECT citizen, subject FROM visitor")
        found = {row["subject"]: row["citizen"] for row in rows}
        veil, names = Veil(town.city.keys.link), self.home.city.pseudonyms
        return [found[veil.subject(HOME, names.subject(each, sector))] for each in people]

    async def _granted(self, citizen: UUID, code: str, jkt: str, state: str) -> str:
        partner = self._partner(code)
        consent = await self.home.owner.fetchval(
            "SELECT id FROM consent WHERE citizen = $1 AND recipient = $2",
            *(citizen, f"entity-{code}"),
        )
        request = self.home.city.ids.random_uuid()
        await self.home.owner.execute(
            _REQUEST,
            *(request, request.bytes, partner.party.row.num, SCENARIOS, state, jkt),
            *(citizen, consent),
        )
        taken = Taken(request, citizen, consent, SCENARIOS, jkt)
        issued = await self._grants().issue(partner, taken, SCENARIOS)
        assert isinstance(issued, Issued), issued
        return issued.grant

    def _partner(self, code: str) -> Partner:
        city = self.home.city
        parts = city.trust, city.schemes, city.parties, city.clock
        partner = Partners(HOME, *parts).of(code)
        assert isinstance(partner, Partner), partner
        return partner

    def _grants(self) -> Grants:
        city = self.home.city
        return Grants(
            settings=city.settings,
            keys=city.keys.city_grant,
            writer=city.writer,
            decisions=city.decisions,
            registry=city.registry,
            policies=city.policies,
            pseudonyms=city.pseudonyms,
            status_lists=city.status_lists,
            clock=city.clock,
            ids=city.ids,
        )

    async def _keep_fresh(self) -> None:
        now = time.monotonic()
        if now - self._copied_at > 2:
            await self.home.city.status_lists.step()
            self._copied_at = now
        if now - self._listed_at > 20:
            self._listed_at = now
            await self._publish()

    async def _publish(self) -> None:
        """Every city knows the region's list as of now."""
        now_s = self.home.city.clock.now_us() // SECOND_US
        self._region.serial += 1
        token = self._region.token(now_s)
        content = hashlib.sha256(token.encode()).digest()
        times = now_s * SECOND_US, (now_s + 60) * SECOND_US
        for town in (self.home, *self.away):
            head = Head(self._region.serial, content, *times)
            assert await trust_rows.put(town.owner, head, token)
            await town.city.trust.refresh()


@asynccontextmanager
async def open_alliance(
    databases: Sequence[Database], valkey: Valkey, folder: Path
) -> AsyncIterator[Alliance]:
    """Three cities, each on a database of its own."""
    region = TestRegion()
    (folder / "region.json").write_bytes(region.pin())
    async with AsyncExitStack() as stack:
        towns = [
            await _opened(stack, database, valkey, folder, code)
            for database, code in zip(databases, (HOME, *AWAY), strict=True)
        ]
        home, *away = towns
        region.cities = listed = [_listed(town) for town in towns]
        now_s = home.city.clock.now_us() // SECOND_US
        for other in listed[1:]:
            low, high = sorted((listed[0], other), key=lambda each: each.code)
            region.agree(other.code, low, high, now_s - 100, scenarios=list(SCENARIOS), **TERMS)
        await _settled(home)
        site: Any = app_of(home.city)
        for town in away:
            wire = httpx.AsyncClient(transport=httpx.ASGITransport(site))
            town.city.status_reader._fetch._client = await stack.enter_async_context(wire)
        yield Alliance(home, away, region)


async def _opened(
    stack: AsyncExitStack, database: Database, valkey: Valkey, folder: Path, code: str
) -> TestCity:
    owner = await asyncpg.connect(database.owner_url)
    stack.push_async_callback(owner.close, timeout=5)
    await owner.execute("INSERT INTO realm (city) VALUES ($1)", code)
    await publish(owner, SCHEME_FILE.read_bytes())
    (own := folder / code).mkdir()
    return await stack.enter_async_context(
        open_test_city(
            *(database.gateway_url, owner, valkey.url, own),
            city=code,
            issuer=f"http://127.0.0.1:{int(code) // 100}",
            trust_list_url=URL,
            trust_list_keys=str(folder / "region.json"),
            token_attempts_burst=100_000,
        )
    )


def _listed(town: TestCity) -> City:
    """The city's entry, with the keys that it really has."""
    city = City(town.city.settings.city, issuer=town.city.settings.issuer)
    keys = town.city.keys
    rings = ("client", keys.city_client), ("grant", keys.city_grant), ("status", keys.city_status)
    city.keys = [(purpose, kid, key) for purpose, ring in rings for kid, key in ring.items()]
    return city


async def _settled(home: TestCity) -> None:
    """The home city has published scores and knows the others as parties."""
    await home.owner.execute(
        "INSERT INTO publish_run (model, as_of, scored, changed, band_moves, started_at)"
        " VALUES ('m', '2026-11-01', 1, 1, 1, clock_timestamp())"
    )
    for code in AWAY:
        await home.party(
            f"city-{code}",
            scenarios=("recognition",),
            kind="city",
            entity=f"entity-{code}",
            city=code,
        )
    await home.city.schemes.refresh()
    await home.city.refresh()


async def a_day_passes(town: TestCity) -> None:
    """A day passes: what happened so far was yesterday, and everybody has signed out."""
    for statement in (
        "UPDATE visit SET opened_on = opened_on - 1, ended_on = ended_on - 1,"
        " granted_at = granted_at - interval '1 day'",
        "UPDATE session SET expires_at = clock_timestamp() - interval '1 second'",
        "UPDATE dpop_used SET expires = expires - interval '1 day'",
    ):
        await town.owner.execute(statement)
