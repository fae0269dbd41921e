"""Serving a person without a phone, as staff do: a document, three texts, a receipt, a question."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright._impl._api_structures import SetCookieParam  # exported nowhere else
from playwright.sync_api import Page, expect

from gateway.local.people import Identity, person_of_login
from tests.browser.phone import LOOKS, REFLOW, Phone, assert_accessible
from tests.browser.site import Site
from tests.browser.till import signed_in

Phones = Callable[..., Phone]
PARTY = "example-cameras"
START = "/counter/assisted"
NEW, RETURN, BACK = (f"{START}/{page}?scenario=rent" for page in ("new", "return", "back"))


@pytest.fixture(scope="module")
def session(site: Site) -> list[SetCookieParam]:
    """The party's member of staff, signed in once: each code of the second factor is good once."""
    return signed_in(site, PARTY)


@pytest.fixture
def counter(phone: Phones, session: list[SetCookieParam]) -> Callable[..., Phone]:
    """Makes browsers of the signed-in member of staff, each at a page."""

    def make(path: str = START, **context: Any) -> Phone:
        made = phone(**context)
        made.context.add_cookies(session)
        made.page.goto(path)
        return made

    return make


def somebody(site: Site) -> Identity:
    """An adult who was never here."""
    who = person_of_login(site.stranger())
    assert who is not None
    return who


def show_document(page: Page, who: Identity, *, whole: bool = True) -> None:
    page.get_by_label("公民身份号码").fill(who.id_number)
    if whole:
        page.get_by_label("姓名").fill(who.name)
        page.get_by_label("出生日期").fill(who.birthdate.isoformat())
        page.get_by_label("我已核对证件和照片").check()


def agree(page: Page, times: int = 3) -> None:
    for _ in range(times):
        page.locator("section.step:visible [data-said=yes]").click()


def record(page: Page, who: Identity) -> str:
    """Serve a person from the document to the receipt; the receipt's text."""
    show_document(page, who)
    page.get_by_role("button", name="下一步：朗读").click()
    agree(page)
    page.get_by_role("button", name="记录并打印凭证").click()
    receipt = page.locator("#receipt-text")
    expect(receipt).to_contain_text("凭证编号")
    return receipt.text_content() or ""


def test_a_stranger_is_led_to_the_counters_door(phone: Phones, site: Site) -> None:
    page = phone().page
    for path in (START, NEW, RETURN, BACK):
        page.goto(path)
        expect(page).to_have_url(re.compile(rf"{re.escape(site.base_url)}/counter/sign-in\?.+"))


def test_from_the_document_to_the_answer_and_the_person_sees_it_in_the_app(
    counter: Phones, phone: Phones, site: Site
) -> None:
    who = somebody(site)
    mine = counter()
    page = mine.page
    assert_accessible(page)
    page.get_by_role("link", name="第一次办理").first.click()
    assert_accessible(page)
    show_document(page, who)
    page.get_by_role("button", name="下一步：朗读").click()
    for nth, name in enumerate(("score", "consent", "commitment"), start=2):
        expect(page.locator(f"[data-step={name}]")).to_be_visible()
        heading = page.locator("section.step:visible h1")
        expect(heading).to_have_text(re.compile(f"^第 {nth} 步，共 6 步："))
        expect(page.locator("section.step:visible")).to_have_count(1)
        assert_accessible(page)
        page.locator("section.step:visible [data-said=yes]").click()
    expect(page.locator("[data-answer=consent]")).to_have_text("同意")
    expect(page.locator("section.step:visible h1")).to_contain_text("第 5 步，共 6 步")
    assert_accessible(page)
    page.get_by_role("button", name="记录并打印凭证").click()
    receipt = page.locator("#receipt-text")
    expect(receipt).to_contain_text("凭证编号")
    expect(page.locator("section.step:visible h1")).to_contain_text("第 6 步，共 6 步")
    assert_accessible(page)
    text = receipt.text_content() or ""
    shown = page.locator("#receipt-sha256").text_content()
    assert shown == hashlib.sha256(text.encode()).hexdigest()
    assert who.name not in text
    assert who.id_number not in page.content()
    page.get_by_role("link", name="为本人申请").click()
    expect(page).to_have_url(f"{site.base_url}/counter/?scenario=rent")
    assert page.evaluate("sessionStorage.length") == 0
    page.locator("[data-kind=money]").first.fill("300")
    page.locator("[data-kind=money]").last.fill("10")
    page.locator("#send").click()
    # Nothing is known of this person yet, so the band does not suffice.
    expect(page.locator("#verdict")).to_contain_text("普通方式")
    app = phone(who.login).page
    lines = app.evaluate("fetch('/v1/me/lookups').then((answer) => answer.json())")["lookups"]
    kinds = [line.get("act", line["kind"]) for line in lines]
    assert kinds == ["question", "commitment", "consent", "score_authorisation", "enrolment"]
    assert {line["staff"] for line in lines} == {lines[0]["staff"]}


def test_the_receipt_prints_alone(counter: Phones, site: Site) -> None:
    page = counter(NEW).page
    record(page, somebody(site))
    page.evaluate("window.print = () => { document.body.dataset.printed = 'yes'; }")
    page.get_by_role("button", name="打印").click()
    expect(page.locator("body")).to_have_attribute("data-printed", "yes")
    page.emulate_media(media="print")
    expect(page.locator("#receipt-text")).to_be_visible()
    expect(page.locator("#receipt-sha256")).to_be_visible()
    for hidden in (".top", ".tabs", ".step h1", ".choices"):
        for each in page.locator(hidden).all():
            expect(each).to_be_hidden()


def test_a_refusal_ends_at_the_ordinary_way_without_a_trace(
    counter: Phones, phone: Phones, site: Site
) -> None:
    who = somebody(site)
    page = counter(NEW).page
    show_document(page, who)
    page.get_by_role("button", name="下一步：朗读").click()
    agree(page, 1)
    page.locator("section.step:visible [data-said=no]").click()
    expect(page.locator("[data-step=ordinary]")).to_contain_text("什么都没有记录")
    assert_accessible(page)
    page = phone(who.login).page
    expect(page).to_have_url(f"{site.base_url}/app/notice")
    assert page.evaluate("fetch('/v1/me/lookups').then((answer) => answer.json())") == {
        "lookups": [],
        "next": None,
    }


def test_a_no_to_the_score_alone_is_recorded_nowhere(counter: Phones, site: Site) -> None:
    page = counter(NEW).page
    show_document(page, somebody(site))
    page.get_by_role("button", name="下一步：朗读").click()
    page.locator("section.step:visible [data-said=no]").click()
    agree(page, 2)
    expect(page.locator("[data-answer=score]")).to_have_text("不同意（不记录）")
    page.get_by_role("button", name="记录并打印凭证").click()
    expect(page.locator("#receipt-text")).to_contain_text("同意查询")
    expect(page.locator("#receipt-text")).not_to_contain_text("信用分（告知书")


def test_what_is_typed_wrong_is_told_before_anything_is_sent(counter: Phones, site: Site) -> None:
    who = somebody(site)
    mine = counter(NEW)
    sent: list[str] = []
    mine.page.on("request", lambda request: sent.append(request.method))
    page = mine.page
    show_document(page, who)
    number = page.get_by_label("公民身份号码")
    flipped = who.id_number[:16] + str((int(who.id_number[16]) + 1) % 10) + who.id_number[17]
    number.fill(flipped)
    page.get_by_role("button", name="下一步：朗读").click()
    assert "逐位核对" in number.evaluate("(input) => input.validationMessage")
    number.fill(who.id_number)
    born = page.get_by_label("出生日期")
    born.fill("1950-01-01")
    page.get_by_role("button", name="下一步：朗读").click()
    assert "不一致" in born.evaluate("(input) => input.validationMessage")
    page.get_by_label("我已核对证件和照片").uncheck()
    born.fill(who.birthdate.isoformat())
    page.get_by_role("button", name="下一步：朗读").click()
    expect(page.locator("[data-step=document]")).to_be_visible()
    assert "POST" not in sent
    assert who.id_number not in page.url


def test_back_goes_a_step_back_and_a_reload_begins_anew(counter: Phones, site: Site) -> None:
    page = counter(NEW).page
    show_document(page, somebody(site))
    page.get_by_role("button", name="下一步：朗读").click()
    agree(page, 1)
    expect(page.locator("[data-step=consent]")).to_be_visible()
    page.go_back()
    expect(page.locator("[data-step=score]")).to_be_visible()
    page.go_back()
    expect(page.locator("[data-step=document]")).to_be_visible()
    page.go_forward()
    page.reload()
    expect(page.locator("[data-step=document]")).to_be_visible()
    expect(page.get_by_label("公民身份号码")).to_have_value("")


def test_two_clicks_are_one_answer_and_one_record(counter: Phones, site: Site) -> None:
    mine = counter(NEW)
    page = mine.page
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    show_document(page, somebody(site))
    page.get_by_role("button", name="下一步：朗读").click()
    page.locator("section.step:visible [data-said=yes]").dblclick()
    expect(page.locator("[data-step=consent]")).to_be_visible()
    agree(page, 2)
    page.get_by_role("button", name="记录并打印凭证").dblclick()
    expect(page.locator("#receipt-text")).to_contain_text("凭证编号")
    assert len([url for url in sent if url.endswith("/records")]) == 1
    page.go_back()
    expect(page.locator("#receipt-text")).to_be_visible()


def test_a_returning_person_is_found_by_document_and_others_look_all_alike(
    counter: Phones, site: Site
) -> None:
    who = somebody(site)
    record(counter(NEW).page, who)
    mine = counter(RETURN)
    page = mine.page
    assert_accessible(page)
    mine.will_be_refused(404)
    show_document(page, somebody(site), whole=False)
    page.get_by_role("button", name="查找").click()
    expect(page.get_by_role("alert")).to_contain_text("没有找到有效的同意")
    assert_accessible(page)
    show_document(page, who, whole=False)
    page.get_by_role("button", name="查找").click()
    expect(page).to_have_url(f"{site.base_url}/counter/?scenario=rent")
    expect(page.locator("#found")).to_have_text("已找到这位顾客：填好金额后按“询问”。")
    expect(page.locator("#same")).to_be_hidden()
    page.reload()
    expect(page.locator("#found")).to_be_hidden()


def test_taken_back_at_the_counter_nobody_is_found_any_more(counter: Phones, site: Site) -> None:
    who = somebody(site)
    record(counter(NEW).page, who)
    mine = counter(BACK)
    page = mine.page
    assert_accessible(page)
    show_document(page, who, whole=False)
    page.get_by_role("button", name="撤回并打印凭证").click()
    expect(page.locator("#receipt-text")).to_contain_text("您撤回了以下内容")
    assert_accessible(page)
    again = counter(BACK)
    again.will_be_refused(404)
    show_document(again.page, who, whole=False)
    again.page.get_by_role("button", name="撤回并打印凭证").click()
    expect(again.page.get_by_role("alert")).to_contain_text("没有改变任何东西")
    search = counter(RETURN)
    search.will_be_refused(404)
    show_document(search.page, who, whole=False)
    search.page.get_by_role("button", name="查找").click()
    expect(search.page.get_by_role("alert")).to_contain_text("没有找到有效的同意")


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_small_and_enlarged_it_stays_accessible(
    counter: Phones, scheme: str, language: str
) -> None:
    mine = counter(viewport=REFLOW, color_scheme=scheme)
    for path in (f"{START}?", f"{NEW}&", f"{RETURN}&", f"{BACK}&"):
        mine.page.goto(f"{path}lang={language}")
        assert_accessible(mine.page)
    mine.page.goto(f"{NEW}&lang={language}")
    # Every screen of the flow, as large as it gets.
    for step in ("score", "consent", "commitment", "check", "ordinary", "receipt"):
        mine.page.evaluate(
            "(step) => { for (const each of document.querySelectorAll('[data-step]'))"
            " each.hidden = each.dataset.step !== step; }",
            step,
        )
        assert_accessible(mine.page)
