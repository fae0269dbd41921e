"""The counter's pages are closed: to strangers, citizens, other sites, and to what people type."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from gateway.edge.access import Access
from gateway.edge.counter_questions import FactField
from gateway.web.counter import where_to
from gateway.web.counter_desk import Input
from tests.gateway.callers import Callers
from tests.gateway.city import TestCity, registry
from tests.gateway.web.corpus import CORPUS
from tests.gateway.web.people import enrolled
from tests.gateway.web.test_closed import ELSEWHERE, HTML, assert_closed, pages_of


@pytest.fixture
async def callers(town: TestCity) -> Callers:
    await town.party()
    return Callers(town)


async def test_a_stranger_and_a_citizen_are_led_to_the_counters_own_door(callers: Callers) -> None:
    citizen = await callers.citizen(await enrolled(callers.town))
    for path in pages_of(callers, Access.STAFF):
        for client in (callers.stranger(), citizen):
            answer = await client.get(path, headers=HTML)
            assert answer.status_code == 303, path
            assert urlsplit(answer.headers["location"]).path == "/counter/sign-in"
            assert answer.content == b""


async def test_a_clerk_is_a_stranger_at_citizens_pages(callers: Callers) -> None:
    clerk = await callers.clerk()
    for path in pages_of(callers, Access.CITIZEN):
        answer = await clerk.get(path, headers=HTML)
        assert urlsplit(answer.headers["location"]).path == "/app/sign-in", path


async def test_every_page_of_staff_is_closed(callers: Callers) -> None:
    clerk = await callers.clerk()
    for path in pages_of(callers, Access.STAFF):
        answer = await clerk.get(path, params={"scenario": "rent"}, headers=HTML)
        assert answer.status_code == 200, path
        assert_closed(answer)


@pytest.mark.parametrize("text", CORPUS)
async def test_names_and_numbers_are_text_whatever_they_say(callers: Callers, text: str) -> None:
    town = callers.town
    await callers.clerk()
    await town.owner.execute("UPDATE counter_staff SET name = left($1, 40)", text)
    await town.owner.execute("UPDATE party SET name = $1", text)
    await town.owner.execute(
        "INSERT INTO desk (number, party, kind, place) SELECT '123456', num, 'counter', $1"
        " FROM party",
        text,
    )
    await town.owner.execute(
        "INSERT INTO counter_question (id, party, staff, key, scenario, reference)"
        " SELECT uuidv7(), party, id, 'k', 'rent', $1 FROM counter_staff",
        text,
    )
    await town.city.parties.refresh(force=True)
    clerk = await callers.clerk()
    shown = 0
    for path in pages_of(callers, Access.STAFF):
        answer = await clerk.get(path, params={"scenario": text, "before": text}, headers=HTML)
        assert answer.status_code in (200, 404), path
        assert_closed(answer)
        shown += answer.status_code == 200
    assert shown >= 3


@pytest.mark.parametrize("address", [*ELSEWHERE, "/app/", "/counter/sign-in", "/counter//x"])
def test_signing_in_leads_to_the_counters_own_pages_only(address: str) -> None:
    if address != "/counter/":
        assert where_to(address) == "/counter/"


@pytest.mark.parametrize("address", ["/counter", "/counter/", "/counter/today?before=1"])
def test_the_counters_pages_are_places_to_come_back_to(address: str) -> None:
    assert where_to(address) == address


def test_money_is_asked_for_in_yuan_and_no_label_says_fen() -> None:
    for name in registry():
        for fact in registry()[name].manifest.facts:
            field = FactField(
                name=fact.name,
                unit=fact.unit.value,
                zh=fact.zh,
                en=fact.en,
                min=None,
                max=None,
                max_length=None,
                optional=False,
                value=None,
            )
            if fact.unit.value in {"fen", "fen_per_day"}:
                label = Input(field, "money", "")
                assert "分" not in label.zh, fact.name
                assert "fen" not in label.en.split(), fact.name
