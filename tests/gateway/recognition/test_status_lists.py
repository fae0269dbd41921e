"""This city's status lists: a place is used once, a bit turns with its grant, and `iat` is true."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
from msgspec import structs

from gateway import jobs
from gateway.claims import Kind, StatusListClaims
from gateway.clock import SECOND_US
from gateway.edge.admission import of_request
from gateway.errors import DependencyDown, NotFound
from gateway.jose import Passed, verify
from gateway.jwk import Alg, Key
from gateway.recognition.status_bits import SIZE, is_set, raw_from
from gateway.recognition.status_lists import StatusLists
from gateway.waiting_line import Priority
from tests.engines import Database
from tests.gateway.apps import transport_of
from tests.gateway.city import TestCity
from tests.gateway.edge.asgi import scope
from tests.gateway.recognition.home import consent_of, recognised

LIST = "application/statuslist+jwt"


class Published:
    """Whoever looks up this city's status keys."""

    def __init__(self, town: TestCity) -> None:
        self.city = town.city

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        key = self.city.keys.city_status.get(kid)
        if key is None or (kind, issuer) != (Kind.STATUS_LIST, self.city.settings.issuer):
            return None
        return Key(kid, Alg.ES256, key.public_key())


def read(town: TestCity, token: str, uri: str) -> tuple[StatusListClaims, bytes]:
    """A list as another city reads it."""
    issuer, now_us = town.city.settings.issuer, town.city.clock.now_us()
    answer = verify(
        token, Kind.STATUS_LIST, Published(town), issuer=issuer, audience=uri, now_us=now_us
    )
    assert isinstance(answer, Passed), answer
    assert isinstance(answer.claims, StatusListClaims)
    return answer.claims, raw_from(answer.claims.status_list.lst)


def again(town: TestCity) -> StatusLists:
    """Another worker's lists: nothing in memory."""
    city = town.city
    return StatusLists(city.settings, city.keys, city.database, city.clock, city.ids)


@pytest.fixture
async def http(town: TestCity) -> AsyncIterator[httpx.AsyncClient]:
    transport = transport_of(town.city)
    async with httpx.AsyncClient(transport=transport, base_url=town.city.settings.issuer) as http:
        yield http


# ------------------------------------------------------------------ over HTTP


async def test_anybody_reads_a_list_and_of_none_there_is_nothing(
    town: TestCity, http: httpx.AsyncClient
) -> None:
    for nothing in ("1", "0", "2147483648", "99999999999999999999", "-1", "x", "1.0", "1/2"):
        answer = await http.get(f"/status-lists/{nothing}")
        assert answer.status_code == 404, nothing
        assert answer.headers["content-type"] == "application/problem+json"
    recognition = await recognised(town, await town.citizen())
    number, idx = await place(town, recognition)
    answer = await http.get(f"/status-lists/{number}", headers={"accept": LIST})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == LIST
    assert answer.headers["cache-control"] == "public, max-age=2"
    uri = f"{town.city.settings.issuer}/status-lists/{number}"
    claims, bits = read(town, answer.text, uri)
    assert (claims.iss, claims.sub, claims.ttl) == (town.city.settings.issuer, uri, 15)
    assert claims.exp == claims.iat + 60
    assert len(bits) * 8 == SIZE
    assert is_set(bits, idx) is False
    assert (await http.post(f"/status-lists/{number}")).status_code == 405


def test_lists_are_let_in_like_the_withdrawals_that_they_carry() -> None:
    given = scope(method="GET", path="/status-lists/1")
    assert of_request(given) is Priority.WITHDRAW  # type: ignore[arg-type]  # an HTTP scope


# ------------------------------------------------------------------ bits


async def place(town: TestCity, recognition: object) -> tuple[int, int]:
    """List and index of a recognition."""
    row = await town.owner.fetchrow(
        "SELECT status_list, status_idx FROM recognition WHERE id = $1", recognition
    )
    assert row is not None
    return row["status_list"], row["status_idx"]


async def test_a_bit_turns_with_its_grant_and_no_other_does(town: TestCity) -> None:
    citizens = [await town.citizen() for _ in range(4)]
    made = [await recognised(town, citizen) for citizen in citizens]
    places = [await place(town, each) for each in made]
    assert len({number for number, _ in places}) == 1
    number, uri = places[0][0], town.city.status_lists.uri(places[0][0])
    for gone in range(3):
        await town.city.consents.withdraw(citizens[gone], await consent_of(town, made[gone]))
        await jobs.copy_status(town.city)
        _, bits = read(town, await again(town).token(number), uri)
        assert [is_set(bits, idx) for _, idx in places] == [at <= gone for at in range(4)]
        assert sum(byte.bit_count() for byte in bits) == gone + 1


async def test_every_withdrawal_acknowledged_before_iat_is_in_the_list(town: TestCity) -> None:
    """The race that the promise stands on: copies are made while citizens withdraw."""
    citizens = [await town.citizen() for _ in range(30)]
    made = {citizen: await recognised(town, citizen) for citizen in citizens}
    places = {citizen: (await place(town, made[citizen]))[1] for citizen in citizens}
    number = (await place(town, made[citizens[0]]))[0]
    acknowledged: dict[Any, int] = {}

    async def withdraw() -> None:
        for citizen in citizens:
            await town.city.consents.withdraw(citizen, await consent_of(town, made[citizen]))
            acknowledged[citizen] = await _value(town, "SELECT clock_us()")

    copies: list[tuple[int, bytes]] = []
    work = asyncio.create_task(withdraw())
    while not work.done():
        await jobs.copy_status(town.city)
        token = await again(town).token(number)
        claims, bits = read(town, token, town.city.status_lists.uri(number))
        as_of_us = await _value(town, "SELECT to_us(as_of) FROM status_list_copy")
        assert claims.iat * SECOND_US <= as_of_us < (claims.iat + 1) * SECOND_US
        copies.append((as_of_us, bits))
    await work
    assert len(copies) > 5
    for as_of_us, bits in copies:
        for citizen, at_us in acknowledged.items():
            assert is_set(bits, places[citizen]) or at_us > as_of_us


async def _value(town: TestCity, statement: str) -> int:
    async with town.city.database.connection() as connection:
        return int(await connection.fetchval(statement))


async def test_of_two_who_copy_the_older_does_not_win(town: TestCity) -> None:
    recognition = await recognised(town, await town.citizen())
    number, _ = await place(town, recognition)
    await town.owner.execute(
        "UPDATE status_list_copy SET as_of = clock_timestamp() + interval '5 seconds'"
    )
    before = await town.owner.fetchrow("SELECT lst, as_of FROM status_list_copy")
    await again(town).step()
    await town.city.status_lists.step()
    await town.city.status_lists.step()
    assert await town.owner.fetchrow("SELECT lst, as_of FROM status_list_copy") == before
    assert number


async def test_an_old_copy_is_not_signed_and_a_new_one_is_again(
    town: TestCity, http: httpx.AsyncClient
) -> None:
    number, _ = await place(town, await recognised(town, await town.citizen()))
    await town.owner.execute("UPDATE status_list_copy SET as_of = as_of - interval '21 seconds'")
    with pytest.raises(DependencyDown):
        await again(town).token(number)
    answer = await http.get(f"/status-lists/{number}")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    await jobs.copy_status(town.city)
    assert (await http.get(f"/status-lists/{number}")).status_code == 200


async def test_a_copy_is_signed_once_and_a_newer_one_within_a_second(town: TestCity) -> None:
    number, _ = await place(town, await recognised(town, await town.citizen()))
    first = await town.city.status_lists.token(number)
    # ES256 as we make it is not deterministic: the same text is the same signing.
    assert await town.city.status_lists.token(number) == first
    await asyncio.sleep(0.6)
    assert await town.city.status_lists.token(number) == first
    await jobs.copy_status(town.city)
    await asyncio.sleep(0.6)
    assert await town.city.status_lists.token(number) != first


async def test_a_city_without_status_keys_publishes_nothing(town: TestCity) -> None:
    number, _ = await place(town, await recognised(town, await town.citizen()))
    city = town.city
    keys = structs.replace(city.keys, city_status={})
    keyless = StatusLists(city.settings, keys, city.database, city.clock, city.ids)
    with pytest.raises(NotFound):
        await keyless.token(number)


# ------------------------------------------------------------------ places


async def test_places_are_drawn_at_random_and_never_twice(town: TestCity) -> None:
    citizen = await town.citizen()
    first = await recognised(town, citizen)
    consent = await consent_of(town, first)
    for _ in range(30):
        await recognised(town, citizen, consent=consent)
    rows = await town.owner.fetch("SELECT status_idx FROM recognition ORDER BY number")
    taken = [row["status_idx"] for row in rows]
    assert len(set(taken)) == len(taken) == 31
    assert taken != sorted(taken)
    assert max(taken) - min(taken) > SIZE // 4


async def test_two_who_draw_the_same_place_do_not_both_get_it(town: TestCity) -> None:
    await recognised(town, await town.citizen())
    lists = StatusLists(
        town.city.settings, town.city.keys, town.city.database, town.city.clock, _Same()
    )
    async with (
        town.city.database.transaction() as one,
        town.city.database.transaction() as other,
    ):
        slot = await lists.allocate_within(one)
        assert (await town.city.status_lists.allocate_within(other)).idx != slot.idx
        with pytest.raises(Exception, match="overloaded"):
            await lists.allocate_within(other)


class _Same:
    """Randomness that is none."""

    def random_bytes(self, count: int) -> bytes:
        return bytes(count - 1) + b"\x08"

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


async def test_many_who_open_the_first_list_open_one(town: TestCity) -> None:
    async def allocate() -> int:
        async with town.city.database.transaction() as connection:
            return (await town.city.status_lists.allocate_within(connection)).list

    numbers = await asyncio.gather(*(allocate() for _ in range(5)))
    assert len(set(numbers)) == 1
    assert await town.owner.fetchval("SELECT count(*) FROM status_list") == 1


async def test_a_list_that_is_half_taken_is_closed_and_goes_on_being_published(
    town: TestCity,
) -> None:
    citizen = await town.citizen()
    first = await recognised(town, citizen)
    number, _ = await place(town, first)
    await town.owner.execute("UPDATE status_list SET size = 8")
    await town.owner.execute("UPDATE recognition SET status_idx = 0")
    consent = await consent_of(town, first)
    for _ in range(3):
        await recognised(town, citizen, consent=consent)
    assert await again(town).step() == 1
    later = await place(town, await recognised(town, citizen, consent=consent))
    assert later[0] != number
    assert await town.city.status_lists.step() == 2
    for each in (number, later[0]):
        read(town, await again(town).token(each), town.city.status_lists.uri(each))


# ------------------------------------------------------------------ size and time


@pytest.mark.parametrize(
    ("ended", "most_chars"),
    [(10_000, 25_000), pytest.param(500_000, 256 * 1024, marks=pytest.mark.nightly)],
    ids=["1 % ended", "half taken and all of it ended"],
)
async def test_a_million_entries_are_rebuilt_within_a_second(
    town: TestCity,
    database: Database,
    capsys: pytest.CaptureFixture[str],
    ended: int,
    most_chars: int,
) -> None:
    number, _ = await place(town, await recognised(town, await town.citizen()))
    await _fill(database, number, ended)
    began = time.perf_counter()
    await again(town).step()
    took = time.perf_counter() - began
    token = await again(town).token(number)
    _, bits = read(town, token, town.city.status_lists.uri(number))
    assert len(bits) * 8 == SIZE == 1_000_000
    assert ended - 1 <= sum(byte.bit_count() for byte in bits) <= ended
    assert len(token) <= most_chars
    with capsys.disabled():
        print(f"\n{ended} of a million ended: {took * 1000:.0f} ms, {len(token)} characters")
    assert took < 5  # the figure is printed; this only says that it is not out of hand


async def _fill(database: Database, number: int, ended: int) -> None:
    """So many ended grants at random places."""
    connection = await asyncpg.connect(database.superuser_url)
    await connection.execute("SET session_replication_role = replica")
    await connection.execute(
        "INSERT INTO recognition (id, citizen, party, city, consent, scenarios, scheme,"
        " scheme_version, tier, band_floor, status_list, status_idx, until_at, ended_at, reason)"
        " SELECT gen_random_uuid(), gen_random_uuid(), 1, '330200', gen_random_uuid(), '{}', 's',"
        " 1, 'T1', 4, $1, n, now(), now(), 'expired'"
        " FROM (SELECT n FROM generate_series(0, 999999) AS n ORDER BY random() LIMIT $2) AS places"
        " ON CONFLICT DO NOTHING",
        *(number, ended),
        timeout=120,
    )
    await connection.close(timeout=5)
