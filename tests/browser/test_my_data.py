"""My data: a copy downloaded, a correction asked for and answered, signing out, the way out."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Page, expect

from gateway.export_document import Export
from tests.browser.phone import LOOKS, REFLOW, Phone, assert_accessible
from tests.browser.site import Site
from tests.browser.test_commitments import keys_of, opened, signed
from tests.browser.test_lookups import Shop

Phones = Callable[..., Phone]

WORDS = "<b>月数</b>应该是 24 & 不是 18"
PAGES = ("/app/data", "/app/data/correction", "/app/data/correction?about=other")


def downloaded(page: Page) -> Export:
    """A copy by the button, read strictly."""
    with page.expect_download() as begun:
        page.get_by_role("link", name="下载全部数据").click()
    assert re.match(r"\Aqianjiang-\d{4}-\d\d-\d\d\.json\Z", begun.value.suggested_filename)
    return msgspec.json.decode(Path(begun.value.path()).read_bytes(), type=Export)


def office(site: Site, *words: str) -> str:
    """The office's command line, beside the running city."""
    command = [sys.executable, "-m", "gateway.cli", "corrections"]
    where = ["--owner-url", site.owner_url, "--keys", str(site.data / "secrets" / "keys.json")]
    done = subprocess.run([*command, *where, *words], capture_output=True, text=True, check=True)
    return done.stdout


def to_closing(page: Page) -> None:
    """From my data to the last question."""
    page.goto("/app/data")
    page.get_by_role("link", name="了解注销").click()
    page.get_by_role("button", name="继续注销").click()


# ------------------------------------------------------------------ a copy


def test_the_copy_holds_everything_and_the_page_stays(phone: Phones, site: Site) -> None:
    page = phone(site.known()).page
    page.goto("/app/data")
    assert_accessible(page)
    document = downloaded(page)
    expect(page).to_have_url(f"{site.base_url}/app/data")
    name = page.locator("dd").first.inner_text()
    assert document.identity.name == name
    assert document.facts
    assert document.authorisations
    assert document.score is not None
    assert document.sessions
    assert document.complete is True


def test_who_i_am_is_masked_until_i_ask(phone: Phones, site: Site) -> None:
    page = phone(site.known()).page
    page.goto("/app/data")
    number = downloaded(page).identity.id_number
    assert number is not None
    expect(page.get_by_text(number)).to_be_hidden()
    page.get_by_text("显示完整号码").click()
    expect(page.get_by_text(number)).to_be_visible()
    assert_accessible(page)


def test_too_many_copies_are_told_in_words(phone: Phones, site: Site) -> None:
    mine = phone(site.known())
    mine.page.goto("/app/data")
    for _ in range(3):
        downloaded(mine.page)
    mine.will_be_refused(429)
    mine.page.get_by_role("link", name="下载全部数据").click()
    expect(mine.page.locator("main")).to_contain_text("操作太频繁")
    assert_accessible(mine.page)


# ------------------------------------------------------------------ a correction


def test_a_correction_is_asked_for_and_answered(phone: Phones, site: Site) -> None:
    page = phone(site.known()).page
    page.goto("/app/data#correction")
    page.get_by_role("link", name="申请更正").click()
    assert_accessible(page)
    fact = page.locator(".lines a[href^='?fact=']").first
    title = fact.inner_text()
    fact.click()
    expect(page.get_by_role("heading", level=2)).to_have_text(title)
    assert_accessible(page)
    page.get_by_label("怎么不对").fill(WORDS)
    page.get_by_role("button", name="提交").click()
    expect(page).to_have_url(f"{site.base_url}/app/data#correction")
    mine = page.locator("#correction")
    expect(mine).to_contain_text(WORDS)
    expect(mine.locator(".tag")).to_have_text("处理中")
    expect(mine).to_contain_text("最迟")
    (asked,) = downloaded(page).corrections
    staff = ("--staff", "示例-王", "--purpose", "更正")
    assert WORDS in office(site, "show", str(asked.id), *staff)
    office(site, "decide", str(asked.id), "accepted", "--words", "已由部门更正", *staff)
    page.reload()
    expect(mine.locator(".tag")).to_have_text("已采纳")
    expect(mine).to_contain_text("已由部门更正")
    assert_accessible(page)
    acts = [act.action for act in downloaded(page).staff_acts]
    assert acts[-2:] == ["corrections.show", "corrections.decide"]


def test_a_sixth_must_wait_and_a_double_click_is_one(phone: Phones, site: Site) -> None:
    mine = phone(site.known())
    page = mine.page
    for number in range(5):
        page.goto("/app/data/correction?about=other")
        page.get_by_label("怎么不对").fill(f"第 {number} 项")
        page.get_by_role("button", name="提交").dblclick()
        expect(page).to_have_url(f"{site.base_url}/app/data#correction")
    expect(page.locator("#correction .rows > li")).to_have_count(5)
    mine.will_be_refused(409)
    page.goto("/app/data/correction?about=identity")
    page.get_by_label("怎么不对").fill("第六项")
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("alert")).to_contain_text("已有五项")
    expect(page.get_by_label("怎么不对")).to_have_value("第六项")


@pytest.mark.parametrize(
    "query", ["fact=9999", "fact=-1", "fact=x", "lookup=x", "lookup=" + "0" * 32]
)
def test_what_is_not_mine_cannot_be_chosen(phone: Phones, query: str) -> None:
    mine = phone("lin")
    mine.will_be_refused(404)
    mine.page.goto(f"/app/data/correction?{query}")
    expect(mine.page.locator("main")).to_contain_text("这里没有内容")


def test_offline_nothing_is_lost(phone: Phones, site: Site) -> None:
    mine = phone(site.known())
    page = mine.page
    page.goto("/app/data/correction?about=other")
    page.get_by_label("怎么不对").fill("断网时写的")
    mine.will_be_offline()
    mine.context.set_offline(True)
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("alert")).to_contain_text("网络不通")
    mine.context.set_offline(False)
    page.get_by_role("button", name="提交").click()
    expect(page.locator("#correction .rows > li")).to_have_count(1)


# ------------------------------------------------------------------ signing out


def test_signing_out_here_and_everywhere(phone: Phones, site: Site) -> None:
    login = site.stranger()
    here, there = phone(login), phone(login)
    there.page.goto("/app/data")
    here.page.goto("/app/data")
    expect(here.page.locator("[aria-labelledby=sessions] li")).to_have_count(2)
    here.page.get_by_role("button", name="退出登录").click()
    expect(here.page).to_have_url(f"{site.base_url}/app/sign-in")
    here.page.go_back()
    expect(here.page).to_have_url(re.compile("/app/sign-in"))
    there.page.reload()
    expect(there.page.locator("[aria-labelledby=sessions] li")).to_have_count(1)
    here.sign_in(login)
    there.page.get_by_role("button", name="在所有设备上退出").click()
    expect(there.page).to_have_url(f"{site.base_url}/app/sign-in")
    here.page.goto("/app/data")
    expect(here.page).to_have_url(re.compile("/app/sign-in"))


# ------------------------------------------------------------------ the way out


def test_closing_says_what_it_means_and_leaves_nothing(phone: Phones, site: Site) -> None:
    login = site.stranger()
    mine = phone(login)
    mine.authorise()
    page = mine.page
    opened(page)
    signed(page)
    assert len(keys_of(page)) == 1
    page.goto("/app/data")
    name = page.locator("dd").first.inner_text()
    page.get_by_role("link", name="了解注销").click()
    for words in ("不能撤销", "删除", "十年", "重新登录"):
        expect(page.locator("main")).to_contain_text(words)
    assert_accessible(page)
    # The first step alone closes nothing, and the second can be left.
    page.get_by_role("button", name="继续注销").click()
    dialog = page.get_by_role("dialog")
    assert_accessible(page)
    dialog.get_by_role("button", name="不注销").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="继续注销").click()
    dialog.get_by_role("button", name="确定注销").dblclick()
    expect(page).to_have_url(f"{site.base_url}/app/goodbye")
    expect(page.get_by_role("heading", level=1)).to_have_text("账户已注销")
    expect(page.get_by_role("navigation")).to_have_count(0)
    assert_accessible(page)
    assert keys_of(page) == []
    for _ in range(3):
        page.go_back()
        expect(page).to_have_url(re.compile("/app/(sign-in|goodbye)"))
        assert name not in page.content()
    # Whoever signs in again is somebody new.
    mine.sign_in(login)
    page.goto("/app/")
    expect(page.locator(".score")).to_have_count(0)
    page.goto("/app/data")
    document = downloaded(page)
    assert document.identity.name == name
    assert (document.authorisations, document.commitments, document.devices) == ((), (), ())
    assert len(document.sessions) == 1


def test_another_tab_of_the_closed_account_is_led_to_signing_in(phone: Phones, site: Site) -> None:
    mine = phone(site.stranger())
    mine.authorise()
    other = mine.context.new_page()
    other.goto("/app/score")
    to_closing(mine.page)
    mine.page.get_by_role("dialog").get_by_role("button", name="确定注销").click()
    expect(mine.page).to_have_url(f"{site.base_url}/app/goodbye")
    mine.will_be_refused(401)
    other.get_by_role("button", name="保存").click()
    expect(other).to_have_url(re.compile("/app/sign-in"))


def test_the_goodbye_is_anybodys_and_says_nothing_of_anybody(phone: Phones) -> None:
    page = phone().page
    page.goto("/app/goodbye?lang=en")
    expect(page.get_by_role("heading", level=1)).to_have_text("The account is closed")
    assert_accessible(page)


@pytest.mark.parametrize(
    ("login", "says"),
    [("shen", ["在借图书", "2 件", "应还日期"]), ("yang", ["免押金", "¥900"])],
)
def test_what_is_open_is_named_and_there_is_nothing_to_press(
    phone: Phones, login: str, says: list[str]
) -> None:
    page = phone(login).page
    page.goto("/app/data/closure")
    for words in says:
        expect(page.locator("[aria-labelledby=matters]")).to_contain_text(words)
    expect(page.get_by_role("button", name="继续注销")).to_have_count(0)
    expect(page.locator("form")).to_have_count(0)
    assert_accessible(page)


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_small_and_enlarged_pages_stay_accessible(
    phone: Phones, site: Site, scheme: str, language: str
) -> None:
    mine = phone("lin", viewport=REFLOW, color_scheme=scheme)
    for path in (*PAGES, "/app/data/closure", "/app/goodbye"):
        mine.page.goto(f"{path}{'&' if '?' in path else '?'}lang={language}")
        assert_accessible(mine.page)


def test_a_lookup_leads_to_its_own_correction(phone: Phones, site: Site) -> None:
    mine = phone(site.stranger())
    number = Shop(site, mine.page, f"wrong-{site.stranger()}").ask()
    page = mine.page
    page.goto(f"/app/lookups/{number}")
    page.locator("main a[href^='/app/data/correction']").click()
    expect(page.get_by_role("heading", level=2)).to_have_text("一次查询")
    expect(page.locator("main")).to_contain_text(number)
    assert_accessible(page)
    page.get_by_label("怎么不对").fill("我没有同意")
    page.get_by_role("button", name="提交").click()
    expect(page.locator("#correction")).to_contain_text("一次查询")
