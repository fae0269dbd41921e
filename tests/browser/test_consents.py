"""Consents in hand: paused, resumed and withdrawn in two taps, and what a party then hears."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.phone import Phone, assert_accessible
from tests.browser.site import Site
from tests.browser.test_consent_requests import agree, asked

Phones = Callable[..., Phone]

SHOP = "示例露营装备租赁公司"
PARTY = "example-camping"


class Taps:
    """Taps as a finger makes them, counted."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, place: Locator) -> None:
        self.made += 1
        place.tap()


def subject_of(site: Site, page: Page) -> str:
    """Let the shop ask, consent, and learn the name that the shop knows the citizen by."""
    request = asked(site, PARTY)
    page.goto(request["link"])
    agree(page).click()
    expect(page.get_by_role("status")).to_contain_text("已同意")
    with site.party(PARTY) as party:
        granted = party.get(f"/v1/consent-requests/{request['id']}").json()
    return str(granted["subject"])


def outcome(site: Site, subject: str) -> str:
    """What the shop is answered now, over HTTP."""
    with site.party(PARTY) as party:
        example: dict[str, Any] = party.get("/v1/scenarios/rent").json()["example"]
        body = {"subject": subject, "facts": example}
        answer = party.post("/v1/scenarios/rent/eligibility", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["outcome"])


def answered(page: Page) -> int:
    """How many answers the page says there were today."""
    told = re.search(r"今天回答了 (\d+) 次", page.locator("main").inner_text())
    assert told is not None
    return int(told[1])


def card(page: Page) -> Locator:
    return page.locator(".consent", has_text=SHOP)


def test_two_taps_withdraw_and_the_next_question_gets_the_ordinary_way(
    phone: Phones, site: Site
) -> None:
    page = phone("wang").page
    subject = subject_of(site, page)
    assert outcome(site, subject) == "eligible"
    page.goto("/app/")
    tap, tag = Taps(), card(page).locator(".tag")
    tap(card(page).get_by_role("button", name="撤回"))
    dialog = page.get_by_role("dialog")
    for words in ("立即生效", "应当删除您在那里的代号", "依法保存十年", "没有任何其他影响"):
        expect(dialog).to_contain_text(words)
    assert_accessible(page)
    assert outcome(site, subject) == "eligible"  # nothing has happened yet
    tap(dialog.get_by_role("button", name="现在撤回"))
    expect(tag).to_have_text("已撤回")
    assert outcome(site, subject) == "standard_path"
    assert tap.made == 2
    expect(card(page).get_by_role("button")).to_have_count(0)
    assert_accessible(page)


def test_two_taps_pause_and_two_resume(phone: Phones, site: Site) -> None:
    page = phone("wang").page
    subject = subject_of(site, page)
    page.goto("/app/")
    tap, tag = Taps(), card(page).locator(".tag")
    tap(card(page).get_by_role("button", name="暂停"))
    expect(page.get_by_role("dialog")).to_contain_text("按普通方式办理")
    assert_accessible(page)
    tap(page.get_by_role("dialog").get_by_role("button", name="现在暂停"))
    expect(tag).to_have_text("已暂停")
    assert (tap.made, outcome(site, subject)) == (2, "standard_path")
    expect(card(page).get_by_role("heading")).to_be_focused()
    tap(card(page).get_by_role("button", name="恢复"))
    tap(page.get_by_role("dialog").get_by_role("button", name="现在恢复"))
    expect(tag).to_have_text("有效")
    assert (tap.made, outcome(site, subject)) == (4, "eligible")


def test_a_dialog_that_is_left_changes_nothing(phone: Phones, site: Site) -> None:
    page = phone("wang").page
    subject = subject_of(site, page)
    page.goto("/app/")
    for leave in ("button", "Escape"):
        card(page).get_by_role("button", name="撤回").tap()
        dialog = page.get_by_role("dialog")
        if leave == "button":
            dialog.get_by_role("button", name="先不撤回").tap()
        else:
            page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
    assert outcome(site, subject) == "eligible"


def test_a_pause_may_end_by_itself(phone: Phones, site: Site) -> None:
    page = phone("wang").page
    subject_of(site, page)
    page.goto("/app/consents")
    card(page).get_by_role("button", name="暂停").click()
    page.get_by_label("暂停多久").and_(page.locator("dialog[open] select")).select_option("7 天")
    page.get_by_role("button", name="现在暂停").click()
    expect(card(page)).to_contain_text("暂停到")
    assert_accessible(page)


def test_one_consent_tells_its_history_and_how_often(phone: Phones, site: Site) -> None:
    page = phone("wang").page
    subject = subject_of(site, page)
    page.goto("/app/consents")
    card(page).get_by_role("link", name=SHOP).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("一份同意")
    before = answered(page)
    page.get_by_label("每天至多回答").select_option("每天 1 次")
    page.get_by_role("button", name="保存次数").click()
    expect(page.locator(".small", has_text="每天至多 1 次").first).to_be_visible()
    assert outcome(site, subject) == "eligible"
    assert outcome(site, subject) == "standard_path"
    page.reload()
    assert answered(page) == before + 2
    page.get_by_label("每天至多回答").select_option("不限次数")
    page.get_by_role("button", name="保存次数").click()
    expect(page.get_by_label("每天至多回答")).to_have_value("")
    page.wait_for_load_state()
    assert outcome(site, subject) == "eligible"
    assert page.get_by_role("region", name="经过").get_by_role("listitem").count() >= 3
    assert_accessible(page)


def test_a_withdrawal_in_a_second_tab_is_no_error(phone: Phones, site: Site) -> None:
    mine = phone("wang")
    subject_of(site, mine.page)
    second = mine.context.new_page()
    for tab in (mine.page, second):
        tab.goto("/app/consents")
    for tab in (mine.page, second):
        card(tab).get_by_role("button", name="撤回").click()
        tab.get_by_role("button", name="现在撤回").dblclick()
        expect(card(tab).locator(".tag")).to_have_text("已撤回")


@pytest.mark.parametrize("path", ["/app/consents/00000000-0000-0000-0000-000000000007"])
def test_anothers_consent_is_not_there(phone: Phones, path: str) -> None:
    mine = phone("wang")
    mine.will_be_refused(404)
    mine.page.goto(path)
    expect(mine.page.locator("main")).to_contain_text("这里没有内容")
