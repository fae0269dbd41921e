"""信用码 on a phone: shown, read from its picture, renewed, hidden, and what follows a scan."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.phone import LOOKS, REFLOW, Phone, assert_accessible
from tests.browser.pictures import of_png
from tests.browser.site import Site
from tests.outside import Outside

Phones = Callable[..., Phone]
CODES = "**/v1/me/credit-code"


def shown(page: Page) -> str:
    """What the picture on the screen says."""
    expect(page.locator("#qr img")).to_be_visible()
    page.wait_for_function("document.querySelector('#qr img').complete")
    text = of_png(page.locator("#qr").screenshot()).read()
    assert text is not None
    return text


def seconds_left(page: Page) -> int:
    """What the countdown says."""
    expect(page.locator("#left")).to_contain_text("秒后自动更新")
    return int(page.locator("#left").inner_text().split()[0])


def redeemed(
    site: Outside, code: str, client: str = "example-bikes", **more: Any
) -> httpx.Response:
    with site.party(client) as party:
        sent = {"code": code, "scenario": "rent"} | more
        return party.post("/v1/credit-codes/redeem", json=sent)


def hide(page: Page, hidden: bool) -> None:
    """As when another app comes to the front, or ours comes back."""
    page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', { value: hidden,"
        " configurable: true }); document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_code_is_read_from_the_screen_and_redeemed_once(
    phone: Phones, site: Site, scheme: str
) -> None:
    page = phone("lin", color_scheme=scheme, device_scale_factor=1).page
    page.goto("/app/code")
    expect(page.locator("#qr img")).to_be_visible()
    assert_accessible(page)
    picture = of_png(page.locator("#qr").screenshot())
    code = picture.read()
    assert code is not None
    seen = [picture.inverted(), picture.turned(), picture.turned().turned().turned().inverted()]
    assert [each.read() for each in seen] == [code] * 3
    assert of_png(page.screenshot()).read() == code, "the whole screen, as a counter sees it"
    # White around it in either scheme, a third of the screen's height at least.
    edges = [*picture.rows[6][20:-20], *(row[6] for row in picture.rows[20:-20])]
    assert min(edges) >= 250
    assert picture.height >= 844 / 3
    told = redeemed(site, code)
    assert told.status_code == 200
    lin = next(one for one in site.up.personas if one.login == "lin")
    assert told.json() == {"subject": lin.subjects["example-bikes"]}
    assert redeemed(site, code).status_code == 404


def test_it_renews_itself_and_the_last_one_still_works(phone: Phones, site: Site) -> None:
    page = phone("lin", device_scale_factor=1).page
    page.clock.install()
    page.goto("/app/code")
    first = shown(page)
    before = seconds_left(page)
    assert 25 < before <= 40
    page.clock.run_for(5_000)
    assert before - 10 < seconds_left(page) <= before - 5
    # Seconds are for eyes alone, and the next code is no news either.
    expect(page.locator("#left")).to_have_attribute("aria-hidden", "true")
    expect(page.locator("#state")).to_be_empty()
    with page.expect_response(CODES):
        page.clock.run_for(36_000)
    page.wait_for_timeout(100)
    second = shown(page)
    assert second != first
    expect(page.locator("#state")).to_be_empty()
    assert redeemed(site, first).status_code == 200, "who was just scanning it is not too late"
    with page.expect_response(CODES):
        page.clock.run_for(41_000)
    expect(page.locator("#state")).to_have_text("刚刚在 示例单车租赁 使用。")


def test_a_code_that_is_used_is_told_at_once_and_a_new_one_shown(phone: Phones, site: Site) -> None:
    page = phone("lin", device_scale_factor=1).page
    with page.expect_request("**/v1/me/lookups/stream"):
        page.goto("/app/code")
    first = shown(page)
    page.wait_for_timeout(3_000)
    site.ask("example-bikes", "rent", redeemed(site, first).json()["subject"])
    # Long before the code renews itself.
    expect(page.locator("#state")).to_have_text("刚刚在 示例单车租赁 使用。", timeout=6_000)
    page.wait_for_timeout(100)
    assert shown(page) != first


def used_ago(page: Page, seconds: int) -> None:
    """As if a code of this session had been used so long ago, by the gateway's clock."""

    def answered(route: Route) -> None:
        answer = route.fetch()
        told = answer.json()
        now = datetime.fromisoformat(told["expires_at"]) - timedelta(seconds=told["lives_s"])
        at = (now - timedelta(seconds=seconds)).isoformat()
        told["scans"] = [{"party": "示例单车租赁", "at": at}]
        route.fulfill(response=answer, json=told)

    page.route(CODES, answered)


def test_just_now_is_said_for_a_minute_and_a_half(phone: Phones) -> None:
    page = phone("lin").page
    page.clock.install()
    used_ago(page, 80)
    page.goto("/app/code")
    state = page.locator("#state")
    expect(state).to_have_text("刚刚在 示例单车租赁 使用。")
    page.clock.run_for(12_000)
    expect(state).to_be_empty()
    used_ago(page, 91)
    with page.expect_response(CODES):
        page.goto("/app/code")
    expect(page.locator("#qr img")).to_be_visible()
    expect(state).to_be_empty()


def test_digits_that_were_used_say_so_and_none_follow_unasked(phone: Phones, site: Site) -> None:
    page = phone("lin").page
    desk = next(one.number for one in site.up.desks if one.party == "example-bikes")
    with page.expect_request("**/v1/me/lookups/stream"):
        page.goto(f"/app/code?desk={desk}")
    expect(page.locator("#left")).to_contain_text("秒后自动更新")
    page.wait_for_timeout(3_000)
    code = page.locator("#digits").inner_text().replace(" ", "")
    site.ask("example-bikes", "rent", redeemed(site, code, desk=desk).json()["subject"])
    expect(page.locator("#state")).to_contain_text("这组数字刚刚在 示例单车租赁 使用")
    expect(page.locator("#digits")).to_be_empty()
    page.wait_for_timeout(1_500)
    expect(page.locator("#left")).not_to_contain_text("秒")
    assert_accessible(page)
    page.get_by_role("link", name="再要八位数字").click()
    expect(page.locator("#left")).to_contain_text("秒后自动更新")
    expect(page.locator("#again")).to_be_hidden()


def test_nothing_is_asked_for_and_nothing_is_seen_while_the_page_is_hidden(phone: Phones) -> None:
    page = phone("lin").page
    page.clock.install()
    with page.expect_request("**/v1/me/lookups/stream"):
        page.goto("/app/code")
    expect(page.locator("#qr img")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    hide(page, hidden=True)
    expect(page.locator("#qr img")).to_have_count(0)
    page.clock.run_for(300_000)
    assert asked == []
    with page.expect_response(CODES):
        hide(page, hidden=False)
        page.clock.run_for(600)
    expect(page.locator("#qr img")).to_be_visible()


#: A headless browser has no screen to keep awake: what the page asks for is written down instead.
AWAKE = """
window.awake = [];
Object.defineProperty(navigator, "wakeLock", { value: {
  request: async (kind) => {
    awake.push(kind);
    return { release: async () => { awake.push("released"); } };
  },
} });
"""


def test_the_screen_stays_on_while_the_code_is_seen_and_no_longer(phone: Phones) -> None:
    mine = phone("lin")
    mine.context.add_init_script(AWAKE)
    page = mine.page
    page.goto("/app/code")
    expect(page.locator("#qr img")).to_be_visible()
    assert page.evaluate("awake") == ["screen"]
    hide(page, hidden=True)
    assert page.evaluate("awake") == ["screen", "released"]
    hide(page, hidden=False)
    expect(page.locator("#qr img")).to_be_visible()
    assert page.evaluate("awake") == ["screen", "released", "screen"]


def test_without_a_connection_it_says_so_and_comes_back_by_itself(phone: Phones) -> None:
    mine = phone("lin")
    page = mine.page
    page.clock.install()
    page.goto("/app/code")
    expect(page.locator("#qr img")).to_be_visible()
    mine.will_be_offline()
    mine.context.set_offline(True)
    expect(page.locator("#state")).to_contain_text("网络不通")
    page.clock.run_for(62_000)
    expect(page.locator("#qr img")).to_have_count(0)
    assert_accessible(page)
    mine.context.set_offline(False)
    page.wait_for_function("navigator.onLine")
    page.clock.run_for(1_000)
    expect(page.locator("#qr img")).to_be_visible()
    expect(page.locator("#state")).to_be_empty()


def test_digits_are_for_one_counter(phone: Phones, site: Site) -> None:
    mine = phone("lin")
    page = mine.page
    desk = next(one.number for one in site.up.desks if one.party == "example-bikes")
    page.goto("/app/code")
    page.locator("summary").click()
    page.get_by_label("柜台编号").fill(desk)
    page.get_by_role("button", name="换成八位数字").click()
    page.wait_for_url(f"**/app/code?desk={desk}")
    digits = page.locator("#digits")
    expect(page.locator("#left")).to_contain_text("秒后自动更新")
    assert_accessible(page)
    code = digits.inner_text().replace(" ", "")
    assert (len(code), code.isdigit()) == (8, True)
    assert redeemed(site, code, desk="100202").status_code == 404
    assert redeemed(site, code, desk=desk).json().keys() == {"subject"}
    page.go_back()
    expect(page.locator("#qr img")).to_be_visible()
    mine.will_be_refused(404)
    page.goto("/app/code?desk=999999")
    expect(page.locator("#state")).to_contain_text("没有这个编号的柜台")
    page.goto("/app/code?desk=<script>")
    expect(page.locator("#qr img")).to_be_visible()


def test_who_has_not_consented_is_asked_on_the_same_screen_at_once(
    phone: Phones, site: Site
) -> None:
    page = phone(site.stranger(), device_scale_factor=1).page
    page.goto("/app/code")
    code = shown(page)
    asked = redeemed(site, code, "example-cameras").json()["consent_request"]
    # Long before the code renews itself.
    expect(page).to_have_url(asked["link"], timeout=5_000)
    expect(page.locator("main")).to_contain_text("示例影像器材租赁公司")
    page.go_back()
    waits = page.get_by_role("link", name="有机构在等您决定，点开看看")
    expect(waits).to_have_attribute("href", asked["link"].removeprefix(site.base_url))
    expect(page.locator("#qr img")).to_be_visible()
    page.wait_for_timeout(1_500)
    # It asks once and does not insist.
    expect(page).to_have_url(f"{site.base_url}/app/code")


def test_a_session_that_ends_leads_to_signing_in_and_back(phone: Phones) -> None:
    mine = phone("lin")
    page = mine.page
    page.clock.install()
    page.goto("/app/code")
    expect(page.locator("#qr img")).to_be_visible()
    mine.will_be_refused(401)
    mine.context.clear_cookies()
    page.clock.run_for(41_000)
    page.wait_for_url("**/app/sign-in?return_to=%2Fapp%2Fcode")


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_small_and_enlarged_pages_stay_accessible(
    phone: Phones, site: Site, scheme: str, language: str
) -> None:
    desks = {one.kind: one for one in site.up.desks if one.party == "example-bikes"}
    counter, device = desks["counter"].number, (desks["device"].link or "").rpartition("/")[2]
    mine = phone("lin", viewport=REFLOW, color_scheme=scheme)
    for path in (
        "/app/code?",
        f"/app/code?desk={counter}&",
        "/app/scan?",
        f"/app/desk/{device}?",
    ):
        shown_page = mine.page.goto(f"{path}lang={language}")
        assert shown_page is not None
        assert shown_page.ok
        assert_accessible(mine.page)
