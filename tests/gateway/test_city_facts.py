"""City facts reach decisions through the standing, and nobody but the owner writes them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from gateway import city_facts
from gateway.body import Body, decode_body
from gateway.clock import DAY_US
from gateway.local.valkey import Valkey
from gateway.office import Office
from gateway.store import city_fact as rows
from gateway.store.city_fact import (
    CityFact,
    LibraryCard,
    Loan,
    MedicalAdvance,
    Objection,
    PointsEntry,
    Shelf,
    Stay,
    Suspension,
    Waiver,
)
from scenarios.contract import Outcome
from tests.engines import Database
from tests.gateway.city import ENTITY, TestCity


@pytest.fixture
async def office(town: TestCity, database: Database, valkey: Valkey) -> AsyncIterator[Office]:
    """The town's office."""
    city = town.city
    async with Office(
        database.owner_url, valkey.url, city.keys, city.clock, city.ids
    ).open() as opened:
        yield opened


def every_kind(town: TestCity, citizen: UUID) -> list[CityFact]:
    """One fact of each kind, all in force now."""
    now, ids = town.city.clock.now_us(), town.city.ids
    return [
        Waiver(citizen, f"w-{citizen}", ENTITY, 30_000, now - DAY_US),
        MedicalAdvance(citizen, f"m-{citizen}", 12_000, now - DAY_US),
        Loan(citizen, f"l-{citizen}", ENTITY, 3, now + DAY_US),
        LibraryCard(citizen, ENTITY, f"card-{citizen}"),
        PointsEntry(citizen, f"p-{citizen}", "330106-001", 80, now - DAY_US, now + DAY_US),
        Stay(citizen, "330106-001", now - DAY_US),
        Suspension(citizen, ids.random_uuid(), "hospital", now - DAY_US),
        Objection(citizen, ids.random_uuid(), None, now - DAY_US),
    ]


async def body(town: TestCity, citizen: UUID) -> tuple[int, Body]:
    """Version and body of a standing as stored."""
    row = await town.owner.fetchrow(
        "SELECT version, body FROM standing WHERE citizen = $1", citizen
    )
    assert row is not None
    return row["version"], decode_body(row["body"])


async def test_every_kind_of_fact_reaches_the_standing(town: TestCity, office: Office) -> None:
    await town.party()
    citizen = await town.citizen()
    await city_facts.load(office.writer, every_kind(town, citizen))
    _, held = await body(town, citizen)
    assert (held.waived_fen, held.medical_used_fen) == (30_000, 12_000)
    assert [(loan.items) for loan in held.loans] == [3]
    assert [card for _, card in held.cards] == [f"card-{citizen}"]
    assert [(slip.community, slip.points) for slip in held.points] == [("330106-001", 80)]
    assert [stay.community for stay in held.residency] == ["330106-001"]
    assert [scenario for scenario, _ in held.suspensions] == ["hospital"]
    assert held.objections == ("",)


async def test_settled_facts_no_longer_count(town: TestCity, office: Office) -> None:
    await town.party()
    citizen = await town.citizen()
    now = town.city.clock.now_us()
    facts = every_kind(town, citizen)
    await city_facts.load(office.writer, facts)
    ends = {"settled_us", "returned_us", "to_us", "lifted_us", "closed_us"}
    closed: list[CityFact] = []
    for fact in facts:
        given: dict[str, Any] = {
            name: getattr(fact, name) for name in fact.__struct_fields__ if name not in ends
        }
        given |= {name: now - 1 for name in fact.__struct_fields__ if name in ends}
        closed.append(type(fact)(**given))
    await city_facts.load(office.writer, closed)
    _, held = await body(town, citizen)
    assert (held.waived_fen, held.medical_used_fen, held.loans) == (0, 0, ())
    assert (held.residency, held.suspensions, held.objections) == ((), (), ())


async def test_loading_twice_leaves_the_facts_as_they_are(town: TestCity, office: Office) -> None:
    await town.party()
    citizen = await town.citizen()
    facts = every_kind(town, citizen)
    await city_facts.load(office.writer, facts)
    _, before = await body(town, citizen)
    await city_facts.load(office.writer, facts)
    _, after = await body(town, citizen)
    assert after == before


async def test_a_fact_of_one_citizen_cannot_be_taken_over_by_another(
    town: TestCity, office: Office
) -> None:
    await town.party()
    citizen, other = await town.citizen(), await town.citizen()
    now = town.city.clock.now_us()
    await city_facts.load(office.writer, [Waiver(citizen, "w-1", ENTITY, 100, now)])
    await city_facts.load(office.writer, [Waiver(other, "w-1", ENTITY, 0, now, now)])
    assert (await body(town, citizen))[1].waived_fen == 100


async def test_an_answer_follows_what_was_loaded_at_once(town: TestCity, office: Office) -> None:
    await town.party()
    citizen = await town.ready(band=3)
    assert (await town.ask(citizen)).outcome is Outcome.ELIGIBLE
    now = town.city.clock.now_us()
    await city_facts.load(office.writer, [Waiver(citizen, "w-1", ENTITY, 90_000, now)])
    assert (await town.ask(citizen)).outcome is Outcome.STANDARD_PATH


async def test_many_citizens_get_one_new_version_each(
    town: TestCity, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.city_facts.BATCH", 4)
    await town.party()
    citizens = [town.city.ids.random_uuid() for _ in range(10)]
    await town.citizens(citizens)
    facts = [fact for citizen in citizens for fact in every_kind(town, citizen)]
    first = await town.owner.fetchval("SELECT last_value FROM standing_version")
    await city_facts.load(office.writer, facts[::-1])
    assert await town.owner.fetchval("SELECT last_value FROM standing_version") == first + 10
    assert await town.owner.fetchval("SELECT count(*) FROM waiver") == 10


async def test_shelves_are_restocked(town: TestCity, office: Office) -> None:
    async with office.database.connection() as connection:
        await rows.put_shelves(connection, [Shelf("330106-001", "umbrella", 5)])
        await rows.put_shelves(connection, [Shelf("330106-001", "umbrella", 2)])
    assert await town.owner.fetchval("SELECT pieces FROM stock") == 2


async def test_the_serving_role_cannot_load_city_facts(town: TestCity) -> None:
    await town.party()
    citizen = await town.citizen()
    for fact in every_kind(town, citizen):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await city_facts.load(town.city.writer, [fact])
