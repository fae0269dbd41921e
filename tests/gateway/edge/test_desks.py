"""A desk's code the other way round: the citizen scans it and is asked in person."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import httpx
import pytest

from gateway import desks
from gateway.desk_requests import OPEN_MAX
from gateway.misses import OF_CITIZEN
from tests.gateway.callers import Callers, body, key
from tests.gateway.city import TestCity
from tests.gateway.desks import open_desk

BIKE = "200202"
HOOK = "https://93.184.215.14/hook"


@pytest.fixture
async def callers(town: TestCity) -> Callers:
    await town.party(webhook_url=HOOK)
    return Callers(town)


@pytest.fixture
async def bike(callers: Callers) -> str:
    """The token of a bicycle that stands alone."""
    return await open_desk(callers.town, BIKE, scenario="rent", place="示例单车 0001 号")


async def asked(me: httpx.AsyncClient, token: str, **headers: str) -> Any:
    path = f"/v1/me/desks/{token}/consent-requests"
    return body(await me.post(path, headers=headers), 201)


async def test_a_stranger_and_a_party_get_nowhere(callers: Callers, bike: str) -> None:
    for client in (callers.stranger(), callers.party()):
        for method, path in (
            ("POST", "/v1/me/desks"),
            ("GET", f"/v1/me/desks/{bike}"),
            ("POST", f"/v1/me/desks/{bike}/consent-requests"),
        ):
            assert (await client.request(method, path, json={})).status_code == 401, path


async def test_desks_are_not_walked_through_by_counting(callers: Callers, bike: str) -> None:
    me = await callers.citizen(await callers.town.citizen())
    other = await open_desk(callers.town, "200203", scenario="rent")
    for token in (bike[:-1] + ("A" if bike[-1] != "A" else "Q"), other[:4] + bike[4:], "A" * 26):
        assert (await me.get(f"/v1/me/desks/{token}")).status_code == 404
        assert (await me.post(f"/v1/me/desks/{token}/consent-requests")).status_code == 404
    assert (await me.get(f"/v1/me/desks/{bike}")).status_code == 200


async def test_nor_by_typing(callers: Callers, bike: str) -> None:
    me = await callers.citizen(await callers.town.citizen())
    typed = [
        (await me.post("/v1/me/desks", json={"number": f"{n:06}"})).status_code
        for n in range(OF_CITIZEN.burst + 2)
    ]
    assert typed == [404] * OF_CITIZEN.burst + [429] * 2
    assert (await me.post("/v1/me/credit-code", json={"desk": BIKE})).status_code == 429
    assert (await me.post("/v1/me/credit-code", json={})).status_code == 201
    other = await callers.citizen(await callers.town.citizen())
    assert (await other.post("/v1/me/desks", json={"number": BIKE})).status_code == 200


async def test_the_citizen_sees_who_stands_there(callers: Callers, bike: str) -> None:
    me = await callers.citizen(await callers.town.citizen())
    seen = body(await me.get(f"/v1/me/desks/{bike}"))
    assert seen == body(await me.post("/v1/me/desks", json={"number": BIKE}))
    assert (seen["place"], seen["party"]["name"]) == ("示例单车 0001 号", "bike-shop")
    assert (seen["scenario"], seen["title"]["en"]) == ("rent", "Rent without a deposit")
    assert seen["recipient"]["contact"] == "desk"
    assert seen["page"] == f"/app/desk/{bike}"
    assert callers.town.city.desks.link(BIKE).endswith(seen["page"])


async def test_a_grant_tells_the_party_which_desk_it_was(callers: Callers, bike: str) -> None:
    town = callers.town
    citizen = await town.citizen()
    me = await callers.citizen(citizen)
    request = await asked(me, bike)
    state = f"/v1/consent-requests/{request['id']}"
    assert body(await callers.party().get(state))["desk"] == BIKE
    token = request["link"].rpartition("/")[2]
    shown = body(await me.get(f"/v1/me/consent-requests/{token}"))
    given = {"text_sha256": shown["text"]["sha256"]}
    body(await me.post(shown["grant"], json=given, headers=key("g")))
    told = body(await callers.party().get(state))
    assert (told["status"], told["desk"]) == ("granted", BIKE)
    (sent,) = await town.owner.fetch("SELECT payload::jsonb->'data' AS data FROM webhook_message")
    assert f'"desk": "{BIKE}"' in sent["data"]
    assert f'"subject": "{told["subject"]}"' in sent["data"]


async def test_who_consented_long_ago_is_asked_again_by_each_bicycle(
    callers: Callers, bike: str
) -> None:
    """It must learn which of its customers stands there, from the customer's own act."""
    me = await callers.citizen(await callers.town.ready())
    assert (await asked(me, bike))["status"] == "pending"


async def test_only_the_one_who_scanned_sees_the_request(callers: Callers, bike: str) -> None:
    me, other = [await callers.citizen(await callers.town.citizen()) for _ in range(2)]
    page = (await asked(me, bike))["link"]
    assert (await other.get(page)).status_code == 404
    assert body(await other.get("/v1/me/consent-requests")) == {"requests": []}
    assert len(body(await me.get("/v1/me/consent-requests"))["requests"]) == 1


async def test_scanning_twice_or_at_once_is_one_request(callers: Callers, bike: str) -> None:
    citizen = await callers.town.citizen()
    browsers = [await callers.citizen(citizen) for _ in range(2)]
    first = await asked(browsers[0], bike, **key("a"))
    assert await asked(browsers[0], bike, **key("a")) == first
    path = f"/v1/me/desks/{bike}/consent-requests"
    answers = await asyncio.gather(*(me.post(path) for me in browsers * 8))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.json()["id"] for answer in answers if answer.status_code == 201} == {first["id"]}


async def test_nobody_is_flooded(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    doors = [
        await open_desk(callers.town, f"3{n:05}", scenario="rent") for n in range(OPEN_MAX + 1)
    ]
    for door in doors[:OPEN_MAX]:
        await asked(me, door)
    last = await me.post(f"/v1/me/desks/{doors[-1]}/consent-requests")
    assert (last.status_code, int(last.headers["retry-after"]) >= 60) == (429, True)


async def test_a_closed_desk_and_a_suspended_party_lead_nowhere(
    callers: Callers, bike: str
) -> None:
    town, me = callers.town, await callers.citizen(await callers.town.citizen())
    code = body(await me.post("/v1/me/credit-code", json={"desk": BIKE}), 201)["code"]
    await town.owner.execute("UPDATE party SET status = 'suspended'")
    assert (await me.get(f"/v1/me/desks/{bike}")).status_code == 404
    await town.owner.execute("UPDATE party SET status = 'active'")
    assert (await me.get(f"/v1/me/desks/{bike}")).status_code == 200
    await desks.close_desk(town.owner, BIKE)
    await town.city.parties.refresh(force=True)
    for path in (f"/v1/me/desks/{bike}/consent-requests", "/v1/me/credit-code", "/v1/me/desks"):
        sent = {"desk": BIKE} if path.endswith("code") else {"number": BIKE}
        assert (await me.post(path, json=sent)).status_code == 404, path
    sent = {"code": code, "scenario": "rent", "desk": BIKE}
    assert (await callers.party().post("/v1/credit-codes/redeem", json=sent)).status_code == 404


async def test_a_counter_has_no_code_of_its_own(callers: Callers) -> None:
    token = await open_desk(callers.town, "100101")
    me = await callers.citizen(await callers.town.citizen())
    seen = body(await me.get(f"/v1/me/desks/{token}"))
    assert (seen["scenario"], seen["title"]) == (None, None)
    assert (await me.post(f"/v1/me/desks/{token}/consent-requests")).status_code == 409


async def test_a_desks_link_opens_and_no_other_address_does(town: TestCity) -> None:
    links = town.city.desks
    numbers = ["000000", "000001", "123456", "999999"]
    tokens = [links.token(number) for number in numbers]
    assert [links.number(token) for token in tokens] == numbers
    assert {len(token) for token in tokens} == {desks.TOKEN_CHARS}
    for number in numbers:
        link = links.link(number)
        assert links.path_of(link) == f"/app/desk/{links.token(number)}"
        for wrong in (
            link.replace("127.0.0.1", "evil.example"),
            link + "x",
            f"https://evil.example/{link}",
            f"javascript:alert(1)//{link}",
            link.partition("/app")[2],
            *("".join(pair) for pair in itertools.product(("", " "), (link[:-1],))),
        ):
            assert links.path_of(wrong) is None, wrong
