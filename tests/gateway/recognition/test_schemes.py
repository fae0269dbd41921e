"""A published table never changes, follows its former versions, and is open to everybody."""

from __future__ import annotations

import asyncio
from datetime import date

import asyncpg
import pytest

from gateway.errors import Conflict
from gateway.recognition.schemes import publish
from gateway.store.migrate import Connection, connected
from scenarios.scheme_text import SchemeError, parse_scheme
from tests.engines import Database
from tests.gateway.callers import Callers, body
from tests.gateway.city import TestCity
from tests.gateway.recognition.visitors import raw

LIST, FIRST = "/v1/recognition/schemes", "/v1/recognition/schemes/example-delta/1"


async def test_what_was_published_is_known_to_every_worker_on_its_tick(
    town: TestCity, other_worker: TestCity
) -> None:
    scheme = await publish(town.owner, raw(1))
    for worker in (town, other_worker):
        assert worker.city.schemes.get("example-delta", 1) is None
        await worker.city.refresh()
        assert worker.city.schemes.get("example-delta", 1) == scheme
    later = await publish(town.owner, raw(2))
    await town.city.refresh()
    schemes = town.city.schemes
    assert schemes.all() == [scheme, later]
    assert schemes.in_force("example-delta", date(2026, 2, 28)) == scheme
    assert schemes.in_force("example-delta", date(2026, 3, 1)) == later
    assert schemes.in_force("example-delta", date(2025, 12, 31)) is None
    assert schemes.in_force("other", date(2026, 3, 1)) is None


async def test_everybody_reads_the_tables(town: TestCity) -> None:
    stranger = Callers(town).stranger()
    assert body(await stranger.get(LIST)) == {"schemes": []}
    assert (await stranger.get(FIRST)).status_code == 404
    for version in (1, 2):
        await publish(town.owner, raw(version))
    await town.city.refresh()
    listed = body(await stranger.get(LIST))["schemes"]
    assert [(each["id"], each["version"], each["from"]) for each in listed] == [
        ("example-delta", 1, "2026-01-01"),
        ("example-delta", 2, "2026-03-01"),
    ]
    shown = body(await stranger.get(FIRST))
    assert shown["cities"]["330200"]["bands"] == {"T1": [3, 5], "T2": [5, 6]}
    assert shown == town.city.schemes.all()[0].public() | {"tiers": ["T1", "T2"]} | {
        "cities": shown["cities"]
    }


@pytest.mark.parametrize("version", ["3", "01", "-1", "1.0", "x", "9" * 10, "9" * 400])
async def test_a_version_that_was_not_published_is_not_found(town: TestCity, version: str) -> None:
    await publish(town.owner, raw(1))
    await town.city.refresh()
    got = await Callers(town).stranger().get(f"{LIST}/example-delta/{version}")
    assert got.status_code == 404


async def test_the_same_text_twice_is_published_once(owner: Connection) -> None:
    assert await publish(owner, raw(1)) == await publish(owner, raw(1))
    assert await owner.fetchval("SELECT count(*) FROM recognition_scheme") == 1


async def test_a_changed_text_under_a_known_version_is_refused(owner: Connection) -> None:
    await publish(owner, raw(1))
    for changed in (raw(1) + b"\n", raw(1).replace(b"50_000", b"60_000")):
        with pytest.raises(Conflict, match="another text"):
            await publish(owner, changed)
    stored = await owner.fetchval("SELECT text FROM recognition_scheme")
    assert stored.encode() == raw(1)


async def test_a_change_has_a_higher_number_and_a_later_date(owner: Connection) -> None:
    await publish(owner, raw(2))
    with pytest.raises(Conflict, match="does not follow"):
        await publish(owner, raw(1))
    for start in (b"2026-03-01", b"2026-02-28"):
        text = raw(2).replace(b"version = 2", b"version = 3").replace(b"2026-03-01", start)
        with pytest.raises(Conflict, match="later date"):
            await publish(owner, text)
    assert await owner.fetchval("SELECT count(*) FROM recognition_scheme") == 1


async def test_a_text_that_is_no_scheme_is_named_and_not_published(owner: Connection) -> None:
    with pytest.raises(SchemeError, match=r"delta\.toml:31: cities\.330100\.bands"):
        await publish(owner, raw(1).replace(b"T1 = [4, 5]", b"T1 = [5, 5]"), "delta.toml")
    assert await owner.fetchval("SELECT count(*) FROM recognition_scheme") == 0


async def test_a_table_with_bands_that_this_city_does_not_have_is_refused(town: TestCity) -> None:
    text = raw(1).replace(b"T1 = [4, 5], T2 = [5, 6]", b"T1 = [4, 9], T2 = [9, 10]")
    assert parse_scheme(text, "x").band_of("330100", "T2") == 9
    with pytest.raises(Conflict, match="T2"):
        await publish(town.owner, text)


async def test_of_two_at_once_that_follow_the_same_version_one_is_refused(
    database: Database, owner: Connection
) -> None:
    async def one(limit: bytes) -> str:
        async with connected(database.owner_url) as connection:
            try:
                await publish(connection, raw(1).replace(b"50_000", limit))
            except Conflict:
                return "refused"
            return "published"

    found = await asyncio.gather(*(one(b"5%d_000" % number) for number in range(4)))
    assert sorted(found) == ["published", "refused", "refused", "refused"]
    assert await owner.fetchval("SELECT count(*) FROM recognition_scheme") == 1


async def test_the_role_of_requests_cannot_publish(connection: Connection) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await publish(connection, raw(1))


async def test_a_stored_text_that_cannot_be_read_recognises_nobody_and_stops_nothing(
    town: TestCity,
) -> None:
    await publish(town.owner, raw(1))
    await town.owner.execute(
        "INSERT INTO recognition_scheme (id, version, valid_from, text, sha256)"
        " VALUES ('from-later', 1, '2026-01-01', 'tiers = []', sha256(''))"
    )
    await town.city.refresh()
    assert [each.id for each in town.city.schemes.all()] == ["example-delta"]
    assert town.city.schemes.get("from-later", 1) is None
