"""Citizens see which cities recognise them, for what, until when, and what ends it."""

from __future__ import annotations

from tests.gateway.callers import Callers
from tests.gateway.city import TestCity
from tests.gateway.recognised.conftest import Arrive
from tests.gateway.recognised.home import Citizen
from tests.gateway.recognised.others import Neighbours
from tests.gateway.recognised.partner import Partner

PATH = "/v1/me/recognitions"


async def test_a_stranger_sees_nothing(partner: Partner, town: TestCity) -> None:
    callers = Callers(town)
    for client in (callers.stranger(), callers.party(f"city-{partner.code}")):
        assert (await client.get(PATH)).status_code == 401


async def test_nobody_sees_anothers(partner: Partner, citizen: Citizen, arrive: Arrive) -> None:
    other = await arrive(2)
    await other.log_in()
    await partner.grant(await citizen.visit(partner))
    assert (await other.page.get(PATH)).json() == {"recognitions": [], "reserved_fen": 0}


async def test_a_city_is_there_with_what_it_knows_and_how_it_ends(
    partner: Partner, citizen: Citizen
) -> None:
    claims = await partner.grant(await citizen.visit(partner))
    (consent,) = (await citizen.page.get("/v1/me/consents")).json()["consents"]
    said = (await citizen.page.get(PATH)).json()
    (mine,) = said["recognitions"]
    assert mine["id"] == claims["jti"]
    assert (mine["city"], mine["status"], mine["reason"]) == ("330200", "active", None)
    assert mine["name"]["zh"] == "示例城市 330200"
    assert [each["id"] for each in mine["scenarios"]] == ["library", "rent"]
    assert mine["until"] == consent["until"]
    assert mine["withdraw"] == f"/v1/me/consents/{consent['id']}/withdraw"
    assert (mine["reserved_fen"], said["reserved_fen"]) == (50_000, 50_000)
    assert (await citizen.post(mine["withdraw"])).status_code == 200


async def test_what_was_replaced_or_is_over_is_told_as_ended(
    partner: Partner, stranger: Partner, citizen: Citizen, town: TestCity
) -> None:
    for city in (partner, partner, stranger):
        await city.grant(await citizen.visit(city))
    await town.owner.execute(
        "UPDATE recognition SET until_at = clock_timestamp() WHERE city = '320500'"
    )
    said = (await citizen.page.get(PATH)).json()
    told = [(each["city"], each["status"], each["reason"]) for each in said["recognitions"]]
    assert sorted(told, key=str) == [
        ("320500", "ended", "expired"),
        ("330200", "active", None),
        ("330200", "ended", "replaced"),
    ]
    assert said["reserved_fen"] == 50_000
    ended = [each for each in said["recognitions"] if each["status"] == "ended"]
    assert {each["withdraw"] for each in ended} == {None}


async def test_a_city_that_left_the_list_keeps_its_name(
    partner: Partner, citizen: Citizen, neighbours: Neighbours
) -> None:
    await partner.grant(await citizen.visit(partner))
    neighbours.leave(partner.code)
    await neighbours.publish()
    (mine,) = (await citizen.page.get(PATH)).json()["recognitions"]
    assert mine["name"] == {"zh": "city-330200", "en": "city-330200"}
