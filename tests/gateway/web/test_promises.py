"""Pages of promises and devices, without a browser: whose they are, and where they lead."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import httpx
import pytest

from gateway.store.migrate import Connection
from tests.gateway.callers import Callers, body, key
from tests.gateway.citizens.browser import Phone
from tests.gateway.web.corpus import CORPUS
from tests.gateway.web.people import enrolled
from tests.gateway.web.test_closed import ELSEWHERE, HTML, assert_closed

PATH, DEVICES = "/app/commitments", "/app/devices"


async def signed(me: httpx.AsyncClient, phone: Phone, scenario: str = "rent") -> dict[str, Any]:
    """A promise of a scenario, over the API."""
    draft = body(await me.post("/v1/me/commitments/drafts", json={"scenario": scenario}), 201)
    sent = {"jws": phone.sign(draft)}
    answer = await me.post("/v1/me/commitments", json=sent, headers=key(draft["nonce"]))
    made: dict[str, Any] = body(answer, 201)
    return made


async def registered(me: httpx.AsyncClient, phone: Phone, name: str = "p") -> str:
    told = {"name": name, "jwk": phone.jwk}
    device = body(await me.post("/v1/me/devices", json=told, headers=key(phone.kid)), 201)
    return str(device["id"])


async def test_anothers_promise_and_device_are_nobodys(callers: Callers) -> None:
    mine, theirs = [await callers.citizen(await enrolled(callers.town)) for _ in range(2)]
    phone = Phone()
    device = await registered(theirs, phone)
    made = await signed(theirs, phone)
    nobody = UUID(int=7)
    for path, none in (
        (f"{PATH}/{made['id']}", f"{PATH}/{nobody}"),
        (f"{DEVICES}/{device}/stop", f"{DEVICES}/{nobody}/stop"),
    ):
        assert (await theirs.get(path, headers=HTML)).status_code == 200
        found, missing = [await mine.get(each, headers=HTML) for each in (path, none)]
        assert found.status_code == missing.status_code == 404
        assert found.text.replace(path, "") == missing.text.replace(none, "")
    for path in (PATH, DEVICES):
        html = (await mine.get(path, headers=HTML)).text
        assert made["id"] not in html
        assert device not in html


@pytest.mark.parametrize("then", ELSEWHERE)
async def test_afterwards_it_leads_to_our_own_pages_only(callers: Callers, then: str) -> None:
    me = await callers.citizen(await enrolled(callers.town))
    answer = await me.get(f"{PATH}/new", params={"scenario": "rent", "then": then}, headers=HTML)
    if any(char < " " for char in then):  # refused before anybody reads it
        assert answer.status_code == 400
        return
    assert_closed(answer)
    assert answer.status_code == 200
    assert f'data-then="{PATH}"' in answer.text
    links = re.findall(r'<a class="button other" href="([^"]*)"', answer.text)
    assert links == [PATH]


async def test_it_leads_on_where_the_flow_goes_on(callers: Callers) -> None:
    me = await callers.citizen(await enrolled(callers.town))
    for then in ("/app/scenarios/rent", "/app/consent/x?a=1&b=2", "/app/"):
        query = {"scenario": "rent", "then": then}
        answer = await me.get(f"{PATH}/new", params=query, headers=HTML)
        assert f'data-then="{then.replace("&", "&amp;")}"' in answer.text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 404),
        ({"scenario": "no-such"}, 404),
        ({"scenario": "Rent"}, 404),
        ({"scenario": "rent", "party": "../x"}, 404),
        ({"scenario": "rent", "party": "nobody-here"}, 400),
        ({"scenario": "library", "party": "bike-shop"}, 400),
        ({"scenario": "rent", "party": "bike-shop"}, 200),
        ({"scenario": "points"}, 404),
    ],
)
async def test_what_cannot_be_promised_has_no_page(
    callers: Callers, query: dict[str, str], status: int
) -> None:
    me = await callers.citizen(await enrolled(callers.town))
    answer = await me.get(f"{PATH}/new", params=query, headers=HTML)
    assert answer.status_code == status
    assert_closed(answer)


async def test_looking_at_a_text_leaves_nothing_behind(callers: Callers, owner: Connection) -> None:
    me = await callers.citizen(await enrolled(callers.town))
    html = (await me.get(f"{PATH}/new?scenario=rent", headers=HTML)).text
    manifest = callers.town.city.registry["rent"].manifest.commitment
    assert manifest is not None
    assert f'translate="no">{manifest.zh}</div>' in html, "to the letter: it is hashed as it stands"
    assert await owner.fetchval("SELECT count(*) FROM commitment_nonce") == 0


@pytest.mark.parametrize("name", [text for text in CORPUS if len(text) <= 40])
async def test_a_devices_name_is_text_whatever_it_says(callers: Callers, name: str) -> None:
    me = await callers.citizen(await enrolled(callers.town))
    phone = Phone()
    device = await registered(me, phone, name)
    made = await signed(me, phone)
    pages = (PATH, DEVICES, f"{DEVICES}/{device}/stop", f"{PATH}/{made['id']}")
    before = [await me.get(path, headers=HTML) for path in pages]
    renamed = await me.post(f"/v1/me/devices/{device}/name", json={"name": "x"})
    assert renamed.status_code == 200
    for path, answer in zip(pages, before, strict=True):
        assert_closed(answer)
        plain = await me.get(path, headers=HTML)
        assert re.findall(r"<[a-z]+", answer.text) == re.findall(r"<[a-z]+", plain.text), path


async def test_many_promises_are_shown_page_by_page(callers: Callers, owner: Connection) -> None:
    citizen = await enrolled(callers.town)
    me = await callers.citizen(citizen)
    phone = Phone()
    await registered(me, phone)
    made = await signed(me, phone)
    await owner.execute(
        "INSERT INTO commitment (id, version, citizen, scenario, entity, template,"
        " template_version, text_sha256, device, jws, status, signed_at, at)"
        " SELECT gen_random_uuid(), 1, citizen, scenario, n::text, template, template_version,"
        " text_sha256, device, jws, 'withdrawn', signed_at, at - n * interval '1 day'"
        " FROM commitment, generate_series(1, 64) n"
    )
    first, second, third = [
        (await me.get(f"{PATH}?from={start}", headers=HTML)).text for start in (0, 30, 60)
    ]
    card = '<section class="card" aria-labelledby="c-'
    assert [page.count(card) for page in (first, second, third)] == [30, 30, 5]
    assert first.index(made["id"]) < first.index("已撤回"), "what is in force comes first"
    older = 'class="button other" href="?from={}"'
    assert older.format(30) in first
    assert older.format(60) in second
    assert older.partition("{")[0] not in third
    for start in ("-1", "x", "1e9", "99999999999"):
        answer = await me.get(f"{PATH}?from={start}", headers=HTML)
        assert answer.status_code == 400, start


async def test_stopped_devices_are_bounded_on_the_page(callers: Callers, owner: Connection) -> None:
    citizen = await enrolled(callers.town)
    me = await callers.citizen(citizen)
    await owner.execute(
        "INSERT INTO device (id, citizen, kid, jwk, name, registered_at, revoked_at)"
        " SELECT gen_random_uuid(), $1, n::text, '{}', 'old ' || n, now(),"
        " now() - n * interval '1 day' FROM generate_series(1, 35) n",
        citizen,
    )
    html = (await me.get(DEVICES, headers=HTML)).text
    assert html.count("<li data-kid=") == 30
    assert "old 1<" in html
    assert "old 31<" not in html
    assert "还有 5 台" in html


async def test_the_page_of_stopping_says_today_as_hangzhou_counts_it(callers: Callers) -> None:
    me = await callers.citizen(await enrolled(callers.town))
    device = await registered(me, Phone())
    html = (await me.get(f"{DEVICES}/{device}/stop", headers=HTML)).text
    (since,) = re.findall(r'data-since="([^"]+)"', html)
    asked = await me.get(f"/v1/me/devices/{device}/revocation", params={"compromised_since": since})
    assert asked.status_code == 200, "it lies in the past"
    assert since[10:] == "T16:00:00+00:00", "midnight in Hangzhou"
    assert html.count("checked") == 1
