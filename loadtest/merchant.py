"""One merchant, its citizens, and the plan of asking about them."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import msgspec

from gateway.app import open_city
from gateway.city import City
from gateway.local.running import GATEWAY_HOST, RunningCity
from loadtest import people
from loadtest.generator import Plan

MERCHANT = "bench-merchant"
PATH = "/v1/scenarios/rent/eligibility"


async def settled(running: RunningCity, citizens: int, port: int) -> Plan:
    """Bring the city to so many citizens that the merchant may ask about; keeps what is there."""
    owner = await asyncpg.connect(running.engines.owner_url)
    city = open_city(running.settings)
    try:
        async with city.running():
            await _register(city, owner)
            known = [row["citizen"] for row in await owner.fetch("SELECT citizen FROM standing")]
            missing = citizens - len(known)
            if missing > 0:
                known += await people.settle(city, owner, MERCHANT, missing)
            await owner.execute("ANALYZE")
            return _plan(city, known[:citizens], port)
    finally:
        await owner.close(timeout=5)


async def _register(city: City, owner: asyncpg.Connection[asyncpg.Record]) -> None:
    if city.parties.get(MERCHANT) is None:
        await owner.execute("INSERT INTO legal_entity VALUES ($1, DEFAULT, $1, 'desk')", MERCHANT)
        number = await owner.fetchval(
            "INSERT INTO party (id, entity, kind, name) VALUES ($1, $1, 'merchant', $1)"
            " RETURNING num",
            MERCHANT,
        )
        await owner.execute(
            "INSERT INTO party_key (party, kid, jwk) VALUES ($1, 'k', '{}')", number
        )
        await owner.execute("INSERT INTO party_scenario VALUES ($1, 'rent', $2)", number, MERCHANT)
        await city.parties.refresh(force=True)


def _plan(city: City, citizens: list[UUID], port: int) -> Plan:
    party = city.parties.get(MERCHANT)
    assert party is not None
    sector = party.registrations["rent"].view.sector
    facts = city.registry["rent"].manifest.example_at(city.clock.now_us())
    return Plan(
        host=GATEWAY_HOST,
        port=port,
        path=PATH,
        connections=64,
        seconds=5.0,
        token=city.tokens.issue(party, "k", ["scenario:rent"]).token,
        facts=msgspec.json.encode(facts).decode(),
        subjects=tuple(city.pseudonyms.subject(citizen, sector) for citizen in citizens),
    )
