"""The home city's word grows stale and is heard again, while two hundred questions are open.

Every record is true at its own instant, by the database's clock: a benefit where the word was
fresh, the ordinary way where it was not.
"""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from uuid import UUID

import msgspec

from gateway.local.valkey import Valkey
from gateway.store.migrate import Connection
from scenarios.contract import Outcome
from scenarios.universal import RECOGNISED
from tests.engines import Database
from tests.gateway.city import TestCity, open_test_city
from tests.gateway.recognition.visitors import Visitors

VISITORS, EACH, WAVES = 20, 10, 3
#: A statement that began before a word was heard may be recorded after it, without it.
UNDER_WAY_US = 500_000

ELIGIBLE = Outcome.ELIGIBLE


class Heard(msgspec.Struct, frozen=True):
    """A word, heard between two instants, and until when it is fresh (µs)."""

    begun_us: int
    done_us: int
    until_us: int


async def heard(visitors: Visitors, issuer: int, fresh_s: float) -> Heard:
    owner = visitors.town.owner
    now = "SELECT to_us(clock_timestamp())"
    begun = await owner.fetchval(now)
    await visitors.heard(issuer, fresh_s=fresh_s)
    until = await owner.fetchval("SELECT to_us(fresh_until) FROM issuer WHERE num = $1", issuer)
    return Heard(begun, await owner.fetchval(now), until)


def may_be(words: list[Heard], at_us: int) -> set[bool]:
    """Whether the word was fresh at an instant; both while one was being heard."""
    said = [each for each in words if each.done_us <= at_us]
    told = {at_us < said[-1].until_us}
    for before, each in itertools.pairwise(words):
        if each.begun_us <= at_us <= each.done_us + UNDER_WAY_US:
            told |= {at_us < before.until_us, at_us < each.until_us}
    return told


async def test_every_record_is_true_at_its_instant(
    database: Database, valkey: Valkey, owner: Connection, tmp_path: Path
) -> None:
    urls = database.gateway_url, owner, valkey.url, tmp_path
    async with open_test_city(*urls) as town, open_test_city(*urls) as other:
        await town.party(scenarios=("library", "rent"))
        await other.city.parties.refresh(force=True)
        visitors = await Visitors.at(town)
        issuer = await visitors.issuer()
        crowd = [await visitors.ready(issuer) for _ in range(VISITORS)]
        words = [await heard(visitors, issuer, 0.5)]
        over = asyncio.Event()

        async def keep_asking(worker: TestCity, citizen: UUID) -> None:
            while not over.is_set():
                await worker.ask(citizen)
                await asyncio.sleep(0.25)  # all together within the party's own limit

        async with asyncio.TaskGroup() as group:
            for number in range(EACH):
                for citizen in crowd:
                    group.create_task(keep_asking((town, other)[number % 2], citizen))
            for _ in range(WAVES):
                await asyncio.sleep(1.5)  # fresh, stale since half a second or more, then again
                words.append(await heard(visitors, issuer, 0.7))
            await asyncio.sleep(1.5)
            over.set()
        rows = await owner.fetch("SELECT outcome, clauses, at_us FROM decision")
    told = [bool(row["clauses"] & RECOGNISED) for row in rows]
    assert len(rows) >= VISITORS * EACH * 4
    assert {True, False} == set(told)
    for row, fresh in zip(rows, told, strict=True):
        assert (row["outcome"] == ELIGIBLE) is fresh
        assert fresh in may_be(words, row["at_us"])
    settled = [row for row in rows if len(may_be(words, row["at_us"])) == 1]
    assert len(settled) * 2 > len(rows), "most of them can be told"
