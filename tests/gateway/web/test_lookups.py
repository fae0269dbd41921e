"""Who asked about me, as a page: every kind of line in words, and nothing in them is markup."""

from __future__ import annotations

import html
import re
from uuid import UUID

import httpx
import pytest

from gateway.store.lookup import KINDS
from gateway.web.catalogue import catalogue, language_of, text
from gateway.web.lookups import PATH, SHOWN
from tests.gateway.callers import Callers
from tests.gateway.city import TestCity
from tests.gateway.searching import search
from tests.gateway.web.corpus import CORPUS
from tests.gateway.web.people import enrolled
from tests.gateway.web.test_closed import HTML, assert_closed


async def reader(callers: Callers, citizen: UUID) -> httpx.AsyncClient:
    me = await callers.citizen(citizen)
    me.headers.update(HTML)
    return me


async def act(town: TestCity, citizen: UUID, staff: str, purpose: str, action: str) -> None:
    await town.owner.execute(
        "INSERT INTO staff_access (id, staff, purpose, action, citizen)"
        " VALUES (uuidv7(), $2, $3, $4, $1)",
        *(citizen, staff, purpose, action),
    )


async def test_nobody_reads_anothers_answer_as_a_page(callers: Callers) -> None:
    town = callers.town
    answer = await town.ask(await town.ready())
    other = await reader(callers, await enrolled(town))
    found = await other.get(f"{PATH}/{answer.decision}")
    assert found.status_code == 404
    assert_closed(found)


async def test_every_kind_of_line_is_told_in_words(callers: Callers) -> None:
    town = callers.town
    await town.party("mall", scenarios=("rent", "library"), entity="mall-house")
    citizen = await enrolled(town)
    await town.consent(citizen)
    asked = await town.ask(citizen, staff="desk-1", reference="c/7")
    await search(town, citizen, town.principal("mall"))
    await act(town, citizen, "李", "复核", "facts.import")
    await act(town, citizen, "王", "咨询", "phone.read")
    await town.owner.execute("INSERT INTO decision_undelivered VALUES ($1)", asked.decision)
    me = await reader(callers, citizen)
    told = (await me.get(PATH)).text
    for words in ("工作人员 李", "目的：复核", "录入或更新了您的信用信息", "操作：phone.read"):
        assert words in told
    for words in ("bike-shop", "desk-1", "c/7", "按普通方式办理", "可能没有送达", "信用+图书"):
        assert words in told
    english = (await me.get(PATH, params={"lang": "en"})).text
    for words in ("Staff: 李", "The ordinary way", "may not have reached", "Act: phone.read"):
        assert words in english


async def test_one_answer_says_why_and_what_became_of_what_was_sent(callers: Callers) -> None:
    town = callers.town
    citizen = await enrolled(town)
    consent = await town.consent(citizen)
    answer = await town.ask(citizen)
    me = await reader(callers, citizen)
    told = (await me.get(f"{PATH}/{answer.decision}")).text
    for words in ("没有满足的条件", "满足的条件", "¥", answer.receipt.hex(), f"/{consent}"):
        assert words in told
    await town.owner.execute("UPDATE citizen SET wrapped_key = NULL WHERE id = $1", citizen)
    assert "已经删除" in (await me.get(f"{PATH}/{answer.decision}")).text


async def test_a_page_holds_so_many_and_a_filter_says_where_it_ends(callers: Callers) -> None:
    town = callers.town
    citizen = await enrolled(town)
    for _ in range(SHOWN + 1):
        await town.ask(citizen)
    me = await reader(callers, citizen)
    first = (await me.get(PATH, params={"kind": "question", "from": "", "party": " "})).text
    assert first.count('<li class="card" id="l-') == SHOWN
    (older,) = re.findall(r'href="(\?kind=question&amp;cursor=[^"]+)"', first)
    second = (await me.get(PATH + html.unescape(older))).text
    assert second.count('<li class="card" id="l-') == 1
    assert "data-live=" not in second, "what is old does not change"


async def assisted(town: TestCity, citizen: UUID, act: str, purpose: str) -> None:
    """An act at a counter, with only those columns that its kind has."""
    printed = None if act == "found" else act
    names = act not in ("enrolment", "found")
    words = act in ("score_authorisation", "consent", "commitment")
    await town.owner.execute(
        "INSERT INTO assisted_act (id, citizen, party, staff, staff_name, place, scenario, purpose,"
        " act, target_version, text_sha256, document, receipt_no, receipt_sha256)"
        " SELECT uuidv7(), $1, num, gen_random_uuid(), '周', '三号窗口', 'rent', $3, $2, $4,"
        " CASE WHEN $5 THEN sha256('t') END, 'id_card', $6::text,"
        " sha256(convert_to($6::text, 'UTF8')) FROM party",
        *(citizen, act, purpose, 1 if names else None, words, printed),
    )


async def test_every_act_at_a_counter_is_told_in_words(callers: Callers) -> None:
    town = callers.town
    citizen = await enrolled(town)
    allowed = await town.owner.fetchval(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = 'assisted_act'::regclass AND conname = 'assisted_act_act_check'"
    )
    acts = re.findall(r"'(\w+)'::text", allowed)
    assert len(acts) >= 8
    for act in acts:
        purpose = {"found": "returning", "consent_withdrawal": "withdrawal"}.get(act, "deposit")
        await assisted(town, citizen, act, purpose)
    me = await reader(callers, citizen)
    for language, wanted in (("zh", ("柜台代办", "周", "三号窗口")), ("en", ("came again",))):
        told = (await me.get(PATH, params={"lang": language})).text
        assert all(words in told for words in wanted)
        for act in acts:
            assert text(language_of(language), f"lookups.assisted_{act}") in told
    assert (await me.get(PATH, params={"kind": "assisted"})).text.count("三号窗口") == len(acts)


def test_every_kind_has_a_name() -> None:
    assert [kind for kind in KINDS if f"lookups.kind_{kind}" not in catalogue()] == []


@pytest.mark.parametrize("called", CORPUS)
async def test_what_staff_and_parties_are_called_is_text(callers: Callers, called: str) -> None:
    town = callers.town
    citizen = await enrolled(town)
    await town.ask(citizen)
    await town.owner.execute("UPDATE party SET name = $1", called)
    await act(town, citizen, called, called, called)
    me = await reader(callers, citizen)
    decision = await town.owner.fetchval("SELECT id FROM decision")
    for path in (PATH, f"{PATH}/{decision}", "/app/"):
        answer = await me.get(path)
        assert answer.status_code == 200
        assert_closed(answer)
        assert "alert(1)</script>" not in answer.text
        assert f"{7 * 7}</b>" not in answer.text


@pytest.mark.parametrize("said", CORPUS)
async def test_a_choice_in_the_address_is_text(callers: Callers, said: str) -> None:
    me = await reader(callers, await enrolled(callers.town))
    shown = await me.get(PATH, params={"party": said})
    assert shown.status_code == 200
    assert_closed(shown)
    for query in ({"scenario": said}, {"kind": said}, {"from": said}, {"cursor": said}):
        answer = await me.get(PATH, params=query)
        assert answer.status_code in (200, 400), query
        assert_closed(answer)
