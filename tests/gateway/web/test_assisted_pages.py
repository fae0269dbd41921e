"""Pages for people without a phone: closed to strangers, and text stays text on them."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.web.counter import where_to
from tests.gateway.callers import Callers
from tests.gateway.web.corpus import CORPUS
from tests.gateway.web.people import enrolled
from tests.gateway.web.test_closed import HTML, assert_closed

START = "/counter/assisted"
STEPS = tuple(f"{START}/{name}?scenario=rent" for name in ("new", "return", "back"))


async def test_a_stranger_is_led_to_the_counters_door_and_back(callers: Callers) -> None:
    citizen = await callers.citizen(await enrolled(callers.town))
    for client in (callers.stranger(), citizen):
        for path in (START, *STEPS):
            answer = await client.get(path, headers=HTML)
            assert answer.status_code == 303, path
            there = urlsplit(answer.headers["location"])
            assert there.path == "/counter/sign-in"
            assert parse_qs(there.query) == {"return_to": [path]}
            assert where_to(path) == path


async def test_another_partys_scenario_or_none_is_told_in_words(callers: Callers) -> None:
    clerk = await callers.clerk()
    for scenario, status in (("library", 403), ("no-such", 404), ("", 404), ("<b>", 404)):
        for path in ("new", "return", "back"):
            answer = await clerk.get(f"{START}/{path}", params={"scenario": scenario}, headers=HTML)
            assert answer.status_code == status, (path, scenario)
            assert_closed(answer)


async def test_the_pages_are_closed_and_show_every_text_whole(callers: Callers) -> None:
    clerk = await callers.clerk()
    for path in (START, *STEPS):
        answer = await clerk.get(path, headers=HTML)
        assert answer.status_code == 200
        assert_closed(answer)
    html = (await clerk.get(STEPS[0], headers=HTML)).text
    manifest, notice = callers.town.city.registry["rent"].manifest, callers.town.city.authorisations
    assert manifest.commitment is not None
    for text in (manifest.consent, manifest.commitment, notice.notice):
        for line in text.zh.strip().splitlines():
            assert line in html
    for sha256 in (manifest.consent.text_sha256, manifest.commitment.text_sha256):
        assert f'data-sha256="{sha256.hex()}"' in html


async def test_only_what_the_scenario_asks_for_has_a_screen(callers: Callers) -> None:
    town = callers.town
    await town.party(
        "block", scenarios=["points"], kind="community", entity="street", community="c-1"
    )
    clerk = await callers.clerk("zhao", party="block")
    html = (await clerk.get(f"{START}/new?scenario=points", headers=HTML)).text
    assert 'data-read="consent"' in html
    assert 'data-read="score"' not in html
    assert 'data-read="commitment"' not in html


@pytest.mark.parametrize("text", CORPUS)
async def test_what_a_party_says_of_itself_is_text(callers: Callers, text: str) -> None:
    owner = callers.town.owner
    stored = text.replace("\x00", "")  # PostgreSQL keeps none
    await owner.execute("UPDATE legal_entity SET name = $1, contact = $1, promise = $1", stored)
    await owner.execute("UPDATE party SET name = $1", stored)
    await callers.town.city.parties.refresh(force=True)
    clerk = await callers.clerk()
    for path in (START, *STEPS):
        answer = await clerk.get(path, headers=HTML)
        assert answer.status_code == 200
        assert_closed(answer)
        for mark in ("<script>", "<img src=x", "<svg/", "<style>", "<base", "<iframe"):
            assert mark not in answer.text
