"""A shop's or device's code: seen by the camera or typed, who stands there, and the request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page, expect

from gateway.jwk import unb64url
from gateway.local.upfile import UpDesk
from tests.browser.phone import SIZE, Phone, assert_accessible
from tests.browser.pictures import Picture, of_code, write_video
from tests.browser.site import Site
from tests.browser.till import seeing

Phones = Callable[..., Phone]


@pytest.fixture
def bike(site: Site) -> UpDesk:
    """A bicycle that stands alone."""
    return next(one for one in site.up.desks if one.number == "200202")


@contextmanager
def camera(browser: Browser, site: Site, folder: Path, seen: Picture) -> Iterator[Phone]:
    """A phone whose camera sees a picture."""
    video = folder / "camera.y4m"
    write_video(video, seen)
    with seeing(browser, site, video, viewport=SIZE) as mine:
        yield mine


def start(page: Page) -> None:
    page.goto("/app/scan")
    page.get_by_role("button", name="打开相机").click()


def test_the_camera_finds_the_code_and_the_citizen_decides(
    browser: Browser, site: Site, tmp_path: Path, bike: UpDesk
) -> None:
    with camera(browser, site, tmp_path, of_code(bike.link or "")) as mine:
        mine.sign_in(site.stranger())
        page = mine.page
        start(page)
        page.wait_for_url(bike.link or "")
        main = page.locator("main")
        for words in (bike.place, "示例单车租赁公司", "示例承诺：免押金租车", "信易租", "200202"):
            expect(main).to_contain_text(words)
        assert_accessible(page)
        page.get_by_role("button", name="继续看说明").click()
        page.wait_for_url("**/app/consent/*")
        expect(main).to_contain_text("示例单车租赁公司")
        assert_accessible(page)


def test_another_code_leads_nowhere(browser: Browser, site: Site, tmp_path: Path) -> None:
    foreign = of_code("https://evil.example/app/desk/" + "A" * 26)
    with camera(browser, site, tmp_path, foreign) as mine:
        mine.sign_in("lin")
        page = mine.page
        start(page)
        expect(page.locator("#state")).to_have_text("这不是商户或设备的信用码。")
        # At the end nothing lies half below the bar of tabs, which axe would take for covered.
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        assert_accessible(page)
        page.get_by_role("button", name="关闭相机").click()
        expect(page.locator("#view")).to_be_hidden()
        expect(page.get_by_role("button", name="打开相机")).to_be_focused()
        assert page.evaluate("document.getElementById('video').srcObject") is None


def test_the_camera_ends_after_a_minute_and_with_the_page(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    wall = Picture([bytes([150]) * 640] * 480)
    with camera(browser, site, tmp_path, wall) as mine:
        mine.sign_in("lin")
        page = mine.page
        page.clock.install()
        start(page)
        expect(page.locator("#state")).to_have_text("正在找码，请把码放到画面中间。")
        tracks = "document.getElementById('video').srcObject?.active ?? false"
        assert page.evaluate(tracks)
        for _ in range(80):
            page.clock.run_for(1_000)
            page.wait_for_timeout(20)
        expect(page.locator("#state")).to_contain_text("一分钟没有找到码")
        assert not page.evaluate(tracks)
        page.get_by_role("button", name="打开相机").click()
        expect(page.locator("#view")).to_be_visible()
        page.evaluate(
            "Object.defineProperty(document, 'hidden', { value: true, configurable: true });"
            "document.dispatchEvent(new Event('visibilitychange'))"
        )
        expect(page.locator("#view")).to_be_hidden()


def test_without_a_camera_a_number_is_typed(phone: Phones, site: Site, bike: UpDesk) -> None:
    mine = phone(site.stranger())
    page = mine.page
    start(page)
    expect(page.locator("#state")).to_contain_text("输入编号")
    number = page.get_by_label("码旁边的六位数字")
    mine.will_be_refused(404)
    number.fill("999999")
    page.get_by_role("button", name="看看是谁").click()
    expect(page.get_by_role("alert")).to_have_text("没有这个编号，请核对码旁边的六位数字。")
    number.fill(bike.number)
    page.get_by_role("button", name="看看是谁").click()
    page.wait_for_url(bike.link or "")


def test_a_device_learns_of_the_grant_and_that_it_is_the_one(
    phone: Phones, site: Site, bike: UpDesk
) -> None:
    page = phone(site.stranger()).page
    page.goto(bike.link or "")
    page.get_by_role("button", name="继续看说明").dblclick()
    page.wait_for_url("**/app/consent/*")
    # A link is the request's id and a keyed hash of it.
    request = UUID(bytes=unb64url(page.url.rpartition("/")[2])[:16])
    with site.party("example-bikes") as party:
        state = party.get(f"/v1/consent-requests/{request}").json()
        assert (state["status"], state["desk"]) == ("pending", bike.number)
        page.get_by_role("button", name="同意", exact=True).click()
        page.wait_for_url(lambda url: "/app/consent/" not in url)
        state = party.get(f"/v1/consent-requests/{request}").json()
    assert (state["status"], state["desk"]) == ("granted", bike.number)
    assert state["subject"]


def test_a_counter_takes_codes_and_has_none(phone: Phones) -> None:
    page = phone("lin").page
    page.goto("/app/scan")
    page.get_by_label("码旁边的六位数字").fill("100101")
    page.get_by_role("button", name="看看是谁").click()
    expect(page.locator("main")).to_contain_text("这是一个柜台")
    assert_accessible(page)
    page.get_by_role("link", name="读八位数字").click()
    page.wait_for_url("**/app/code?desk=100101")


def test_a_printed_code_leads_a_stranger_through_signing_in_and_back(
    phone: Phones, site: Site, bike: UpDesk
) -> None:
    page = phone().page
    page.goto(bike.link or "")
    page.wait_for_url("**/app/sign-in?return_to=**")
    page.get_by_role("link", name="登录").click()
    page.locator("input[name=login]").fill(site.stranger())
    page.locator("button").first.click()
    page.wait_for_url(bike.link or "")


def test_a_code_that_is_not_ours_says_so(phone: Phones) -> None:
    mine = phone("lin")
    mine.will_be_refused(404)
    for token in ("A" * 26, "x", "A" * 300):
        mine.page.goto(f"/app/desk/{token}")
        expect(mine.page.locator("main")).to_contain_text("这里没有内容")
