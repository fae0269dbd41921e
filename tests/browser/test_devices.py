"""Devices: named, stopped from any browser, with what that voids said beforehand."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from gateway.clock import SHANGHAI
from tests.browser.phone import LOOKS, REFLOW, Phone, assert_accessible
from tests.browser.site import Site
from tests.browser.test_commitments import RENT, api, keys_of, opened, signed

Phones = Callable[..., Phone]


def with_promise(page: Page, name: str = "这台") -> None:
    opened(page)
    signed(page, name=name)


def test_each_device_is_named_and_this_one_is_marked(phone: Phones, site: Site) -> None:
    login = site.stranger()
    one, other = phone(login).page, phone(login).page
    with_promise(one, "手机")
    opened(other, "/app/commitments/new?scenario=library")
    signed(other, name="平板")
    one.goto("/app/devices")
    expect(one.locator(".this:not([hidden])")).to_have_count(1)
    mine = one.locator("section", has=one.locator(".this:not([hidden])"))
    expect(mine.get_by_role("heading").first).to_have_text("手机")
    other.goto("/app/devices")
    theirs = other.locator("section", has=other.locator(".this:not([hidden])"))
    expect(theirs.get_by_role("heading").first).to_have_text("平板")
    assert_accessible(one)
    one.get_by_role("button", name="改名 手机").click()
    dialog = one.get_by_role("dialog")
    dialog.get_by_label("设备名称").fill("<b>我的</b>&手机")
    assert_accessible(one)
    dialog.get_by_role("button", name="保存").click()
    expect(one.get_by_role("heading", name="<b>我的</b>&手机")).to_be_visible()


def test_a_lost_device_is_stopped_from_any_browser_and_says_what_is_void(
    phone: Phones, site: Site
) -> None:
    login = site.stranger()
    lost, any_browser = phone(login).page, phone(login).page
    with_promise(lost, "丢了的")
    any_browser.goto("/app/devices")
    expect(any_browser.locator("main")).to_contain_text("用任何一台手机或电脑登录")
    expect(any_browser.locator("main")).to_contain_text("手边没有任何设备")
    any_browser.get_by_role("link", name="停用这台设备 丢了的").click()
    expect(any_browser.locator("#promises")).to_contain_text("不变")
    any_browser.get_by_label("今天丢的").check()
    expect(any_browser.locator("[data-voids]")).to_be_visible()
    expect(any_browser.locator("[data-stays]")).to_be_hidden()
    assert_accessible(any_browser)
    any_browser.get_by_role("button", name="停用", exact=True).click()
    any_browser.wait_for_url("**/app/devices")
    expect(any_browser.locator("[aria-labelledby=stopped]")).to_contain_text("丢了的")
    assert_accessible(any_browser)
    (made,) = api(any_browser, "/v1/me/commitments")["commitments"]
    assert made["status"] == "void"
    lost.goto("/app/commitments")
    expect(lost.locator("main")).to_contain_text("已作废")
    # The device itself forgets a key that can sign nothing any more.
    lost.goto("/app/devices")
    expect(lost.locator(".this:not([hidden])")).to_have_count(0)
    lost.wait_for_function("document.documentElement.dataset.ready")
    for _ in range(50):
        if not keys_of(lost):
            break
        lost.wait_for_timeout(50)
    assert keys_of(lost) == []


def test_an_instant_is_one_of_hangzhou_and_lies_in_the_past(phone: Phones, site: Site) -> None:
    mine = phone(site.stranger(), timezone_id="America/New_York")
    page = mine.page
    with_promise(page)
    (device,) = api(page, "/v1/me/devices")["devices"]
    page.goto(f"/app/devices/{device['id']}/stop")
    page.get_by_label("更早，或者我知道大概时间").check()
    page.get_by_role("button", name="停用", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("请填写日期和时间。")
    now = datetime.now(SHANGHAI)
    page.get_by_label("日期和时间").fill(f"{now - timedelta(hours=2):%Y-%m-%dT%H:%M}")
    expect(page.locator("[data-voids]")).to_be_visible()
    page.get_by_role("button", name="停用", exact=True).click()
    page.wait_for_url("**/app/devices")
    (device,) = api(page, "/v1/me/devices")["devices"]
    told = datetime.fromisoformat(device["compromised_since"])
    assert told == (now - timedelta(hours=2)).replace(second=0, microsecond=0)
    assert keys_of(page) == [], "stopped here, it is forgotten here"


def test_just_stopping_it_voids_nothing_and_a_theft_may_be_found_out_later(
    phone: Phones, site: Site
) -> None:
    page = phone(site.stranger()).page
    with_promise(page)
    page.goto("/app/devices")
    page.get_by_role("link", name=re.compile("停用这台设备")).click()
    expect(page.locator("[data-stays]")).to_be_visible()
    page.get_by_role("button", name="停用", exact=True).click()
    page.wait_for_url("**/app/devices")
    assert api(page, "/v1/me/commitments")["commitments"][0]["status"] == "signed"
    page.get_by_role("link", name=re.compile("后来发现")).click()
    expect(page.get_by_label("一直在我手里")).to_be_disabled()
    expect(page.locator("[data-voids]")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="停用", exact=True).click()
    page.wait_for_url("**/app/devices")
    assert api(page, "/v1/me/commitments")["commitments"][0]["status"] == "void"


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_small_and_enlarged_pages_stay_accessible(
    phone: Phones, site: Site, scheme: str, language: str
) -> None:
    login = site.stranger()
    with_promise(phone(login).page)
    page = phone(login, viewport=REFLOW, color_scheme=scheme).page
    page.goto(f"/app/devices?lang={language}")
    for summary in page.locator("summary").all():
        summary.click()
    assert_accessible(page)
    (device,) = api(page, "/v1/me/devices")["devices"]
    page.goto(f"/app/devices/{device['id']}/stop")
    page.locator("input[value=moment]").check()
    assert_accessible(page)
    page.goto(RENT)
