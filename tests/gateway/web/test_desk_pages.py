"""The pages of codes and desks in process: what anybody could fill in is text, and nothing else."""

from __future__ import annotations

import re

import pytest

from tests.gateway.callers import Callers
from tests.gateway.desks import open_desk
from tests.gateway.web.corpus import CORPUS
from tests.gateway.web.people import enrolled
from tests.gateway.web.test_closed import HTML, assert_closed

MARKS = ("<script>", "<img", "<svg/", "<style>", "<base", "<meta http", "<iframe")


def main_of(html: str) -> str:
    return html.split("<main", 1)[1].split("</main>", 1)[0]


@pytest.mark.parametrize("text", CORPUS)
async def test_what_a_party_says_of_itself_is_text(callers: Callers, text: str) -> None:
    town = callers.town
    token = await open_desk(town, "200202", scenario="rent", place=text[:100])
    await town.owner.execute("UPDATE party SET name = $1", text)
    await town.owner.execute("UPDATE legal_entity SET name = $1, contact = $1, promise = $1", text)
    me = await callers.citizen(await enrolled(town))
    answer = await me.get(f"/app/desk/{token}", headers=HTML)
    assert answer.status_code == 200
    assert_closed(answer)
    assert not [mark for mark in MARKS if mark in main_of(answer.text)]


@pytest.mark.parametrize("text", CORPUS)
async def test_an_address_puts_nothing_into_a_page(callers: Callers, text: str) -> None:
    me = await callers.citizen(await enrolled(callers.town))
    answer = await me.get("/app/code", params={"desk": text}, headers=HTML)
    assert answer.status_code == 200
    assert_closed(answer)
    assert 'data-desk=""' in answer.text
    assert not [mark for mark in MARKS if mark in main_of(answer.text)]


async def test_the_page_holds_no_code_before_it_is_asked_for(callers: Callers) -> None:
    """What is cached, saved or sent on is a page without a code."""
    me = await callers.citizen(await enrolled(callers.town))
    answer = await me.get("/app/code", headers=HTML)
    assert 'id="qr"></p>' in answer.text
    assert await callers.town.owner.fetchval("SELECT count(*) FROM credit_code") == 0


async def test_a_counter_is_told_apart_from_a_device(callers: Callers) -> None:
    me = await callers.citizen(await enrolled(callers.town))
    counter = await open_desk(callers.town, "100101")
    device = await open_desk(callers.town, "200202", scenario="rent", place="示例单车")
    shown = [(await me.get(f"/app/desk/{each}", headers=HTML)).text for each in (counter, device)]
    assert ['href="/app/code?desk=100101"' in html for html in shown] == [True, False]
    asks = [bool(re.search(r'data-act="/v1/me/desks/[\w-]{26}/consent-', html)) for html in shown]
    assert asks == [False, True]
