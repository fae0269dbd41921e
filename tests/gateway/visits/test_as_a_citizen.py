"""All that a citizen may do here a visitor may: a walk over the route table, then a day in town."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gateway.edge.access import Access
from tests.gateway.callers import body, key
from tests.gateway.citizens.browser import Phone
from tests.gateway.edge.table import SAFE, Row, framework_of, rows_of
from tests.gateway.my_data.life import asked_in_person
from tests.gateway.visits.border import Border
from tests.gateway.visits.test_my_visit import whose

CITIZENS = {Access.CITIZEN, Access.PARTY_OR_CITIZEN}

#: An answer that goes on until the browser leaves.
ENDLESS = {"/v1/me/lookups/stream"}

#: What a page asks its address for.
ASKED = {"/app/commitments/new": "?scenario=rent"}

#: What a visitor has no part in, and the status that says so.
NOT_FOR_VISITORS = {
    "/v1/me/score-authorisation": 403,
    **dict.fromkeys(("/app/score", "/app/notice", "/app/recognitions"), 403),
}

#: Bodies with which a write says something; the others get an empty object.
SAID: dict[str, Any] = {
    "/v1/me/score-authorisation": {"status": "withdrawn"},
    "/v1/me/commitments/drafts": {"scenario": "library"},
    "/v1/me/devices": {"name": "手机", "jwk": Phone().jwk},
    "/v1/me/corrections": {"about": {"kind": "other"}, "words": "这条记录不是我的"},
    "/v1/me/credit-code": {},
}


def walked(border: Border) -> list[Row]:
    rows = [row for row in rows_of(framework_of(border.town)) if row.access in CITIZENS]
    assert len(rows) > 40
    return [row for row in rows if row.path not in ENDLESS]


async def test_no_route_of_citizens_fails_for_a_visitor(border: Border) -> None:
    await border.town.party(scenarios=("library", "rent"))
    await border.browser().visit()
    citizen = await whose(border)
    for number, row in enumerate(walked(border)):
        # A session of its own for each: some routes end it.
        me = await border.callers().citizen(citizen)
        if row.path == "/v1/me/closure" and row.method not in SAFE:
            continue
        wanted = {"accept": "text/html"} if row.path.startswith("/app") else {}
        sent = {} if row.method in SAFE else {"json": SAID.get(row.path, {})}
        answer = await me.request(
            row.method,
            row.at() + ASKED.get(row.path, ""),
            headers=key(f"walk-{number}") | wanted,
            **sent,
        )
        assert answer.status_code < 500, (row, answer.text)
        assert answer.status_code not in (401, 405), (row, answer.text)
        if row.path in NOT_FOR_VISITORS:
            assert answer.status_code == NOT_FOR_VISITORS[row.path], row
        elif row.method in SAFE and not row.parameters:
            assert answer.status_code in (200, 303), (row, answer.status_code)
        if answer.status_code >= 400 and not row.path.startswith("/app"):
            assert answer.headers["content-type"] == "application/problem+json", row


@pytest.fixture
async def page(border: Border) -> httpx.AsyncClient:
    """A visitor's page, in a city with a library and a shop."""
    await border.town.party(scenarios=("library", "rent"))
    said = {"scenarios": ["library", "rent"]}
    return await border.browser().visit("library", "rent", recognition=said)


async def test_a_visitors_day(border: Border, page: httpx.AsyncClient) -> None:
    town, phone = border.town, Phone()
    named = {"name": "手机", "jwk": phone.jwk}
    body(await page.post("/v1/me/devices", json=named, headers=key("d-1")), 201)
    draft = body(await page.post("/v1/me/commitments/drafts", json={"scenario": "rent"}), 201)
    signed = {"jws": phone.sign(draft)}
    promised = await page.post("/v1/me/commitments", json=signed, headers=key("c-1"))
    assert promised.status_code == 201, promised.text
    await asked_in_person(town, await whose(border), "r-1")
    (asked,) = body(await page.get("/v1/me/consent-requests"))["requests"]
    granted = await page.post(
        asked["grant"], json={"text_sha256": asked["text"]["sha256"]}, headers=key("g-1")
    )
    assert granted.status_code == 200, granted.text
    code = body(await page.post("/v1/me/credit-code", json={}), 201)["code"]
    shop = border.callers().party()
    seen = {"code": code, "scenario": "rent"}
    subject = body(await shop.post("/v1/credit-codes/redeem", json=seen))["subject"]
    facts = town.city.registry["rent"].manifest.example_at(town.city.clock.now_us())
    answers = []

    async def asked_by_the_shop() -> str:
        question = {"subject": subject, "facts": facts}
        answer = await shop.post("/v1/scenarios/rent/eligibility", json=question)
        answers.append(body(answer)["decision_id"])
        # Nothing that the shop reads tells where the person is from.
        assert "330200" not in answer.text
        assert "visit" not in answer.text
        outcome: str = answer.json()["outcome"]
        return outcome

    assert await asked_by_the_shop() == "eligible"
    fresh = "UPDATE issuer SET fresh_until = clock_timestamp() + interval '{} seconds'"
    await town.owner.execute(fresh.format(-1))
    assert await asked_by_the_shop() == "standard_path", "the home city has not been heard"
    await town.owner.execute(fresh.format(40))
    assert await asked_by_the_shop() == "eligible"
    assert (await page.post("/v1/me/visit/end")).status_code == 204
    assert await asked_by_the_shop() == "standard_path"
    lines = body(await page.get("/v1/me/lookups"))["lookups"]
    assert [line["decision_id"] for line in lines] == answers[::-1]
    withdrawn = await page.post(f"/v1/me/consents/{granted.json()['id']}/withdraw")
    assert withdrawn.status_code == 200


async def test_nobody_at_a_counter_finds_a_visitor(border: Border) -> None:
    """Assisted service finds people by a document, and no document is known of a visitor."""
    await border.browser().visit()
    owner = border.town.owner
    assert (
        await owner.fetchval("SELECT count(*) FROM citizen WHERE identity_index IS NOT NULL") == 0
    )
    async with border.town.city.database.connection() as connection:
        named = await border.town.city.citizens.is_named_within(
            connection, await whose(border), "来自宁波的访客 / visitor from Ningbo"
        )
    assert named is False
