"""What was said long ago is forgotten, and its places are not: worn-out lists read for ever."""

from __future__ import annotations

from uuid import UUID

import pytest

from gateway import jobs
from gateway.clock import SECOND_US
from gateway.recognition.forgetting import Forgetting
from gateway.recognition.status_bits import SIZE
from gateway.recognition.status_lists import StatusLists
from tests.gateway.city import TestCity
from tests.gateway.recognition.home import consent_of, recognised
from tests.gateway.recognition.test_status_lists import again, read

LONG_AGO = "UPDATE recognition SET ended_at = ended_at - interval '{}'"


async def ended(town: TestCity, count: int = 2) -> list[UUID]:
    """Citizens whose recognitions have ended."""
    citizens = [await town.citizen() for _ in range(count)]
    for citizen in citizens:
        made = await recognised(town, citizen)
        await town.city.consents.withdraw(citizen, await consent_of(town, made))
    return citizens


async def worn(town: TestCity) -> bool:
    return bool(await town.owner.fetchval("SELECT worn_at IS NOT NULL FROM status_list"))


async def close_list(town: TestCity) -> None:
    await town.owner.execute("UPDATE status_list SET full_at = clock_timestamp()")


async def test_a_closed_list_of_which_nothing_stands_for_a_day_is_worn_out(town: TestCity) -> None:
    await ended(town)
    await town.owner.execute(LONG_AGO.format("25 hours"))
    await again(town).step()
    assert not await worn(town)  # it still takes grants
    await close_list(town)
    assert await again(town).step() == 1
    assert await worn(town)
    assert await again(town).step() == 0  # and is copied no more


@pytest.mark.parametrize("hours", [0, 23])
async def test_a_list_is_not_worn_out_before_every_city_has_read_it(
    town: TestCity, hours: int
) -> None:
    await ended(town)
    await town.owner.execute(LONG_AGO.format(f"{hours} hours"))
    await close_list(town)
    await again(town).step()
    assert not await worn(town)


async def test_a_list_of_which_something_stands_is_not_worn_out(town: TestCity) -> None:
    await ended(town)
    await recognised(town, await town.citizen())
    await town.owner.execute(LONG_AGO.format("400 days"))
    await close_list(town)
    await again(town).step()
    assert not await worn(town)
    assert await again(town).step() == 1


async def test_a_worn_out_list_is_signed_as_of_now_for_ever_with_every_bit_set(
    town: TestCity,
) -> None:
    await ended(town)
    await town.owner.execute(LONG_AGO.format("2 days"))
    await close_list(town)
    await again(town).step()
    await town.owner.execute("UPDATE status_list_copy SET as_of = as_of - interval '1 year'")
    number = await town.owner.fetchval("SELECT id FROM status_list")
    token = await again(town).token(number)
    claims, bits = read(town, token, town.city.status_lists.uri(number))
    assert abs(town.city.clock.now_us() // SECOND_US - claims.iat) <= 2
    assert bits == b"\xff" * (SIZE // 8)


async def test_it_is_looked_for_once_an_hour(town: TestCity) -> None:
    lists: StatusLists = again(town)
    await ended(town)
    await lists.step()
    await town.owner.execute(LONG_AGO.format("2 days"))
    await close_list(town)
    await lists.step()
    assert not await worn(town)


async def forget(town: TestCity) -> int:
    """The job."""
    return await Forgetting(town.city.database, town.city.writer, town.city.closing).grants()


async def test_what_was_said_is_forgotten_and_its_place_is_not(town: TestCity) -> None:
    first, second = await ended(town)
    stays = await recognised(town, await town.citizen())
    places = "SELECT status_list, status_idx, ended_at FROM recognition ORDER BY status_idx"
    await town.owner.execute(LONG_AGO.format("399 days"))
    assert await forget(town) == 0
    await town.owner.execute(LONG_AGO.format("2 days"))
    before, ids = (
        await town.owner.fetch(places),
        await town.owner.fetch("SELECT id FROM recognition"),
    )
    assert await forget(town) == 2
    assert await forget(town) == 0
    assert await town.owner.fetch(places) == before
    left = await town.owner.fetch("SELECT * FROM recognition WHERE id <> $1", stays)
    for row in left:
        assert row["id"] not in {each["id"] for each in ids}
        told = row["citizen"], row["party"], row["consent"], row["scenarios"], row["tier"]
        assert told == (None, None, None, [], "")
        assert (row["city"], row["reason"]) == ("000000", "forgotten")
    for citizen in (first, second):
        assert await town.city.recognitions.of(citizen) == []
    # The bits are set as before, and nobody gets the places.
    await jobs.copy_status(town.city)
    number = before[0]["status_list"]
    _, bits = read(town, await again(town).token(number), town.city.status_lists.uri(number))
    assert sum(byte.bit_count() for byte in bits) == 2


async def test_in_a_worn_out_list_the_row_goes_too(town: TestCity) -> None:
    await ended(town)
    await town.owner.execute(LONG_AGO.format("401 days"))
    await close_list(town)
    await again(town).step()
    assert await forget(town) == 2
    assert await town.owner.fetchval("SELECT count(*) FROM recognition") == 0


async def test_forgetting_is_bounded(town: TestCity) -> None:
    await ended(town, 3)
    await town.owner.execute(LONG_AGO.format("401 days"))
    asked = [await town.owner.fetchval("SELECT recognitions_forget(2)") for _ in range(3)]
    assert asked == [2, 1, 0]


async def test_who_serves_cannot_forget_what_is_not_long_over(
    town: TestCity,
) -> None:
    await recognised(town, await town.citizen())
    async with town.city.database.connection() as connection:
        with pytest.raises(Exception, match="permission denied"):
            await connection.execute("UPDATE recognition SET citizen = NULL")
        with pytest.raises(Exception, match="permission denied"):
            await connection.execute("DELETE FROM recognition")
