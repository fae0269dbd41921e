"""Whichever way the basis of a recognition goes: when that is acknowledged, none stands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from uuid import UUID

import asyncpg
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import jobs
from gateway.body import Body, ConsentSlip, decode_body, pack_consents
from gateway.clock import DAY_US, SECOND_US
from gateway.local.valkey import Valkey
from gateway.office import Office
from gateway.recognition.endings import End, ended_by, ends_of
from gateway.recognition.limits import cap_fen
from gateway.score_publication import ScorePublication
from gateway.scores import Scores
from gateway.store.ending import Living
from gateway.store.sql import read_queries
from tests.engines import Database
from tests.gateway.city import TestCity
from tests.gateway.recognition.home import consent_of, reason, recognised

Way = Callable[[TestCity, UUID, UUID], Awaitable[None]]


async def _withdrawn(town: TestCity, citizen: UUID, recognition: UUID) -> None:
    await town.city.consents.withdraw(citizen, await consent_of(town, recognition))


async def _paused(town: TestCity, citizen: UUID, recognition: UUID) -> None:
    await town.city.consents.pause(citizen, await consent_of(town, recognition))


async def _paused_for_a_day(town: TestCity, citizen: UUID, recognition: UUID) -> None:
    until_us = town.city.clock.now_us() + DAY_US
    await town.city.consents.pause(citizen, await consent_of(town, recognition), until_us)


async def _all_withdrawn(town: TestCity, citizen: UUID, _recognition: UUID) -> None:
    async with town.city.writer.change(citizen) as connection:
        await town.city.consents.withdraw_all_within(connection, citizen)


async def _closed(town: TestCity, citizen: UUID, _recognition: UUID) -> None:
    await town.city.closing.close(citizen, town.city.closing.text.sha256)


async def _score_withdrawn(town: TestCity, citizen: UUID, _recognition: UUID) -> None:
    await town.city.authorisations.withdraw(citizen, None)


async def _band_fallen(town: TestCity, citizen: UUID, _recognition: UUID) -> None:
    await town.owner.execute("UPDATE score SET band = 3 WHERE citizen = $1", citizen)
    await town.city.writer.rebuild(citizen)


async def _objected(town: TestCity, citizen: UUID, _recognition: UUID) -> None:
    await _object(town, citizen, "recognition")


async def _objected_to_all(town: TestCity, citizen: UUID, _recognition: UUID) -> None:
    await _object(town, citizen, None)


async def _object(town: TestCity, citizen: UUID, scenario: str | None) -> None:
    async with town.city.writer.change(citizen):
        await town.owner.execute(
            "INSERT INTO objection VALUES (gen_random_uuid(), $1, $2, clock_timestamp())",
            *(citizen, scenario),
        )


async def _suspended(town: TestCity, citizen: UUID, _recognition: UUID) -> None:
    async with town.city.writer.change(citizen):
        await town.owner.execute(
            "INSERT INTO suspension VALUES (gen_random_uuid(), $1, $2, clock_timestamp())",
            *(citizen, "recognition"),
        )


async def _shortened(town: TestCity, citizen: UUID, recognition: UUID) -> None:
    await town.consent(
        citizen,
        recipient="ningbo-office",
        scenario="recognition",
        consent=await consent_of(town, recognition),
        version=2,
        to_us=town.city.clock.now_us() + DAY_US,
    )


WAYS: dict[str, tuple[Way, End]] = {
    "consent withdrawn": (_withdrawn, End.CONSENT_GONE),
    "consent paused": (_paused, End.CONSENT_PAUSED),
    "consent paused for a day": (_paused_for_a_day, End.CONSENT_PAUSED),
    "consent ends earlier": (_shortened, End.CONSENT_CHANGED),
    "all consents withdrawn": (_all_withdrawn, End.CONSENT_GONE),
    "account closed": (_closed, End.ACCOUNT_CLOSED),
    "score withdrawn": (_score_withdrawn, End.SCORE_WITHDRAWN),
    "band fallen": (_band_fallen, End.BAND_FALLEN),
    "objection": (_objected, End.OBJECTED),
    "objection to everything": (_objected_to_all, End.OBJECTED),
    "suspended": (_suspended, End.SUSPENDED),
}


@pytest.mark.parametrize("way", WAYS)
async def test_whichever_way_its_basis_goes_no_recognition_stands(town: TestCity, way: str) -> None:
    act, why = WAYS[way]
    citizen, neighbour = await town.citizen(), await town.citizen()
    theirs = await recognised(town, neighbour)
    first = await recognised(town, citizen)
    second = await recognised(town, citizen, consent=await consent_of(town, first))
    assert [await reason(town, each) for each in (first, second, theirs)] == [None] * 3
    await act(town, citizen, first)
    assert [await reason(town, each) for each in (first, second)] == [str(why)] * 2
    assert await reason(town, theirs) is None


async def test_what_ended_stays_ended_when_the_basis_comes_back(town: TestCity) -> None:
    citizen = await town.citizen()
    recognition = await recognised(town, citizen)
    consent = await consent_of(town, recognition)
    await town.city.consents.pause(citizen, consent)
    await town.city.consents.resume(citizen, consent)
    assert await reason(town, recognition) == End.CONSENT_PAUSED
    again = await recognised(town, citizen, consent=consent)
    assert await reason(town, again) is None


async def test_what_does_not_touch_it_leaves_it(town: TestCity) -> None:
    await town.party()
    citizen = await town.citizen(band=5)
    recognition = await recognised(town, citizen, band_floor=4)
    other = await town.consent(citizen)
    await town.commitment(citizen)
    await town.city.consents.withdraw(citizen, other)
    await town.city.consents.limit(citizen, await consent_of(town, recognition), 3)
    await town.owner.execute("UPDATE score SET band = 4 WHERE citizen = $1", citizen)
    async with town.city.writer.change(citizen):
        await town.owner.execute(
            "INSERT INTO suspension VALUES (gen_random_uuid(), $1, 'rent', clock_timestamp())",
            citizen,
        )
    assert await reason(town, recognition) is None


async def _withdraw_and_fail(town: TestCity, citizen: UUID) -> None:
    async with town.city.writer.change(citizen) as connection:
        await town.city.consents.withdraw_all_within(connection, citizen)
        raise RuntimeError("cut off")


async def test_what_was_not_acknowledged_ended_nothing(town: TestCity) -> None:
    citizen = await town.citizen()
    recognition = await recognised(town, citizen)
    with pytest.raises(RuntimeError, match="cut off"):
        await _withdraw_and_fail(town, citizen)
    assert await reason(town, recognition) is None


async def test_the_job_ends_what_time_has_ended(town: TestCity) -> None:
    citizen, other = await town.citizen(), await town.citizen()
    soon = town.city.clock.now_us() + SECOND_US // 2
    short, long = await recognised(town, citizen, until_us=soon), await recognised(town, other)
    assert await reason(town, short) is None
    while await jobs.end_recognitions(town.city) == 0:
        assert town.city.clock.now_us() < soon + 5 * SECOND_US
    assert town.city.clock.now_us() >= soon
    assert await reason(town, short) == End.EXPIRED
    assert await reason(town, long) is None
    assert await jobs.end_recognitions(town.city) == 0


async def test_a_nights_publication_ends_those_whose_band_fell(
    town: TestCity, database: Database, valkey: Valkey
) -> None:
    falls, stays = await town.citizen(band=5), await town.citizen(band=5)
    fallen = await recognised(town, falls, band_floor=5)
    standing = await recognised(town, stays, band_floor=1)
    city = town.city
    given = city.keys, city.clock, city.ids
    async with Office(database.owner_url, valkey.url, *given).open() as office:
        scores = Scores(office.vault, city.clock)
        publication = ScorePublication(office.database, office.writer, scores, city.clock)
        run = await publication.run(date(2026, 6, 15))
    assert run.band_moves == 2  # nobody without a fact has the highest band
    assert await reason(town, fallen) == End.BAND_FALLEN
    assert await reason(town, standing) is None


async def test_a_lower_cap_ends_the_newest_and_gives_back_what_was_kept_for_it(
    town: TestCity,
) -> None:
    rent = town.city.registry["rent"]
    high, low = (cap_fen(rent, band, town.city.clock.now_us()) for band in (5, 4))
    assert high > low > 0
    citizen = await town.citizen(band=5)
    first = await recognised(town, citizen, reserved_fen=low)
    await town.owner.execute("UPDATE recognition SET city = '330300'")
    consent = await consent_of(town, first)
    second = await recognised(town, citizen, consent=consent, reserved_fen=high - low)
    assert await reason(town, second) is None
    await town.owner.execute("UPDATE score SET band = 4 WHERE citizen = $1", citizen)
    await town.city.writer.rebuild(citizen)
    assert [await reason(town, each) for each in (first, second)] == [None, End.LIMIT_FALLEN]
    body = await town.owner.fetchval("SELECT body FROM standing WHERE citizen = $1", citizen)
    assert decode_body(body).reserved_fen == low


async def test_a_look_costs_one_descent_of_an_index(fresh_database: Database) -> None:
    connection = await asyncpg.connect(fresh_database.superuser_url)
    await connection.execute("SET session_replication_role = replica")  # no parents needed
    await connection.execute(
        "INSERT INTO recognition (id, citizen, party, city, consent, scenarios, scheme,"
        " scheme_version, tier, band_floor, status_list, status_idx, until_at)"
        " SELECT gen_random_uuid(), gen_random_uuid(), 1, '330200', gen_random_uuid(), '{}', 's',"
        " 1, 'T1', 4, 1, n, now() + interval '1 day' FROM generate_series(1, 5000) AS n"
    )
    await connection.execute("ANALYZE recognition")
    living = read_queries("ending")["living"]
    plan = await connection.fetch(f"EXPLAIN {living}", [UUID(int=1)])
    await connection.close(timeout=5)
    descents = "Index Scan using recognition_standing", "Index Scan using recognition_citizen"
    assert any(each in row[0] for row in plan for each in descents), plan


# ------------------------------------------------------------------ the rule itself

NOW_US = 1_790_000_000_000_000
CONSENT = UUID(int=1)
LATER = NOW_US + DAY_US


def living(**changes: object) -> Living:
    given = {
        "id": UUID(int=2),
        "citizen": UUID(int=3),
        "consent": CONSENT,
        "city": "330200",
        "reserved_fen": 0,
        "number": 1,
        "band_floor": 4,
        "until_us": LATER,
        "sector": 7,
        "now_us": NOW_US,
    }
    return Living(**(given | changes))  # type: ignore[arg-type]  # the table above


def body(band: int = 4, *, to_us: int = LATER, paused_until_us: int = 0) -> Body:
    span = NOW_US - 1, to_us, paused_until_us
    slip = ConsentSlip(CONSENT.bytes, 1, 7, "recognition", *span)
    return Body(key=b"k", band=band, consents=pack_consents([slip]))


@given(
    reserved=st.lists(st.integers(0, 5) | st.just(0), max_size=6),
    cap=st.integers(0, 12),
    waived=st.integers(0, 12),
)
def test_what_stands_fits_under_the_cap_and_only_the_newest_go(
    reserved: list[int], cap: int, waived: int
) -> None:
    each = [
        living(id=UUID(int=at), city=f"33{at:04}", reserved_fen=fen, number=at)
        for at, fen in enumerate(reserved)
    ]
    ends = ends_of(each, msgspec.structs.replace(body(), waived_fen=waived), lambda *_: cap)
    assert set(ends.values()) <= {End.LIMIT_FALLEN}
    stand = [one for one in each if one.id not in ends]
    kept = sum(one.reserved_fen for one in stand)
    assert kept == 0 or waived + kept <= cap
    reserving = [one for one in each if one.reserved_fen]
    ended = [one for one in reserving if one.id in ends]
    assert len(ended) == len(ends)
    assert ended == reserving[len(reserving) - len(ended) :]  # the newest
    assert not ended or waived + kept + ended[0].reserved_fen > cap  # and none without need


@given(band=st.integers(0, 5), floor=st.integers(1, 5))
def test_it_stands_exactly_as_long_as_the_band_reaches(band: int, floor: int) -> None:
    stands = ended_by(living(band_floor=floor), body(band)) is None
    assert stands == (band >= floor)


@given(st.integers(-DAY_US, DAY_US))
def test_it_stands_exactly_until_its_time_and_its_consents(offset: int) -> None:
    moment = NOW_US + offset
    assert (ended_by(living(until_us=moment), body()) is None) == (moment > NOW_US)
    assert (ended_by(living(until_us=LATER), body(to_us=moment)) is None) == (moment >= LATER)
    assert (ended_by(living(), body(paused_until_us=moment)) is None) == (moment <= NOW_US)


def test_a_consent_of_another_name_is_none() -> None:
    assert ended_by(living(consent=UUID(int=9)), body()) is End.CONSENT_GONE
    assert ended_by(living(sector=8), body()) is End.CONSENT_GONE
    assert ended_by(living(sector=None), body()) is End.CONSENT_GONE
