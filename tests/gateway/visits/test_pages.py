"""What visitors look at: whence, what for, arriving, and an app without score and facts."""

from __future__ import annotations

import re

import httpx
import pytest

from gateway.edge.access import Access
from gateway.web.catalogue import catalogue
from tests.gateway.callers import Callers
from tests.gateway.city import TestCity
from tests.gateway.visits.border import Border
from tests.gateway.web.test_closed import HTML, assert_closed, pages_of
from tests.gateway.web.test_scenario_pages import Said, read, shape

#: Addresses that no page of a visitor leads to.
NOT_THEIRS = re.compile(r'"/app/(score|notice|recognitions)[?"/]|about=identity')


def words(key: str, **values: str) -> str:
    return catalogue()[key].zh.format_map(values)


def told(answer: httpx.Response) -> str:
    """The text of a page's own part, without the words that its modules may need."""
    reader = Said()
    reader.feed(answer.text.partition("<main")[2].partition("</main>")[0])
    return reader.text


async def test_a_city_that_recognises_nobody_says_so(town: TestCity) -> None:
    shown = await read(Callers(town).stranger(**HTML), "/app/visit")
    assert words("visit.nobody") in told(shown)
    assert "data-home" not in shown.text


async def test_every_city_in_force_is_offered_and_no_other(border: Border) -> None:
    reader = border.callers().stranger(**HTML)
    offered = await read(reader, "/app/visit")
    assert re.findall(r"\?home=(\d+)", offered.text) == ["320500", "330200"]
    chosen = await read(reader, "/app/visit?home=330200")
    assert 'data-home="330200"' in chosen.text
    assert re.findall(r'name="scenarios" value="(\w+)"', chosen.text) == ["library", "rent"]
    assert_closed(chosen)
    for wanted in ("330100", "999999", "3302000", "..%2F"):
        assert "data-home" not in (await read(reader, f"/app/visit?home={wanted}")).text
    border.region.cities.remove(border.homes[1])
    await border.publish()
    alone = await read(reader, "/app/visit")
    assert 'data-home="330200"' in alone.text


async def test_what_another_city_calls_itself_stays_text(border: Border) -> None:
    reader = border.callers().stranger(**HTML)
    plain = shape(await read(reader, "/app/visit?home=330200"))
    evil = "<script>alert(1)</script>\"'{{ 7 * 7 }}"
    border.home.changes |= {"name": {"zh": evil, "en": evil}, "contact": evil}
    await border.publish()
    shown = await read(reader, "/app/visit?home=330200")
    assert shape(shown) == plain
    assert evil in told(shown)


@pytest.mark.parametrize(
    ("refused", "key"),
    [
        ("declined", "visit.returned_declined"),
        ("not-recognised", "visit.returned_not-recognised"),
        ("visit-refused", "problem.visit-refused"),
        ("home-city-failed", "problem.home-city-failed"),
        ("too-many-requests", "problem.too-many-requests"),
    ],
)
async def test_how_the_last_try_ended_is_said_in_words(
    border: Border, refused: str, key: str
) -> None:
    reader = border.callers().stranger(**HTML)
    shown = told(await read(reader, f"/app/visit?refused={refused}"))
    assert words(key) in shown
    plain = told(await read(reader, "/app/visit"))
    assert words(key) not in plain
    assert told(await read(reader, "/app/visit?refused=other-words")) == plain


async def test_who_comes_back_wrongly_lands_on_the_page_in_words(border: Border) -> None:
    visitor = border.browser()
    await visitor.begin()
    visitor.page.headers.update(HTML)
    back = await visitor.come_back(state="x" * 43)
    assert back.headers["location"] == "/app/visit?refused=visit-refused"
    stranger = border.browser()
    stranger.page.headers.update(HTML)
    back = await stranger.come_back()
    assert back.headers["location"] == "/app/visit?refused=visit-refused"
    back = await visitor.come_back(code=..., error="access_denied")
    assert back.headers["location"] == "/app/visit?refused=declined"


async def test_the_page_of_arrival_names_the_addresses_of_the_proofs(border: Border) -> None:
    issuer = border.town.city.settings.issuer
    shown = await read(border.callers().stranger(**HTML), "/app/visit/arrive")
    assert f'data-token="{issuer}/oauth/token"' in shown.text
    assert f'data-session="{issuer}/v1/visits/session"' in shown.text
    assert_closed(shown)


async def test_a_visitors_first_page_says_whence_and_what_for(border: Border) -> None:
    me = await border.browser().visit("library")
    shown = await read(me, "/app/")
    text = told(shown)
    assert words("visitor.hello", city="宁波") in text
    assert "/app/scenarios/library" in shown.text
    assert "/app/scenarios/rent" not in shown.text
    assert not NOT_THEIRS.search(shown.text)
    assert words("home.no_score") not in text
    await border.town.owner.execute("UPDATE issuer SET fresh_until = clock_timestamp()")
    assert words("visitor.stale_lead", city="宁波") in told(await read(me, "/app/"))
    await border.town.owner.execute(
        "UPDATE issuer SET fresh_until = clock_timestamp() + interval '40 s'"
    )
    assert words("visitor.fresh_lead", city="宁波") in told(await read(me, "/app/"))
    assert (await me.post("/v1/me/visit/end")).status_code == 204
    ended = await read(me, "/app/")
    assert words("visitor.over_own") in told(ended)
    assert 'href="/app/visit?home=330200"' in ended.text


async def test_every_page_answers_a_visitor_and_none_leads_to_a_score(border: Border) -> None:
    callers = border.callers()
    me = await border.browser().visit("library")
    closed = set()
    for path in pages_of(callers, Access.CITIZEN):
        answer = await me.get(path, headers=HTML, follow_redirects=True)
        assert answer.status_code in (200, 403, 404), (path, answer.status_code)
        assert_closed(answer)
        assert not NOT_THEIRS.search(answer.text), path
        if answer.status_code == 403:
            closed.add(path)
            assert words("problem.not-for-visitors") in told(answer)
    assert {"/app/score", "/app/notice"} <= closed
    assert all(path in {"/app/score", "/app/notice", "/app/recognitions"} for path in closed)


async def test_a_visitor_sees_the_scenarios_of_the_visit_and_no_way_to_a_score(
    border: Border,
) -> None:
    await border.town.party(scenarios=("library", "rent"))
    me = await border.browser().visit("library")
    listed = await read(me, "/app/scenarios")
    assert re.findall(r'href="/app/scenarios/(\w+)"', listed.text) == ["library"]
    for scenario in ("library", "rent"):
        assert not NOT_THEIRS.search((await read(me, f"/app/scenarios/{scenario}")).text)


async def test_a_visitors_data_are_whence_and_since_when(border: Border) -> None:
    me = await border.browser().visit("library")
    shown = await read(me, "/app/data")
    assert "宁波" in told(shown)
    assert words("data.number") not in told(shown)
    assert words("data.name") not in told(shown)
    assert "about=identity" not in (await read(me, "/app/data/correction")).text
