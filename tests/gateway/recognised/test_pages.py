"""What a citizen looks at when another city asks, and afterwards."""

from __future__ import annotations

import re

import httpx
import pytest
from msgspec import structs

from gateway.web.catalogue import catalogue
from tests.gateway.city import TestCity
from tests.gateway.recognised.conftest import Arrive
from tests.gateway.recognised.home import REQUESTS, Citizen
from tests.gateway.recognised.others import Neighbours
from tests.gateway.recognised.partner import Attempt, Partner
from tests.gateway.web.test_closed import HTML
from tests.gateway.web.test_scenario_pages import read, said

ELSEWHERE = "/app/recognitions"


def words(key: str, **values: str) -> str:
    return catalogue()[key].zh.format_map(values)


def page_of(path: str) -> str:
    """The page of a request of the API."""
    return path.replace(REQUESTS, "/app/recognition")


async def test_a_stranger_is_led_to_signing_in_and_another_finds_nothing(
    partner: Partner, citizen: Citizen, arrive: Arrive
) -> None:
    there = page_of(await citizen.arrive(partner, Attempt()))
    stranger, other = await arrive(3, 0), await arrive(2)
    led = await stranger.page.get(there, headers=HTML)
    assert (led.status_code, led.headers["location"][:13]) == (303, "/app/sign-in?")
    await other.log_in()
    assert (await other.page.get(there, headers=HTML)).status_code == 404


async def test_the_request_names_the_city_and_offers_what_is_open(
    partner: Partner, citizen: Citizen
) -> None:
    path = await citizen.arrive(partner, Attempt())
    shown = await read(citizen.page, page_of(path))
    text = said(shown)
    for told in ("示例城市 330200", "示例：0571-00000000", "entity-330200"):
        assert told in text
    assert words("recognition.reserved", amount="¥500", city="示例城市 330200") in text
    assert re.findall(r'name="scenarios" value="(\w+)"', shown.text) == ["library", "rent"]
    assert shown.text.count(f'data-leaves="{partner.issuer}"') == 2
    assert f'data-act="{path}/allow"' in shown.text


@pytest.mark.parametrize(
    ("band", "told"), [(0, "recognition.lacks_score"), (3, "recognition.lacks_tier")]
)
async def test_what_is_missing_is_said_where_nothing_is_open(
    partner: Partner, arrive: Arrive, band: int, told: str
) -> None:
    citizen = await arrive(1, band)
    path = await citizen.arrive(partner, Attempt())
    shown = await read(citizen.page, page_of(path))
    assert words("recognition.nothing") in said(shown)
    assert words(told, band="信用优秀") in said(shown)
    assert "/allow" not in shown.text
    assert f'data-act="{path}/decline"' in shown.text


async def test_a_deposit_limit_in_use_closes_renting_and_says_so(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    async with town.city.writer.change(await citizen.id()):
        await town.owner.execute(
            "INSERT INTO waiver (id, citizen, entity, deposit_fen, opened_at)"
            " VALUES ('w-1', $1, 'example-bikes', 290000, clock_timestamp())",
            await citizen.id(),
        )
    shown = await read(citizen.page, page_of(await citizen.arrive(partner, Attempt())))
    assert re.findall(r'name="scenarios" value="(\w+)"', shown.text) == ["library"]
    assert words("recognition.closed") in said(shown)
    assert words("recognition.lacks_room") in said(shown)


async def test_what_the_cities_stopped_agreeing_on_is_closed(
    partner: Partner, citizen: Citizen, neighbours: Neighbours
) -> None:
    path = await citizen.arrive(partner, Attempt())
    neighbours.agree(partner.code, scenarios=["library"])
    await neighbours.publish()
    shown = said(await read(citizen.page, page_of(path)))
    assert words("recognition.lacks_not-agreed") in shown


async def test_a_clause_that_is_not_met_is_told_in_the_rules_own_words(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    path = await citizen.arrive(partner, Attempt())
    who = await citizen.id()
    async with town.city.writer.change(who):
        await town.owner.execute(
            "INSERT INTO suspension VALUES (gen_random_uuid(), $1, 'recognition', 'epoch')", who
        )
    rule = town.city.registry["recognition"]
    (clause,) = (each for each in rule.clauses if each.id == "suspended")
    assert clause.zh in said(await read(citizen.page, page_of(path)))
    lacks = [each["lacks"] for each in (await citizen.shown(path))["scenarios"]]
    assert [(each["why"], each["band"]) for each in lacks] == [("rule", None)] * 2
    words = structs.asdict(clause)
    del words["fails"]
    assert lacks[0]["unmet"] == [words]


async def test_what_became_of_a_request_is_one_line(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    def became(answer: httpx.Response) -> str:
        found = re.search(r"<h1>(.*?)</h1>", answer.text)
        assert found is not None
        assert "data-act" not in answer.text
        return found[1]

    path = await citizen.arrive(partner, Attempt())
    await citizen.post(f"{path}/decline")
    assert became(await read(citizen.page, page_of(path))) == words("recognition.over_declined")
    path = await citizen.arrive(partner, Attempt())
    await town.owner.execute("UPDATE recognition_request SET expires_at = clock_timestamp()")
    assert became(await read(citizen.page, page_of(path))) == words("recognition.over_expired")
    await town.owner.execute("UPDATE recognition_request SET status = 'void'")
    assert became(await read(citizen.page, page_of(path))) == words("recognition.over_gone")


async def test_a_city_is_on_the_first_page_with_the_end_of_it_and_not_twice(
    partner: Partner, citizen: Citizen
) -> None:
    assert words("recognitions.none") in said(await _signed_in(citizen, ELSEWHERE))
    await partner.grant(await citizen.visit(partner))
    (held,) = (await citizen.page.get("/v1/me/recognitions")).json()["recognitions"]
    for place in ("/app/", ELSEWHERE):
        shown = await read(citizen.page, place)
        assert shown.text.count(f'data-act="{held["withdraw"]}"') == 1
        assert words("recognitions.reserved", amount="¥500") in said(shown)
    assert (await citizen.post(held["withdraw"])).status_code == 200
    ended = await read(citizen.page, f"{ELSEWHERE}?done=withdrawn")
    assert words("recognitions.withdrawn") in said(ended)
    assert words("recognitions.why_consent-gone") in said(ended)
    assert words("recognitions.none") in said(ended)
    assert held["withdraw"] not in ended.text


async def _signed_in(citizen: Citizen, path: str) -> httpx.Response:
    await citizen.log_in()
    return await read(citizen.page, path)
