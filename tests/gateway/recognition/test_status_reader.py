"""Other cities' status lists: a set bit ends a visit, and only good lists keep a city fresh."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway import ssrf
from gateway.body import decode_body
from gateway.claims import Kind
from gateway.clock import SECOND_US, FixedClock
from gateway.errors import DependencyDown, Overloaded
from gateway.recognition import status_fetch, status_reader
from gateway.recognition.status_reader import LISTS_MAX, StatusReader
from tests.gateway.city import TestCity
from tests.gateway.recognition.partner import (
    CODE,
    SIZE,
    Listed,
    Partner,
    ended,
    fresh_for_s,
    ok,
    refusals,
    visit,
)


async def _version(town: TestCity, made: object) -> int:
    return int(
        await town.owner.fetchval(
            "SELECT version FROM standing WHERE citizen ="
            " (SELECT citizen FROM visit WHERE id = $1)",
            made,
        )
    )


# ------------------------------------------------------------------ what a list does


async def test_a_set_bit_ends_its_visit_and_moves_its_standing_alone(
    town: TestCity, partner: Partner, reader: StatusReader
) -> None:
    gone, stays = await visit(town, partner, idx=3), await visit(town, partner, idx=4)
    before = [await _version(town, each) for each in (gone, stays)]
    partner.ended = {3, 2, 11, SIZE - 1}
    assert await reader.step() == 1
    assert (await ended(town, gone), await ended(town, stays)) == ("status", None)
    after = [await _version(town, each) for each in (gone, stays)]
    assert after[0] > before[0]
    assert after[1] == before[1]
    assert 35 < await fresh_for_s(town, CODE) <= 40
    assert partner.asked == ["/status-lists/1"]
    assert "accept: application/statuslist+jwt\r\n" in partner.heads[0].lower()


async def test_an_entry_that_has_gone_from_the_list_ends_its_visit(
    town: TestCity, partner: Partner, reader: StatusReader
) -> None:
    made = await visit(town, partner, idx=SIZE)
    await reader.step()
    assert await ended(town, made) == "status"


async def test_more_visits_than_one_change_takes_all_end(
    town: TestCity, partner: Partner, reader: StatusReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_reader, "BATCH", 2)
    made = [await visit(town, partner, idx=at) for at in range(5)]
    partner.ended = set(range(5))
    await reader.step()
    assert [await ended(town, each) for each in made] == ["status"] * 5
    assert await fresh_for_s(town, CODE) > 35


async def test_a_city_is_read_again_within_ten_seconds_and_not_within_five(
    town: TestCity, partner: Partner, tmp_path: Path
) -> None:
    partner.clock = clock = FixedClock(town.city.clock.now_us())
    listed = Listed(town, [partner], tmp_path, clock)
    reader = listed.reader(town)
    await visit(town, partner)
    for second in range(60):
        if second % 10 == 0:
            await listed.publish()
        await reader.step()
        clock.advance(seconds=1)
    assert 60 / 11 <= len(partner.asked) <= 60 / 5


async def test_a_city_without_visitors_is_not_fetched(
    town: TestCity, partner: Partner, reader: StatusReader
) -> None:
    await town.owner.execute("INSERT INTO issuer (code) VALUES ($1)", CODE)
    await reader.step()
    assert partner.asked == []


# ------------------------------------------------------------------ freshness


@pytest.mark.parametrize("age_s", [0, 10, 30])
async def test_freshness_counts_from_the_lists_own_instant(
    town: TestCity, partner: Partner, reader: StatusReader, age_s: int
) -> None:
    await visit(town, partner)
    partner.age_s = age_s
    await reader.step()
    assert 37 - age_s < await fresh_for_s(town, CODE) <= 40 - age_s


async def test_a_list_from_a_clock_that_is_ahead_counts_from_its_fetch(
    town: TestCity, partner: Partner, reader: StatusReader
) -> None:
    await visit(town, partner)
    partner.age_s = -9
    await reader.step()
    assert 35 < await fresh_for_s(town, CODE) <= 40


async def test_a_list_that_ends_sooner_is_relied_on_no_longer_than_it_says(
    town: TestCity, partner: Partner, reader: StatusReader
) -> None:
    await visit(town, partner)
    partner.claims = {"exp": partner.clock.now_us() // SECOND_US + 20}
    await reader.step()
    assert 10 < await fresh_for_s(town, CODE) <= 20


async def test_nothing_is_fresh_for_longer_than_the_trust_list(
    town: TestCity, partner: Partner, listed: Listed, reader: StatusReader
) -> None:
    await visit(town, partner)
    listed.lasts_s = 8
    await listed.publish()
    await reader.step()
    assert 4 < await fresh_for_s(town, CODE) <= 8


def _expelled(listed: Listed) -> None:
    listed.region.cities.pop()


def _suspended(listed: Listed) -> None:
    listed.region.say(CODE, listed.others[CODE], "suspend", listed.clock.now_us() // SECOND_US)


@pytest.mark.parametrize("change", [_expelled, _suspended])
async def test_a_city_with_which_nothing_is_agreed_is_relied_on_no_more(
    town: TestCity,
    partner: Partner,
    listed: Listed,
    reader: StatusReader,
    change: Callable[[Listed], None],
) -> None:
    made = await visit(town, partner)
    await reader.step()
    assert await fresh_for_s(town, CODE) > 35
    change(listed)
    await listed.publish()
    await reader.step()
    assert await fresh_for_s(town, CODE) < 0
    assert await reader.valid(CODE, partner.uri(), 1) is None
    assert len(partner.asked) == 1
    assert await ended(town, made) is None


async def test_an_agreement_that_ends_while_lists_are_fetched_extends_nothing(
    town: TestCity, partner: Partner, listed: Listed, reader: StatusReader
) -> None:
    await visit(town, partner)
    partner.pause_s = 0.3
    reading = asyncio.create_task(reader.step())
    await asyncio.sleep(0.1)
    _suspended(listed)
    await listed.publish()
    await reading
    assert len(partner.asked) == 1
    assert await fresh_for_s(town, CODE) < 0


async def test_without_a_trust_list_that_holds_nobody_is_relied_on(
    town: TestCity, partner: Partner, tmp_path: Path
) -> None:
    partner.clock = clock = FixedClock(town.city.clock.now_us())
    listed = Listed(town, [partner], tmp_path, clock)
    await listed.publish()
    reader = listed.reader(town)
    await visit(town, partner)
    await reader.step()
    assert await fresh_for_s(town, CODE) > 35
    clock.advance(seconds=61)
    await reader.step()
    assert await fresh_for_s(town, CODE) < 0
    await reader.close()


async def test_one_bad_list_of_two_keeps_the_city_from_being_fresh_but_not_a_visit_alive(
    town: TestCity, partner: Partner, reader: StatusReader
) -> None:
    good, bad = await visit(town, partner, idx=1), await visit(town, partner, idx=1, number=2)
    partner.ended = {1}
    partner.answer = lambda token: ok(token if b"status-lists/1" in _payload(token) else b"x")
    await reader.step()
    assert (await ended(town, good), await ended(town, bad)) == ("status", None)
    assert await fresh_for_s(town, CODE) < 0
    assert await refusals(town) == {(CODE, "shape"): 1}


def _payload(token: bytes) -> bytes:
    return base64.urlsafe_b64decode(token.split(b".")[1] + b"==")


async def test_more_lists_than_a_city_may_name_make_it_unfresh(
    town: TestCity, partner: Partner, listed: Listed, reader: StatusReader
) -> None:
    for number in range(LISTS_MAX):
        await visit(town, partner, number=number)
    assert await reader.valid(CODE, partner.uri(99), 1) is None
    assert partner.asked == []
    await reader.step()
    assert len(partner.asked) == LISTS_MAX
    assert await fresh_for_s(town, CODE) > 35
    await visit(town, partner, number=99)
    await listed.reader(town).step()
    assert len(partner.asked) == LISTS_MAX
    assert (await refusals(town))[CODE, "too-many"] == 2


async def test_a_visit_opened_meanwhile_is_not_covered_by_a_read_that_did_not_see_it(
    town: TestCity, partner: Partner, reader: StatusReader
) -> None:
    await visit(town, partner)
    partner.pause_s = 0.3
    reading = asyncio.create_task(reader.step())
    await asyncio.sleep(0.1)
    await visit(town, partner, number=2)
    await reading
    assert await fresh_for_s(town, CODE) < 0


# ------------------------------------------------------------------ a grant is shown


async def test_a_grant_stands_by_a_fresh_list_and_its_city_is_fresh_at_once(
    town: TestCity, partner: Partner, reader: StatusReader
) -> None:
    await visit(town, partner)
    partner.ended = {5}
    assert await reader.valid(CODE, partner.uri(), 4) is True
    assert await reader.valid(CODE, partner.uri(), 5) is False
    assert await reader.valid(CODE, partner.uri(), SIZE) is False
    assert await fresh_for_s(town, CODE) > 35
    assert await reader.valid("330300", partner.uri(), 4) is None


async def test_a_thousand_grants_at_once_cost_one_fetch(
    town: TestCity, partner: Partner, reader: StatusReader
) -> None:
    await visit(town, partner)
    partner.pause_s = 0.2
    answers = await asyncio.gather(*(reader.valid(CODE, partner.uri(), n) for n in range(1000)))
    assert answers == [True] * 1000
    assert len(partner.asked) == 1


async def test_a_city_that_is_down_is_asked_once_in_a_while_however_many_grants_come(
    town: TestCity, partner: Partner, reader: StatusReader
) -> None:
    await visit(town, partner)
    partner.answer = lambda _: b""
    answers = await asyncio.gather(*(reader.valid(CODE, partner.uri(), n) for n in range(200)))
    assert answers == [None] * 200
    assert len(partner.asked) == 1


async def test_of_a_city_that_names_another_list_in_each_grant_few_are_read(
    town: TestCity, partner: Partner, reader: StatusReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_reader, "SERVES_S", 600.0)
    await visit(town, partner, number=0)
    answers = [await reader.valid(CODE, partner.uri(n), 1) for n in range(2 * LISTS_MAX)]
    assert answers == [True] * LISTS_MAX + [None] * LISTS_MAX
    assert set(partner.asked) == {f"/status-lists/{n}" for n in range(LISTS_MAX)}


async def test_a_visit_is_relied_on_no_longer_than_the_list_it_was_opened_by(
    town: TestCity, partner: Partner, reader: StatusReader
) -> None:
    await visit(town, partner)
    partner.age_s = 20
    assert await reader.valid(CODE, partner.uri(), 1) is True
    await town.owner.execute("UPDATE issuer SET fresh_until = now() + interval '40 seconds'")
    async with town.city.database.transaction() as connection:
        await reader.bound_within(connection, CODE, partner.uri())
    assert 15 < await fresh_for_s(town, CODE) <= 20
    body = await town.owner.fetchval("SELECT body FROM standing LIMIT 1")
    assert decode_body(body).living


# ------------------------------------------------------------------ ten bad minutes


def _left_soon(monkeypatch: pytest.MonkeyPatch, slow: Partner) -> None:
    """Whoever is slow on purpose is left after a tenth of a second, for it will be asked often; a
    city that is well has the time that it has."""

    async def get(client: httpx.AsyncClient, url: str, *, timeout_s: float, **how: Any) -> bytes:
        is_slow = slow.pause_s > 0 and url.startswith(slow.issuer)
        return await ssrf.get_bytes(client, url, timeout_s=0.1 if is_slow else timeout_s, **how)

    monkeypatch.setattr(status_fetch, "get_bytes", get)


async def _undisturbed(work: Callable[[], Awaitable[object]]) -> None:
    """What PostgreSQL cut off on a busy machine is done again: it is not the trouble meant here."""
    for _ in range(20):
        with suppress(DependencyDown, Overloaded):
            await work()
            return
        await asyncio.sleep(0.1)
    pytest.fail("PostgreSQL does not answer")


class _Undisturbed(StatusReader):
    async def _read(self, code: str, extra: str | None) -> None:
        await _undisturbed(lambda: super(_Undisturbed, self)._read(code, extra))


@pytest.mark.parametrize("trouble", ["down", "slow", "lying"])
async def test_ten_bad_minutes_of_a_city_cost_its_own_visitors_the_fast_way_and_nobody_else(
    town: TestCity,
    partner: Partner,
    tmp_path: Path,
    trouble: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Time passes by moving clocks on and the database's instants back."""
    _left_soon(monkeypatch, partner)
    clock = FixedClock(town.city.clock.now_us())
    partner.clock = clock
    async with Partner(clock, "330300") as healthy:
        listed = Listed(town, [partner, healthy], tmp_path, clock)
        reader = listed.reader(town)
        reader.__class__ = _Undisturbed
        made = await visit(town, partner, idx=1), await visit(town, healthy, idx=1)
        await _pass(town, listed, reader, seconds=0)
        assert await fresh_for_s(town, CODE) > 30
        match trouble:
            case "down":
                partner.answer = lambda _: b""
            case "slow":
                partner.pause_s = 30
            case _:
                partner.signs_with = (
                    *(Kind.STATUS_LIST, "status"),
                    ec.generate_private_key(ec.SECP256R1()),
                )
        stale_after = None
        for passed in range(7, 601, 7):
            await _pass(town, listed, reader, seconds=7)
            assert await fresh_for_s(town, "330300") > 0, passed
            if await fresh_for_s(town, CODE) < 0:
                stale_after = stale_after or passed
            else:
                assert stale_after is None
        assert stale_after is not None
        assert stale_after <= 60
        partner.answer, partner.pause_s, partner.signs_with = None, 0.0, None
        await _pass(town, listed, reader, seconds=11)
        assert await fresh_for_s(town, CODE) > 30
        assert [await ended(town, each) for each in made] == [None, None]


async def _pass(town: TestCity, listed: Listed, reader: StatusReader, *, seconds: float) -> None:
    assert isinstance(listed.clock, FixedClock)
    listed.clock.advance(seconds=seconds)
    await _undisturbed(listed.publish)
    await town.owner.execute(
        "UPDATE issuer SET fresh_until = fresh_until - $1 * interval '1 second'"
        " WHERE fresh_until > 'epoch'",
        seconds,
    )
    await _undisturbed(reader.step)
