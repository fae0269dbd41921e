"""The score: first the notice, then the citizen's word, then the view; and back at any time."""

from __future__ import annotations

import hashlib

import pytest

from gateway.body import decode_body
from gateway.notice import load_notice
from gateway.store.migrate import Connection
from tests.gateway.citizens.browser import Browser
from tests.gateway.city import TestCity

PATH = "/v1/me/score-authorisation"


async def given(browser: Browser, *left_out: str, key: str | None = None) -> None:
    text = (await browser.get("/v1/me/notice")).json()["text_sha256"]
    word = {"status": "given", "text_sha256": text, "leave_out": left_out}
    answer = await browser.post(PATH, word, key=key)
    assert answer.status_code == 200, answer.text


async def test_a_stranger_may_not_say_anything(browser: Browser) -> None:
    assert (await browser.post(PATH, {"status": "withdrawn"})).status_code == 401
    await browser.log_in()
    refused = await browser.post(PATH, {"status": "withdrawn"}, **{"x-csrf-token": "x"})
    assert refused.status_code == 403


async def test_the_notice_says_all_that_the_law_asks_for(browser: Browser, town: TestCity) -> None:
    await browser.log_in()
    notice = (await browser.get("/v1/me/notice")).json()
    said = {item["id"] for item in notice["items"]}
    # PIPL 17, and 65 for complaints
    assert said >= {"handler", "contact", "purpose", "method", "kinds", "retention", "rights"}
    assert "complaint" in said
    assert town.city.settings.city_name in notice["zh"]
    assert town.city.settings.city_contact in notice["en"]
    shown = f"{notice['version']}\n{notice['zh']}".encode()
    assert notice["text_sha256"] == hashlib.sha256(shown).hexdigest()


async def test_before_the_word_there_is_no_score_and_none_is_computed(
    browser: Browser, owner: Connection
) -> None:
    await browser.log_in()
    me = (await browser.get("/v1/me")).json()
    assert me["score"] is None
    assert me["authorisation"]["status"] == "none"
    assert me["authorisation"]["ask_again"] is True
    assert await owner.fetchval("SELECT count(*) FROM score") == 0


async def test_the_score_comes_with_the_word_and_says_why(browser: Browser) -> None:
    await browser.log_in()
    await given(browser)
    score = (await browser.get("/v1/me")).json()["score"]
    lines = score["explanation"]["lines"]
    assert 0 <= score["score"] <= 1000
    assert sum(line["points"] for line in lines) == score["score"]


async def test_the_word_names_the_very_text(browser: Browser, owner: Connection) -> None:
    await browser.log_in()
    for text in ("0" * 64, hashlib.sha256(b"").hexdigest()):
        answer = await browser.post(PATH, {"status": "given", "text_sha256": text})
        assert (answer.status_code, answer.json()["type"]) == (
            409,
            "urn:qianjiang:problem:text-changed",
        )
    assert (await browser.post(PATH, {"status": "given"})).status_code == 400
    assert await owner.fetchval("SELECT count(*) FROM score_authorisation") == 0


@pytest.mark.parametrize(
    "word",
    [
        {},
        {"status": "maybe"},
        {"status": "given", "text_sha256": "x"},
        {"status": "given", "text_sha256": "0" * 64, "leave_out": ["debts"]},
        {"status": "withdrawn", "leave_out": ["donation"]},
        {"status": "withdrawn", "more": 1},
    ],
)
async def test_only_what_can_be_said_is_understood(browser: Browser, word: object) -> None:
    await browser.log_in()
    assert (await browser.post(PATH, word)).status_code == 400


async def test_what_is_left_out_is_remembered_and_may_change(browser: Browser) -> None:
    await browser.log_in()
    await given(browser, "volunteering", "donation")
    said = (await browser.get("/v1/me")).json()["authorisation"]
    assert said["leave_out"] == ["donation", "volunteering"]
    await given(browser)
    assert (await browser.get("/v1/me")).json()["authorisation"]["leave_out"] == []


async def test_withdrawing_takes_the_score_away_at_once_and_keeps_what_was_said(
    browser: Browser, town: TestCity, owner: Connection
) -> None:
    await browser.log_in()
    await given(browser)
    assert await band(town, owner) > 0
    assert (await browser.post(PATH, {"status": "withdrawn"})).status_code == 200
    me = (await browser.get("/v1/me")).json()
    assert (me["score"], me["authorisation"]["status"]) == (None, "withdrawn")
    assert await band(town, owner) == 0
    assert (await browser.post(PATH, {"status": "withdrawn"})).status_code == 409
    said = await owner.fetch("SELECT version, status FROM score_authorisation ORDER BY version")
    assert [tuple(row) for row in said] == [(1, "given"), (2, "withdrawn")]


async def test_the_same_word_sent_twice_is_said_once(browser: Browser, owner: Connection) -> None:
    await browser.log_in()
    await given(browser, key="once")
    await given(browser, key="once")
    assert await owner.fetchval("SELECT count(*) FROM score_authorisation") == 1
    answer = await browser.page.post(
        PATH, json={"status": "withdrawn"}, headers={"x-csrf-token": browser.csrf}
    )
    assert answer.status_code == 400  # a write without a key


async def test_other_words_ask_again(browser: Browser, town: TestCity) -> None:
    await browser.log_in()
    await given(browser)
    assert (await browser.get("/v1/me")).json()["authorisation"]["ask_again"] is False
    changed = load_notice(town.city.settings)
    town.city.authorisations.notice = type(changed)("9.9.9", changed.items)
    assert (await browser.get("/v1/me")).json()["authorisation"]["ask_again"] is True


async def band(town: TestCity, owner: Connection) -> int:
    """The band that decisions read."""
    return decode_body(await owner.fetchval("SELECT body FROM standing")).band
