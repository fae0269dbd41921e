"""Where a citizen is signed in, and signing out everywhere at once."""

from __future__ import annotations

from gateway.sessions import LISTED
from tests.gateway.callers import Callers, body
from tests.gateway.city import TestCity

PATH = "/v1/me/sessions"


async def test_a_stranger_sees_and_ends_nothing(callers: Callers) -> None:
    assert (await callers.stranger().get(PATH)).status_code == 401
    assert (await callers.stranger().post(PATH + "/end-all")).status_code == 401


async def test_a_citizen_sees_the_own_sessions_by_their_times_alone(callers: Callers) -> None:
    citizen = await callers.town.citizen()
    first, second = [await callers.citizen(citizen) for _ in range(2)]
    await callers.citizen(await callers.town.citizen())
    for client, order in ((second, [True, False]), (first, [False, True])):
        seen = body(await client.get(PATH))["sessions"]
        assert [each["is_this"] for each in seen] == order
        assert all(set(each) == {"begun_at", "ends_at", "is_this"} for each in seen)
    assert (await first.post("/v1/logout")).status_code == 204
    assert len(body(await second.get(PATH))["sessions"]) == 1


async def test_signing_out_everywhere_ends_all_and_nobody_elses(
    callers: Callers, other_worker: TestCity
) -> None:
    citizen = await callers.town.citizen()
    here, there = await callers.citizen(citizen), await Callers(other_worker).citizen(citizen)
    other = await callers.citizen(await callers.town.citizen())
    ended = await here.post(PATH + "/end-all")
    assert ended.status_code == 204
    assert f"{callers.town.city.sessions.cookie}=" in ended.headers["set-cookie"]
    for client in (here, there):
        assert (await client.get("/v1/me/sessions")).status_code == 401
    assert (await other.get(PATH)).status_code == 200


async def test_however_many_there_are_so_many_are_listed(callers: Callers) -> None:
    citizen = await callers.town.citizen()
    for _ in range(LISTED + 1):
        me = await callers.citizen(citizen)
    assert len(body(await me.get(PATH))["sessions"]) == LISTED
