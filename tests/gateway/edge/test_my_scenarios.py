"""A citizen's scenarios over HTTP, and consents that a citizen begins without being asked."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest

from gateway.own_requests import DAY_MAX
from scenarios.contract import Outcome
from tests.gateway.callers import Callers, body, key
from tests.gateway.city import TestCity

PAGE = "/v1/me/scenarios/rent"
BEGIN = f"{PAGE}/consent-requests"
SHOP = {"party": "bike-shop"}


@pytest.fixture
async def callers(town: TestCity) -> Callers:
    await town.party(webhook_url="http://127.0.0.1:9/hook")
    return Callers(town)


async def begun(me: httpx.AsyncClient, name: str = "b", **changes: Any) -> dict[str, Any]:
    """A request begun by its citizen, as the page shows it."""
    made = body(await me.post(BEGIN, json=SHOP | changes, headers=key(name)), 201)
    shown: dict[str, Any] = body(await me.get(made["request"]))
    return shown


async def messages(town: TestCity) -> list[tuple[str, str]]:
    rows = await town.owner.fetch("SELECT type, payload FROM webhook_message ORDER BY created_at")
    return [(row["type"], row["payload"]) for row in rows]


# ------------------------------------------------------------------ strangers


async def test_a_stranger_and_a_party_see_and_begin_nothing(callers: Callers) -> None:
    for client in (callers.stranger(), callers.party()):
        for method, path in (("GET", "/v1/me/scenarios"), ("GET", PAGE), ("POST", BEGIN)):
            assert (await client.request(method, path, json=SHOP)).status_code == 401, path


async def test_a_page_of_another_site_begins_nothing(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    me.headers.pop("x-csrf-token")
    assert (await me.post(BEGIN, json=SHOP, headers=key("b"))).status_code == 403
    assert await callers.town.owner.fetchval("SELECT count(*) FROM consent_request") == 0


# ------------------------------------------------------------------ reading


async def test_a_scenario_says_whether_it_is_open_and_who_offers_it(callers: Callers) -> None:
    town = callers.town
    citizen = await town.ready()
    await town.owner.execute("UPDATE legal_entity SET promise = '<b>our word</b>'")
    me = await callers.citizen(citizen)
    page = body(await me.get(PAGE))
    assert page["scenario"]["opening"]["open"] is True
    assert page["scenario"]["at"] == "bike-shop"
    assert (page["scenario"]["consents"], page["scenario"]["committed"]) == (1, True)
    (shop,) = page["parties"]
    assert shop["recipient"] == {
        "name": "rent-a-bike",
        "contact": "desk",
        "promise": "<b>our word</b>",
    }
    assert shop["consent"]["status"] == "active"
    assert shop["opening"]["outcome"] == (await town.ask(citizen)).outcome.wire
    assert {figure["name"] for figure in page["figures"]} == {
        *("band_floor", "cap_fen", "max_span_days")
    }
    assert all(figure["illustrative"] and figure["since"] for figure in page["figures"])
    assert len(page["obligations"]) == 3
    assert page["more"] is False


async def test_what_is_missing_is_told_with_what_helps(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    (rent,) = (
        each for each in body(await me.get("/v1/me/scenarios"))["scenarios"] if each["id"] == "rent"
    )
    opening = rent["opening"]
    assert (opening["open"], opening["outcome"]) == (False, "standard_path")
    found = {each["id"]: each["remedy"] for each in opening["missing"]}
    assert found == {"consent": "consent", "commitment": "promise"}
    assert opening["example"]["deposit_fen"] == 20_000


async def test_a_scenario_that_is_none_is_not_there(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    for path in ("/v1/me/scenarios/no-such", "/v1/me/scenarios/%2e%2e"):
        assert (await me.get(path)).status_code == 404
    await callers.town.owner.execute("UPDATE policy SET live = false WHERE scenario = 'rent'")
    await callers.town.city.policies.refresh()
    assert (await me.get(PAGE)).status_code == 404
    listed = body(await me.get("/v1/me/scenarios"))["scenarios"]
    assert "rent" not in {each["id"] for each in listed}


async def test_a_search_is_bounded(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    assert (await me.get(PAGE, params={"q": "x" * 65})).status_code == 400
    assert body(await me.get(PAGE, params={"q": "BIKE"}))["parties"]
    assert body(await me.get(PAGE, params={"q": "%' OR true --"}))["parties"] == []


# ------------------------------------------------------------------ beginning


async def test_a_faulty_wish_is_told_where(callers: Callers) -> None:
    await callers.town.party("library", scenarios=("library",), kind="library", entity="books")
    me = await callers.citizen(await callers.town.citizen())
    for change, pointer in (
        ({"party": "nobody"}, "/party"),
        ({"party": "library"}, "/party"),
        ({"party": "No Such"}, "/party"),
        ({"purpose": "advertising"}, "/purpose"),
        ({"citizen": "x"}, "/citizen"),
    ):
        answer = await me.post(BEGIN, json=SHOP | change, headers=key("x"))
        assert [each["pointer"] for each in body(answer, 400)["errors"]] == [pointer]
    nowhere = "/v1/me/scenarios/no-such/consent-requests"
    assert (await me.post(nowhere, json=SHOP, headers=key("y"))).status_code == 404
    assert (await me.post(BEGIN, json=SHOP)).status_code == 400  # no key
    assert await callers.town.owner.fetchval("SELECT count(*) FROM consent_request") == 0


async def test_a_citizen_may_let_a_party_ask_that_never_asked(callers: Callers) -> None:
    town = callers.town
    citizen = await town.citizen()
    await town.commitment(citizen)
    me = await callers.citizen(citizen)
    shown = await begun(me)
    assert (shown["own_initiative"], shown["status"]) == (True, "pending")
    assert (shown["asked_by"]["name"], shown["returns_to"]) == ("bike-shop", None)
    assert shown["longest_days"] == 365
    assert (await town.ask(citizen)).outcome is Outcome.STANDARD_PATH
    given = {"text_sha256": shown["text"]["sha256"]}
    body(await me.post(shown["grant"], json=given, headers=key("g")))
    assert (await town.ask(citizen)).outcome is Outcome.ELIGIBLE
    ((event, payload),) = await messages(town)
    assert event == "consent.granted"
    assert "consent_request" not in payload
    assert "citizen/" not in payload


async def test_a_party_never_learns_of_what_was_not_granted(callers: Callers) -> None:
    town = callers.town
    me = await callers.citizen(await town.citizen())
    shown = await begun(me)
    party = callers.party()
    path = f"/v1/consent-requests/{shown['id']}"
    assert (await party.get(path)).status_code == 404
    assert body(await me.post(shown["decline"]))["status"] == "declined"
    await begun(me, "again")
    await town.owner.execute("UPDATE consent_request SET expires_at = clock_timestamp()")
    assert await town.city.consents.expire_requests(10) == 1
    assert (await party.get(path)).status_code == 404
    assert await messages(town) == []


async def test_a_party_cannot_read_the_request_of_a_grant_that_it_did_not_ask_for(
    callers: Callers,
) -> None:
    me = await callers.citizen(await callers.town.citizen())
    shown = await begun(me)
    given = {"text_sha256": shown["text"]["sha256"]}
    body(await me.post(shown["grant"], json=given, headers=key("g")))
    assert (await callers.party().get(f"/v1/consent-requests/{shown['id']}")).status_code == 404


async def test_nobody_else_sees_it(callers: Callers) -> None:
    town = callers.town
    me, other = [await callers.citizen(await town.citizen()) for _ in range(2)]
    made = body(await me.post(BEGIN, json=SHOP, headers=key("b")), 201)
    assert (await other.get(made["request"])).status_code == 404
    assert (await other.post(f"{made['request']}/decline")).status_code == 404


async def test_a_party_cannot_use_a_number_like_the_citizens(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    await begun(me)
    number = await callers.town.owner.fetchval("SELECT out_request_no FROM consent_request")
    asked = {"scenario": "rent", "purpose": "deposit_free_rental", "out_request_no": number}
    answer = await callers.party().post("/v1/consent-requests", json=asked)
    assert [each["pointer"] for each in body(answer, 400)["errors"]] == ["/out_request_no"]


async def test_what_was_begun_and_left_is_nothing_to_be_reminded_of(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    await begun(me)
    assert body(await me.get("/v1/me/consent-requests")) == {"requests": []}


async def test_beginning_twice_finds_the_first(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    answers = await asyncio.gather(
        *(me.post(BEGIN, json=SHOP, headers=key(f"k{number % 3}")) for number in range(6))
    )
    assert len({body(answer, 201)["page"] for answer in answers}) == 1
    assert await callers.town.owner.fetchval("SELECT count(*) FROM consent_request") == 1


async def test_how_many_a_citizen_begins_in_a_day_is_bounded(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    for number in range(DAY_MAX):
        shown = await begun(me, f"b{number}")
        assert (await me.post(shown["decline"])).status_code == 200
    refused = await me.post(BEGIN, json=SHOP, headers=key("one-more"))
    assert (refused.status_code, "retry-after" in refused.headers) == (429, True)
    other = await callers.citizen(await callers.town.citizen())
    assert (await other.post(BEGIN, json=SHOP, headers=key("mine"))).status_code == 201


async def test_two_parties_are_two_requests(callers: Callers) -> None:
    await callers.town.party("other-shop", entity="other-house")
    me = await callers.citizen(await callers.town.citizen())
    first, second = await begun(me, "1"), await begun(me, "2", party="other-shop")
    assert UUID(first["id"]) != UUID(second["id"])
    assert second["asked_by"]["name"] == "other-shop"
