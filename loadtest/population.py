"""A city of any size: each citizen with a real standing, written in bulk as the owner.

A standing is what decisions read: its body through `encode_body`, the person's key wrapped by the
city's vault, a version of the real sequence, the keyed digest. Rows that no decision reads
(identity, scores, the consents' and commitments' own history) are left out: these citizens can be
asked about, and nothing else can be done with them, since a change would rebuild the body from
rows that are not there. `loadtest/calls.py` has whole citizens.

    python -m loadtest.population --citizens 1000000
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias
from uuid import UUID

import click
import msgspec
from redis.asyncio import Redis
from redis.maint_notifications import MaintNotificationsConfig

from gateway.app import open_city
from gateway.body import (
    Body,
    CommitmentSlip,
    ConsentSlip,
    digest,
    encode_body,
    pack_commitments,
    pack_consents,
)
from gateway.city import City
from gateway.clock import DAY_US, HOUR_US
from gateway.settings import Settings
from gateway.store import standing as standing_rows
from loadtest.party import Shop, register
from loadtest.serving import Owner, Progress, owner_of, throw_away_city

#: Citizens of one COPY, and of one pipeline to the cache.
BATCH = 5_000

#: Valkey's room while a million citizens are in it: the local city's own 256 MB would evict some.
ROOM = "4gb"

#: Standings whose entry is looked at one by one.
SAMPLE = 1_000

_YEAR_US = 365 * DAY_US


class Holding(msgspec.Struct, frozen=True):
    """What one citizen has said: consents as (sector, scenario), commitments by scenario."""

    consents: tuple[tuple[int, str], ...]
    commitments: tuple[str, ...]


#: What the citizen of a number holds.
Holdings: TypeAlias = Callable[[int], Holding]


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What the cache needs for a citizen, in bytes.

    `grown` is the growth of used_memory by citizen, `entry` the mean of MEMORY USAGE over a
    sample, `value` and `body` the lengths of what is stored and of the body inside.
    """

    citizens: int
    consents: int
    grown: float
    entry: float
    value: float
    body: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A population, the seconds it took, and its memory."""

    citizens: int
    settle_s: float
    warm_s: float
    memory: Memory


def shoppers(shop: Shop, scenarios: Sequence[str], asked: Sequence[str], consents: int) -> Holdings:
    """Citizens with so many consents, one of them at the shop for a scenario of `asked`, in turn.

    The others are at other recipients and for the scenarios in turn; no two are for the same. Each
    promised what the scenario that is asked about wants.
    """
    pairs = [(sector, name) for name in scenarios for sector in shop.others]
    if consents - 1 > len(pairs):
        raise ValueError(f"at most {len(pairs) + 1} consents")
    others = tuple(pairs[: consents - 1])

    def holding(number: int) -> Holding:
        scenario = asked[number % len(asked)]
        return Holding(((shop.sector, scenario), *others), (scenario,))

    return holding


async def settle(
    city: City, owner: Owner, count: int, holdings: Holdings, progress: Progress
) -> list[UUID]:
    """Write so many citizens' standings; a million take about a minute."""
    citizens: list[UUID] = []
    for start in range(0, count, BATCH):
        progress(f"settling citizens: {start:,} of {count:,}")
        numbers = range(start, min(start + BATCH, count))
        versions = await standing_rows.next_versions(owner, len(numbers))
        rows = [
            _row(city, holdings(number), number, version)
            for number, version in zip(numbers, versions, strict=True)
        ]
        await owner.copy_records_to_table(
            "standing", records=rows, columns=["citizen", "version", "digest", "body"]
        )
        citizens += [row[0] for row in rows]
    progress("vacuum, analyze")
    await owner.execute("VACUUM (ANALYZE) standing")
    return citizens


async def warm(city: City, owner: Owner, citizens: Sequence[UUID], progress: Progress) -> None:
    """Bring these citizens' standings to the cache, as the relay would.

    Raises:
        RuntimeError: some of them are not there afterwards.
    """
    for start in range(0, len(citizens), BATCH):
        progress(f"warming the cache: {start:,} of {len(citizens):,}")
        entries = await standing_rows.load(owner, citizens[start : start + BATCH])
        await city.cache.offer([(entry, b"") for entry in entries.values()])
    sample = _sample(citizens)
    found = await city.cache.get([city.cache.key(citizen) for citizen in sample])
    if None in found:
        raise RuntimeError(f"{found.count(None)} of {len(sample)} entries are not in the cache")


async def memory(
    city: City, admin: Redis, citizens: Sequence[UUID], consents: int, empty: int
) -> Memory:
    """What the cache holds for these citizens, `empty` being its used_memory before them."""
    sample = _sample(citizens)
    keys = [city.cache.key(citizen) for citizen in sample]
    values = [value or b"" for value in await city.cache.get(keys)]
    entries = [city.cache.unpack(who, value) for who, value in zip(sample, values, strict=True)]
    usage = [int(await admin.memory_usage(key, samples=0) or 0) for key in keys]
    return Memory(
        citizens=len(citizens),
        consents=consents,
        grown=(await used(admin) - empty) / len(citizens),
        entry=sum(usage) / len(usage),
        value=sum(map(len, values)) / len(values),
        body=sum(len(entry.body) for entry in entries if entry) / len(entries),
    )


async def used(admin: Redis) -> int:
    """Valkey's used_memory in bytes."""
    return int((await admin.info("memory"))["used_memory"])


@asynccontextmanager
async def room(admin_url: str) -> AsyncIterator[Redis]:
    """An administrator of the cache, which from now on has room for a million citizens."""
    quiet = MaintNotificationsConfig(enabled=False)
    admin = Redis.from_url(admin_url, protocol=3, maint_notifications_config=quiet)
    try:
        await admin.config_set("maxmemory", ROOM)
        yield admin
    finally:
        await admin.aclose()


def patient(settings: Settings) -> Settings:
    """The settings for loading in bulk: what is sent to the cache at once takes its time, and
    stays there for as long as a measurement may last."""
    return msgspec.structs.replace(settings, cache_timeout_s=60.0, cache_ttl_s=6 * 3600)


def _row(city: City, holding: Holding, number: int, version: int) -> tuple[UUID, int, int, bytes]:
    citizen = city.ids.random_uuid()
    body = encode_body(_body(city, citizen, holding, number))
    seal = digest(city.keys.standing_digest, citizen, version, body)
    return citizen, version, seal, body


def _body(city: City, citizen: UUID, holding: Holding, number: int) -> Body:
    """The body that the writer would have built from the rows of such a citizen."""
    now_us = city.clock.now_us()
    # A year's worth of different instants, so that bodies resemble one another no more than real
    # ones do.
    since_us = now_us - HOUR_US - number * 30_000_017 % (300 * DAY_US)
    consents = [
        ConsentSlip(
            id=city.ids.random_bytes(16),
            version=1,
            sector=sector,
            scenario=scenario,
            from_us=since_us,
            to_us=since_us + _YEAR_US,
        )
        for sector, scenario in holding.consents
    ]
    consents.sort(key=lambda slip: slip.id)  # the order in which they are rebuilt
    return Body(
        key=city.vault.new_key(citizen),
        band=3 + number % 3,
        consents=pack_consents(consents),
        commitments=pack_commitments(
            CommitmentSlip(name, 0, since_us) for name in holding.commitments
        ),
    )


def _sample(citizens: Sequence[UUID]) -> list[UUID]:
    dice = random.Random(20260101)  # a choice, not a secret
    return dice.sample(list(citizens), min(SAMPLE, len(citizens)))


def measure(citizens: int, consents: int, progress: Progress) -> Report:
    """A throw-away city of so many citizens, brought up, warmed and weighed."""
    with throw_away_city(progress) as running:

        async def run() -> Report:
            city = open_city(patient(running.settings))
            async with (
                city.running(),
                owner_of(running) as owner,
                room(running.engines.valkey.admin_url) as admin,
            ):
                shop = await register(city, owner, ["rent"])
                holdings = shoppers(shop, list(city.registry), ["rent"], consents)
                empty, begun = await used(admin), time.monotonic()
                people = await settle(city, owner, citizens, holdings, progress)
                settled = time.monotonic()
                await warm(city, owner, people, progress)
                warmed = time.monotonic()
                return Report(
                    citizens=citizens,
                    settle_s=settled - begun,
                    warm_s=warmed - settled,
                    memory=await memory(city, admin, people, consents, empty),
                )

        return asyncio.run(run())


@click.command()
@click.option("--citizens", default=10_000, show_default=True)
@click.option("--consents", default=3, show_default=True)
def main(citizens: int, consents: int) -> None:
    """Bring a throw-away city to so many citizens and say what that took."""
    report = measure(citizens, consents, lambda text: click.echo(text, err=True))
    click.echo(msgspec.json.format(msgspec.json.encode(report)).decode())


if __name__ == "__main__":
    main()
