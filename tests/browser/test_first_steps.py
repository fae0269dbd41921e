"""Signing in, the notice, the score: what a new citizen meets first."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.phone import LEAST, LOOKS, REFLOW, Phone, assert_accessible
from tests.browser.site import Site

Phones = Callable[..., Phone]


def test_a_stranger_is_led_to_signing_in_and_back(phone: Phones, site: Site) -> None:
    mine = phone()
    mine.page.goto("/app/score")
    expect(mine.page).to_have_url(f"{site.base_url}/app/sign-in?return_to=/app/score")
    assert_accessible(mine.page)
    mine.page.get_by_role("link", name="登录").click()
    mine.page.locator("input[name=login]").fill(site.stranger())
    mine.page.locator("button").first.click()
    expect(mine.page).to_have_url(f"{site.base_url}/app/score")


def test_the_notice_comes_before_the_score_and_declining_leaves_none(
    phone: Phones, site: Site
) -> None:
    page = phone(site.stranger()).page
    expect(page).to_have_url(f"{site.base_url}/app/notice")
    for words in ("处理者", "联系方式", "目的", "方式", "种类", "期限", "权利", "投诉"):
        expect(page.locator(".text")).to_contain_text(words)
    assert_accessible(page)
    page.get_by_role("link", name="不同意").click()
    expect(page).to_have_url(f"{site.base_url}/app/")
    expect(page.locator(".score")).to_have_count(0)
    page.goto("/app/score")
    expect(page.locator("main")).to_contain_text("没有授权，就不计算")
    assert_accessible(page)


def test_agreeing_shows_figure_band_dimensions_factors_and_help(phone: Phones, site: Site) -> None:
    mine = phone(site.stranger())
    mine.authorise()
    mine.page.locator("a.figure").click()
    page = mine.page
    expect(page.locator(".score strong")).to_have_text("560")
    expect(page.locator(".band")).to_have_text("信用一般")
    expect(page.locator(".bars li")).to_have_count(5)
    expect(page.locator("main")).to_contain_text("分数低不会失去任何东西")
    points = [int(b.inner_text()) for b in page.locator("[aria-labelledby=factors] b").all()]
    assert sum(points) == 560
    assert page.locator("[aria-labelledby=helps] li").count() > 3
    assert_accessible(page)


def test_what_i_leave_out_is_kept_and_the_word_can_be_taken_back(phone: Phones, site: Site) -> None:
    mine = phone(site.stranger())
    mine.authorise()
    page = mine.page
    page.goto("/app/score")
    page.get_by_label("志愿服务").check()
    with page.expect_navigation():
        page.get_by_role("button", name="保存").click()
    expect(page.get_by_label("志愿服务")).to_be_checked()
    expect(page.get_by_label("捐赠")).not_to_be_checked()
    page.get_by_role("button", name="撤回授权").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("分数马上不再使用并删除")
    assert_accessible(page)
    dialog.get_by_role("button", name="撤回", exact=True).click()
    expect(page).to_have_url(f"{site.base_url}/app/")
    expect(page.locator(".score")).to_have_count(0)


def test_reading_the_notice_again_declines_nothing(phone: Phones, site: Site) -> None:
    """Who has agreed may go back, save, or take the word back in two steps."""
    mine = phone(site.stranger())
    mine.authorise()
    page = mine.page
    page.goto("/app/notice?again=1&then=/app/score")
    expect(page.get_by_role("link", name="不同意")).to_have_count(0)
    expect(page.locator("main")).not_to_contain_text("不同意就不会计算分数")
    expect(page.locator("main")).not_to_contain_text("不同意不会留下分数")
    assert_accessible(page)
    page.get_by_label("捐赠").check()
    page.get_by_role("button", name="保存").click()
    expect(page).to_have_url(f"{site.base_url}/app/score")
    expect(page.get_by_label("捐赠")).to_be_checked()
    page.get_by_role("link", name="再读一遍告知").click()
    page.get_by_role("link", name="返回").click()
    expect(page.locator(".score")).to_have_count(1)
    page.go_back()
    page.get_by_role("button", name="撤回授权").click()
    page.get_by_role("dialog").get_by_role("button", name="撤回", exact=True).click()
    expect(page).to_have_url(f"{site.base_url}/app/")
    expect(page.locator(".score")).to_have_count(0)


def test_a_language_stays_when_the_notice_leads_on(phone: Phones) -> None:
    page = phone("lin").page
    page.goto("/app/notice?lang=en")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator(".band")).to_have_text("Very good")


def test_the_tabs_stay_on_one_line(phone: Phones) -> None:
    page = phone("lin", viewport=LEAST).page
    for path in ("/app/", "/app/scenarios", "/app/code", "/app/lookups", "/app/data"):
        page.goto(f"{path}?lang=en")
        tabs = page.locator(".tabs span").all()
        # Each label is one line high: no more than one and a half of its line's height.
        high = [
            each.evaluate("e => e.offsetHeight / parseFloat(getComputedStyle(e).lineHeight)")
            for each in tabs
        ]
        assert max(high) < 1.5, (path, high)


def test_a_seeded_persona_sees_sources_and_dates(phone: Phones) -> None:
    page = phone("lin").page
    page.goto("/app/score")
    expect(page.locator(".band")).to_have_text("信用优秀")
    expect(page.locator("[aria-labelledby=factors]")).to_contain_text("来源：")


def test_a_refused_sign_in_says_the_same_in_the_other_language(phone: Phones, site: Site) -> None:
    page = phone().page
    page.goto("/v1/login/callback?code=x&state=y")
    expect(page).to_have_url(f"{site.base_url}/app/sign-in?refused=login-refused")
    expect(page.get_by_role("alert")).to_contain_text("登录没有完成")
    assert_accessible(page)
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("alert")).to_contain_text("The sign-in was not finished")


def test_english_is_one_tap_away_and_stays(phone: Phones, site: Site) -> None:
    page = phone().page
    page.goto("/app/sign-in")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Keep your word, and life gets easier"
    )
    page.goto("/app/sign-in")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("link", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_small_and_enlarged_pages_stay_accessible(
    phone: Phones, scheme: str, language: str
) -> None:
    mine = phone("lin", viewport=REFLOW, color_scheme=scheme)
    for path in ("/app/", "/app/score", "/app/notice?again=1", "/app/sign-in"):
        mine.page.goto(f"{path}{'&' if '?' in path else '?'}lang={language}")
        assert_accessible(mine.page)


def test_a_link_that_leads_nowhere_says_so_in_words(phone: Phones) -> None:
    mine = phone("lin")
    mine.will_be_refused(404)
    mine.page.goto("/app/nowhere")
    expect(mine.page.locator("main")).to_contain_text("这里没有内容")
    assert_accessible(mine.page)
