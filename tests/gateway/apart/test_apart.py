"""Two cities' dumps, without their key files, join no better than chance: home with visited, and
two visited cities of one person."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from gateway import jobs
from gateway.local.valkey import Valkey
from gateway.recognition.forgetting import Forgetting
from gateway.recognition.permutation import PLACES
from gateway.recognition.veil import Veil
from tests.engines import Database, Engines
from tests.gateway.apart.cities import HOME, Alliance, a_day_passes, open_alliance
from tests.gateway.apart.dumps import (
    Dump,
    dump,
    equal_for_everybody,
    equalities,
    found_again,
    likenesses,
)
from tests.gateway.city import TestCity

PEOPLE, FEWER = 120, 60

#: What two cities may have in common of a visitor: all that everybody has who came on that day from
#: that city for those scenarios. Nothing else of a visitor's rows is equal for two visitors.
EQUAL = {
    "visit": {
        *("issuer", "scheme", "scheme_version", "tier", "band", "scenarios", "limit_fen", "as_of"),
        *("policy", "status_uri", "number", "opened_on", "ended_on", "reason", "is_settled"),
    },
    "visitor": {"issuer"},
    "citizen": {"created_at", "synthetic"},
    "standing": {"issuer"},
}


@pytest.fixture
def databases(engines: Engines) -> Iterator[list[Database]]:
    made = [engines.clone() for _ in range(3)]
    yield made
    for database in made:
        engines.drop(database)


@pytest.fixture
async def alliance(
    databases: list[Database], valkey: Valkey, tmp_path: Path
) -> AsyncIterator[Alliance]:
    async with open_alliance(databases, valkey, tmp_path) as opened:
        yield opened


async def a_day(alliance: Alliance, count: int, *, without: str = "") -> list[UUID]:
    """So many people visit both cities, at each in an order of its own; a third of them take it
    back; and every city's background worker does its work."""
    people = [await alliance.person() for _ in range(count)]
    for number, town in enumerate(alliance.away):
        for citizen in random.Random(number).sample(people, count):
            await alliance.visit(citizen, town)
            # Times of a grant are whole seconds, which must differ to tell anything.
            await asyncio.sleep(0.05 if without == "times" else 0)
    for citizen in random.Random(7).sample(people, count // 3):
        await alliance.take_back(citizen)
    for town in alliance.away:
        await alliance.read_lists(town)
    for town in (alliance.home, *alliance.away):
        await a_day_passes(town)
        await _housework(town, without)
    return people


async def _housework(town: TestCity, without: str) -> None:
    forget = Forgetting(town.city.database, town.city.writer, town.city.closing)
    if without != "times":
        await forget.times()
    while without != "order" and await forget.order():
        pass
    while await jobs.relay(town.city):
        pass
    if without != "sessions":
        await jobs.purge(town.city)


async def dumped(
    alliance: Alliance, databases: list[Database], people: list[UUID]
) -> list[tuple[Dump, Dump]]:
    """The dumps by twos: each visited city with the home city, and the visited ones."""
    home = await dump(databases[0], people)
    away = [
        await dump(database, await alliance.known_at(town, people))
        for town, database in zip(alliance.away, databases[1:], strict=True)
    ]
    return [*((each, home) for each in away), (away[0], away[1])]


def joins(pairs: list[tuple[Dump, Dump]], people: int) -> list[str]:
    """Every way found to join two dumps."""
    found: list[str] = []
    for ours, theirs in pairs:
        found += equalities(ours.columns, theirs.columns, people)
        found += likenesses(ours.columns, theirs.columns)
        found += found_again(theirs.columns, ours)
    return found


async def test_three_cities_dumps_join_no_better_than_chance(
    alliance: Alliance, databases: list[Database]
) -> None:
    people = await a_day(alliance, PEOPLE)
    pairs = await dumped(alliance, databases, people)
    assert joins(pairs, PEOPLE) == []
    for visited in (pairs[0][0], pairs[1][0]):
        everybodys = {f"{table}.{name}" for table, names in EQUAL.items() for name in names}
        assert equal_for_everybody(visited.columns) == everybodys
        # Nothing but these tables has rows of somebody who came and did nothing.
        assert {name.split(".")[0] for name in visited.columns} == set(EQUAL)
        assert all(len(visited.columns[f"{table}.place"]) == PEOPLE for table in EQUAL)
    assert len(pairs[0][0].columns["visit.ended_on"]) == PEOPLE // 3


#: What is left out, and by which join that must be noticed.
WITHOUT = {
    "place": "visit.status_idx = recognition.status_idx",
    "id": "visit.home_consent = consent.id",
    "times": "visit.granted_at ~ decision.at_us",
    "order": "visitor.place ~ decision.at_us",
    "sessions": "session.created_at ~ decision.at_us",
}


#: Those of every run; the others cost a minute, and come at night.
BY_DAY = ("id", "order")
EACH = [pytest.param(what, marks=() if what in BY_DAY else pytest.mark.nightly) for what in WITHOUT]


@pytest.mark.parametrize("without", EACH)
async def test_without_the_veil_or_the_forgetting_they_join(
    alliance: Alliance,
    databases: list[Database],
    monkeypatch: pytest.MonkeyPatch,
    without: str,
) -> None:
    if without == "place":
        monkeypatch.setattr(Veil, "place", lambda _self, _uri, place: place)
        monkeypatch.setattr(Veil, "bits", lambda _self, _uri, raw: raw.ljust(PLACES // 8, b"\xff"))
    if without == "id":
        monkeypatch.setattr(Veil, "id", lambda _self, shared: shared)
    people = await a_day(alliance, FEWER, without=without)
    found = joins(await dumped(alliance, databases, people), FEWER)
    assert any(each.startswith(WITHOUT[without]) for each in found), found


async def test_the_grants_place_and_the_list_are_veiled_alike(alliance: Alliance) -> None:
    """Whose bit is set at home is whose visit ends, and nobody else's."""
    people = [await alliance.person() for _ in range(40)]
    town = alliance.away[0]
    for citizen in people:
        await alliance.visit(citizen, town)
    gone = set(random.Random(3).sample(people, 13))
    for citizen in gone:
        await alliance.take_back(citizen)
    await alliance.read_lists(town)
    names = await alliance.known_at(town, people)
    rows: list[Any] = await town.owner.fetch("SELECT citizen FROM visit WHERE reason = 'status'")
    ended = {row["citizen"] for row in rows}
    assert ended == {name for name, who in zip(names, people, strict=True) if who in gone}
    assert town.city.settings.city != HOME
