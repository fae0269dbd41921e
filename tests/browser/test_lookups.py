"""Who asked about me: a lookup appears while the page is open, and every reason is one tap away."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.phone import LOOKS, REFLOW, Phone, assert_accessible
from tests.browser.site import Site

Phones = Callable[..., Phone]

PAGE, SHOP, SCENARIO = "/app/lookups", "example-bikes", "rent"

#: Milliseconds within which a lookup is on an open page.
SOON_MS = 3000


class Shop:
    """A party that asks about one citizen, over HTTP."""

    def __init__(self, site: Site, page: Page, number: str) -> None:
        """Have this page's citizen consent to the shop."""
        asked = site.ask_consent(SHOP, SCENARIO, "deposit_free_rental", number)
        request = f"/v1/me/consent-requests/{asked['link'].rpartition('/')[2]}"
        shown = page.request.get(request).json()
        done = page.request.post(
            shown["grant"],
            data={"text_sha256": shown["text"]["sha256"]},
            headers={"x-csrf-token": csrf(page), "idempotency-key": f'"{number}"'},
        )
        assert done.ok, done.text()
        with site.party(SHOP) as party:
            state = party.get(f"/v1/consent-requests/{asked['id']}").json()
        self._site, self._subject = site, state["subject"]

    def ask(self, **given: str) -> str:
        """Ask whether the benefit is open; the decision's id."""
        return self._site.ask(SHOP, SCENARIO, self._subject, **given)


def csrf(page: Page) -> str:
    token: str = page.request.get("/v1/me").json()["csrf_token"]
    return token


@pytest.fixture
def mine(phone: Phones, site: Site) -> Phone:
    return phone(site.stranger())


@pytest.fixture
def shop(site: Site, mine: Phone) -> Shop:
    return Shop(site, mine.page, f"n-{time.monotonic_ns()}")


def opened(page: Page, query: str = "") -> None:
    """Open the list; it listens."""
    page.goto(PAGE + query)
    expect(page.locator("[data-live-state]")).to_contain_text("正在实时更新")


def item(page: Page, decision: str) -> Any:
    return page.locator(f"#l-{decision}")


# ------------------------------------------------------------------ the list, live


def test_a_lookup_appears_while_the_page_is_open(mine: Phone, shop: Shop) -> None:
    page = mine.page
    page.goto(PAGE)
    expect(page.locator("#lookups")).to_contain_text("还没有人查询过您")
    assert_accessible(page)
    opened(page)
    page.evaluate("window.same = true")
    first = shop.ask(staff="desk-3", reference="no-7")
    expect(item(page, first)).to_be_visible(timeout=SOON_MS)
    for words in ("示例单车租赁", "信易租", "按普通方式办理", "desk-3", "no-7"):
        expect(item(page, first)).to_contain_text(words)
    expect(page.get_by_role("status")).to_have_text("刚刚新增 1 条")
    second = shop.ask()
    expect(item(page, second)).to_be_visible(timeout=SOON_MS)
    ids = [each.get_attribute("id") for each in page.locator("#lookups li").all()]
    assert ids == [f"l-{second}", f"l-{first}"]
    assert page.evaluate("window.same"), "nothing was reloaded"
    assert_accessible(page)


def test_a_readers_place_is_kept_when_something_comes_in(mine: Phone, shop: Shop) -> None:
    page, first = mine.page, shop.ask()
    opened(page)
    link = item(page, first).get_by_role("link")
    link.focus()
    second = shop.ask()
    expect(item(page, second)).to_be_visible(timeout=SOON_MS)
    expect(link).to_be_focused()


def test_two_tabs_and_the_first_page_hear_of_it(mine: Phone, shop: Shop) -> None:
    page = mine.page
    opened(page)
    tab, home = mine.context.new_page(), mine.context.new_page()
    opened(tab)
    home.goto("/app/")
    expect(home.locator("#latest")).to_contain_text("还没有人查询过您")
    home.wait_for_timeout(300)
    asked = [shop.ask() for _ in range(4)]
    for each in (page, tab):
        for decision in asked:
            expect(item(each, decision)).to_be_visible(timeout=SOON_MS)
    expect(item(home, asked[-1])).to_be_visible(timeout=SOON_MS)
    expect(home.locator("#latest li")).to_have_count(3)


def test_what_happens_while_the_network_is_lost_is_made_good(mine: Phone, shop: Shop) -> None:
    page = mine.page
    opened(page)
    mine.will_be_offline()
    mine.context.set_offline(True)
    expect(page.locator("[data-live-state]")).to_contain_text("连接中断")
    missed = [shop.ask() for _ in range(2)]
    page.wait_for_timeout(1500)
    assert page.locator("#lookups li").count() == 0
    mine.context.set_offline(False)
    for decision in missed:
        expect(item(page, decision)).to_be_visible(timeout=SOON_MS)
    expect(page.locator("#lookups li")).to_have_count(2)


def test_signing_out_in_another_tab_clears_the_page(mine: Phone, shop: Shop, site: Site) -> None:
    page = mine.page
    shop.ask()
    opened(page)
    done = page.request.post("/v1/logout", headers={"x-csrf-token": csrf(page)})
    assert done.ok
    expect(page).to_have_url(f"{site.base_url}/app/sign-in?return_to={PAGE}")


# ------------------------------------------------------------------ filter, older, download


def test_what_does_not_fit_the_filter_does_not_come_in(mine: Phone, shop: Shop) -> None:
    page, first = mine.page, shop.ask()
    page.goto(PAGE)
    page.locator("summary").click()
    assert_accessible(page)
    page.get_by_label("结果").select_option("eligible")
    page.get_by_role("button", name="查看").click()
    page.wait_for_url("**outcome=eligible**")
    expect(page.locator("#lookups")).to_contain_text("没有符合条件的记录")
    assert_accessible(page)
    shop.ask()
    page.wait_for_timeout(2500)
    assert page.locator("#lookups li").count() == 0
    page.get_by_role("link", name="不筛选，看全部").click()
    expect(item(page, first)).to_be_visible()
    for choice, count in (("?party=示例单车租赁", 2), ("?party=谁", 0), ("?kind=staff", 0)):
        page.goto(PAGE + choice)
        expect(page.locator("#lookups li")).to_have_count(count)


def test_a_choice_that_is_not_offered_is_told_in_words(mine: Phone) -> None:
    mine.will_be_refused(400)
    for query in ("?from=x", "?kind=all", "?from=2026-03-02&to=2026-03-01", "?cursor=!"):
        mine.page.goto(PAGE + query)
        expect(mine.page.locator("main")).to_contain_text("填写的内容不对")


def test_older_lookups_are_on_the_next_page(mine: Phone, shop: Shop) -> None:
    page = mine.page
    asked = [shop.ask() for _ in range(23)]
    page.goto(PAGE)
    expect(page.locator("#lookups li")).to_have_count(20)
    page.get_by_role("link", name="更早的").click()
    expect(page.locator("#lookups li")).to_have_count(3)
    expect(item(page, asked[0])).to_be_visible()
    assert_accessible(page)
    page.go_back()
    expect(item(page, asked[-1])).to_be_visible()


@pytest.mark.parametrize(("name", "form"), [("表格", "csv"), ("数据", "json")])
def test_the_file_has_what_the_list_has(
    mine: Phone, shop: Shop, tmp_path: Path, name: str, form: str
) -> None:
    page = mine.page
    asked = [shop.ask(reference="-1-1") for _ in range(3)]
    page.goto(PAGE)
    with page.expect_download() as download:
        page.get_by_role("link", name=name).click()
    file = tmp_path / download.value.suggested_filename
    assert file.suffix == f".{form}"
    download.value.save_as(file)
    text = file.read_bytes().decode("utf-8-sig")
    if form == "json":
        ids = [line["decision_id"] for line in json.loads(text)["lookups"]]
    else:
        rows = list(csv.reader(io.StringIO(text, newline="")))[1:]
        ids = [row[-1] for row in rows]
        assert all("'-1-1" in row for row in rows)
    assert ids == asked[::-1]


# ------------------------------------------------------------------ one answer


def test_every_reason_of_an_answer_is_told(mine: Phone, shop: Shop) -> None:
    page, decision = mine.page, shop.ask(staff="desk-3")
    page.goto(PAGE)
    page.get_by_role("link", name="为什么是这个结果").click()
    expect(page).to_have_url(f"{mine.site.base_url}{PAGE}/{decision}")
    told = page.request.get(f"/v1/decisions/{decision}").json()
    for clause in told["clauses"]:
        place = page.locator(
            "[aria-labelledby=met]" if clause["met"] else "[aria-labelledby=unmet]"
        )
        expect(place).to_contain_text(clause["zh"])
        if not clause["met"]:
            expect(place).to_contain_text(clause["help_zh"])
    for words in (told["receipt"], told["policy"]["revision"], decision, "desk-3", "¥"):
        expect(page.locator("main")).to_contain_text(words)
    expect(page.get_by_role("link", name="查看或撤回这份同意")).to_have_attribute(
        "href", f"/app/consents/{told['consent']['id']}"
    )
    expect(page.get_by_role("link", name="申请更正")).to_have_attribute(
        "href", re.compile(r"^/app/data/correction\?lookup=[0-9a-f-]{36}$")
    )
    assert_accessible(page)


def test_nobody_reads_anothers_answer(mine: Phone, shop: Shop, phone: Phones, site: Site) -> None:
    decision = shop.ask()
    other = phone(site.stranger())
    other.will_be_refused(404)
    other.page.goto(f"{PAGE}/{decision}")
    expect(other.page.locator("main")).to_contain_text("这里没有内容")


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_small_and_enlarged_pages_stay_accessible(
    phone: Phones, mine: Phone, shop: Shop, scheme: str, language: str
) -> None:
    decision = shop.ask(staff="desk", reference="r" * 60)
    cookies = mine.context.cookies()
    other = phone(viewport=REFLOW, color_scheme=scheme)
    other.context.add_cookies(cookies)  # type: ignore[arg-type]  # as they came
    for path in (PAGE, f"{PAGE}/{decision}", "/app/"):
        other.page.goto(f"{path}?lang={language}")
        for summary in other.page.locator("summary").all():
            summary.click()
        assert_accessible(other.page)
