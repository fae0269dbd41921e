"""The counter: accounts, two factors, a code that is scanned or typed, and the answer, large."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from gateway.clock import SHANGHAI, SystemClock
from tests.browser.phone import LEAST, LOOKS, REFLOW, Phone, assert_accessible
from tests.browser.pictures import of_png
from tests.browser.site import ROOT, Site
from tests.browser.till import TABLET, Till, hold_to, seeing
from tests.gateway.counter.till import code_of

Phones = Callable[..., Phone]

#: An answer whose end is known.
ELIGIBLE = {
    "status": "answered",
    "outcome": "eligible",
    "obligations": [],
    "valid_until": "2026-11-22T11:47:30.000Z",
    "person": "x",
}

#: Who consented to example-bikes, promised, and is shared with no other test.
CUSTOMER = "person-40"


def code_on(page: Page, desk: str = "") -> str:
    """Eight digits that the citizen's page shows for a desk."""
    page.goto(f"/app/code?desk={desk}")
    digits = page.locator("#digits")
    expect(digits).to_have_text(re.compile(r"^\d{4}\s?\d{4}$"))
    return re.sub(r"\s", "", digits.inner_text())


# ------------------------------------------------------------------ accounts and signing in


def invite(site: Site, login: str) -> str:
    """A link, as the operator's command prints it."""
    words = ("staff", "add", "example-hotel", login, "--name", "李娜（示例）")
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli", *words],
        env={"QIANJIANG_OWNER_URL": site.owner_url, "QIANJIANG_ISSUER": site.base_url},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_an_account_is_taken_up_with_a_password_and_an_authenticator(
    phone: Phones, site: Site
) -> None:
    link = invite(site, "li.na")
    mine = phone(device_scale_factor=1)
    page = mine.page
    page.goto(link)
    expect(page.locator("#whose")).to_contain_text("李娜（示例）（示例湖畔酒店）")
    assert_accessible(page)
    new, again = page.get_by_label("新密码"), page.get_by_label("再输一次")
    mine.will_be_refused(400)
    for password, repeated, words in (
        ("password1234", "password1234", "太常见"),
        ("my li.na password", "my li.na password", "不能包含账号"),
        ("three words in a row", "three words in a raw", "两次输入的密码不一样"),
    ):
        new.fill(password)
        again.fill(repeated)
        page.get_by_role("button", name="下一步").click()
        expect(page.locator("#choose [role=alert]")).to_contain_text(words)
    again.fill("three words in a row")
    page.get_by_role("button", name="下一步").dblclick()
    expect(page.get_by_role("heading", name="二、绑定验证器")).to_be_focused()
    expect(page.locator("#qr")).to_be_visible()
    assert_accessible(page)
    secret = page.locator("#secret").inner_text().replace(" ", "")
    page.locator("#qr").scroll_into_view_if_needed()
    address = of_png(page.locator("#qr").screenshot()).read() or ""
    assert parse_qs(urlsplit(address).query)["secret"] == [secret]
    mine.will_be_refused(403)
    code = code_of(secret, SystemClock().now_us())
    page.get_by_label("六位数").fill(f"{(int(code) + 7) % 1_000_000:06}")
    page.get_by_role("button", name="完成开通并登录").click()
    expect(page.locator("#confirm [role=alert]")).to_contain_text("没有登录成功")
    page.get_by_label("六位数").fill(code_of(secret, SystemClock().now_us()))
    page.get_by_role("button", name="完成开通并登录").click()
    page.wait_for_url(f"{site.base_url}/counter/")
    expect(page.locator("main")).to_contain_text("李娜（示例）")
    used = phone()
    used.will_be_refused(404)
    used.page.goto(link)
    expect(used.page.locator("#no-link")).to_contain_text("已经用过")
    assert_accessible(used.page)


def test_signing_in_takes_both_steps_and_leads_back(phone: Phones, site: Site) -> None:
    mine = phone()
    till = Till(mine, site, "example-cameras")
    page = mine.page
    page.goto("/counter/today")
    expect(page).to_have_url(f"{site.base_url}/counter/sign-in?return_to=/counter/today")
    expect(page.locator(".note")).to_have_text("请先登录，之后会回到刚才的页面。")
    assert_accessible(page)
    mine.will_be_refused(403)
    page.get_by_label("账号").fill(till.account.login)
    page.get_by_label("密码").fill("a wrong password")
    page.get_by_role("button", name="下一步").click()
    expect(page.get_by_role("alert")).to_contain_text("没有登录成功")
    page.get_by_label("密码").fill(till.account.password)
    page.get_by_role("button", name="下一步").dblclick()
    page.wait_for_url("**/counter/second?*")
    assert_accessible(page)
    mine.will_be_refused(401)
    page.goto("/counter/today")
    expect(page).to_have_url(re.compile("/counter/sign-in"))
    till.sign_in("/counter/today")
    expect(page.get_by_role("heading", level=1)).to_have_text("今日记录")
    assert_accessible(page)
    page.get_by_role("link", name="本人与柜台").click()
    expect(page.locator("main")).to_contain_text("示例相机租赁柜台")
    assert_accessible(page)
    page.get_by_role("button", name="退出登录").click()
    page.wait_for_url("**/counter/sign-in")
    page.go_back()
    expect(page).to_have_url(re.compile("/counter/sign-in"))


# ------------------------------------------------------------------ asking


def test_a_code_is_scanned_from_the_customers_screen_and_a_withdrawal_binds(
    browser: Browser, phone: Phones, site: Site, tmp_path: Path
) -> None:
    customer = phone(CUSTOMER, device_scale_factor=1)
    customer.page.goto("/app/code")
    expect(customer.page.locator("#qr img")).to_be_visible()
    video = tmp_path / "camera.y4m"
    with seeing(browser, site, video) as tablet:
        till = Till(tablet, site, "example-bikes")
        page = till.sign_in()
        assert_accessible(page)
        till.fill()
        hold_to(video, of_png(customer.page.locator("#qr").screenshot()))
        till.scan()
        shown = page.locator("#answer")
        expect(shown.get_by_role("heading")).to_have_text("可以享受")
        expect(shown).to_contain_text("不收取押金")
        assert_accessible(page)
        assert page.evaluate("document.getElementById('video').srcObject") is None
        consents = customer.context.request.get("/v1/me/lookups").json()["lookups"]
        assert consents[0]["staff"].startswith("示例单车租赁")
        _withdraw(customer)
        page.get_by_role("button", name="同一位顾客，换个金额").click()
        expect(page.locator("#same")).to_be_visible()
        page.get_by_label("本次租借通常要交的押金").fill("100")
        page.get_by_role("button", name="询问", exact=True).click()
        expect(shown.get_by_role("heading")).to_have_text("按普通方式办理")
        assert_accessible(page)
        page.get_by_role("button", name="下一位顾客").click()
        expect(shown).to_be_hidden()
        expect(page.get_by_label("本次租借通常要交的押金")).to_have_value("")
        expect(page.get_by_label("本次租借通常要交的押金")).to_be_focused()
        page.get_by_role("link", name="今日记录").click()
        tags = page.locator(".lines .tag")
        expect(tags.first).to_have_text("按普通方式办理")
        expect(tags.nth(1)).to_have_text("可以享受")
        assert_accessible(page)


def _withdraw(customer: Phone) -> None:
    """Take the consent back; how that looks is another file's matter."""
    requests = customer.context.request
    token = requests.get("/v1/me").json()["csrf_token"]
    for consent in requests.get("/v1/me/consents").json()["consents"]:
        done = requests.post(
            f"/v1/me/consents/{consent['id']}/withdraw", headers={"x-csrf-token": token}
        )
        assert done.status == 200, done.text()


def test_eight_digits_are_typed_at_their_desk_once(phone: Phones, site: Site) -> None:
    customer = phone("yang").page
    tablet = phone(viewport=TABLET)
    till = Till(tablet, site, "example-cameras")
    page = till.sign_in()
    till.fill("100", "10")
    code = code_on(customer, "100202")
    till.page.get_by_label("或输入代码").fill(code)
    with page.expect_request("**/v1/counter/questions"):
        page.get_by_role("button", name="询问", exact=True).dblclick()
    expect(page.locator("#answer").get_by_role("heading")).to_have_text("可以享受")
    page.get_by_role("button", name="下一位顾客").click()
    till.fill("100", "10")
    tablet.will_be_refused(404)
    till.type(code)
    expect(page.locator("#fault")).to_contain_text("这个码不能用")
    expect(page.get_by_label("本次租借通常要交的押金")).to_have_value("100")


def test_what_is_missing_is_said_beside_it_before_anything_is_asked(
    phone: Phones, site: Site
) -> None:
    till = Till(phone(viewport=LEAST), site, "example-powerbanks")
    page = till.sign_in()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="询问", exact=True).click()
    expect(page.locator("#fault-deposit_fen")).to_have_text("请填写。")
    for wrong in ("0", "1.234", "-5", "1e3", "一百", "100001"):
        till.fill(wrong)
        till.type("A" * 32)
        expect(page.locator("#fault-deposit_fen")).to_have_text("填写的内容不对，或超出了范围。")
    till.fill("0.01")
    page.get_by_label("或输入代码").fill("")
    page.get_by_role("button", name="询问", exact=True).click()
    expect(page.locator("#fault")).to_contain_text("请扫描顾客的信用码")
    assert [url for url in asked if "/v1/counter/questions" in url] == []
    assert_accessible(page)


def test_who_has_not_consented_decides_on_the_own_phone_and_the_counter_waits(
    phone: Phones, site: Site
) -> None:
    customer = phone(site.stranger())
    customer.authorise()
    tablet = phone(viewport=TABLET)
    till = Till(tablet, site, "example-flats")
    page = till.sign_in()
    till.fill("3000", "100")
    till.type(code_on(customer.page, "100404"))
    shown = page.locator("#answer")
    expect(shown.get_by_role("heading")).to_have_text("请顾客确认")
    assert_accessible(page)
    requests = customer.context.request
    (waiting,) = requests.get("/v1/me/consent-requests").json()["requests"]
    token = requests.get("/v1/me").json()["csrf_token"]
    declined = requests.post(waiting["decline"], headers={"x-csrf-token": token})
    assert declined.ok, declined.text()
    expect(shown.get_by_role("heading")).to_have_text("按普通方式办理")
    expect(shown).to_contain_text("顾客没有同意询问")
    assert_accessible(page)


def test_times_are_the_citys_on_a_device_of_another_zone(phone: Phones, site: Site) -> None:
    tablet = phone(viewport=TABLET, timezone_id="America/New_York")
    till = Till(tablet, site, "example-camping")
    page = till.sign_in()
    till.fill("100", "10")
    due = page.locator("[data-kind=moment]")
    given = datetime.fromisoformat(due.get_attribute("data-start") or "").astimezone(SHANGHAI)
    expect(due).to_have_value(given.strftime("%Y-%m-%dT%H:%M"))
    expect(page.locator("label", has=page.get_by_text("（北京时间）"))).to_have_count(1)
    wanted = (given + timedelta(days=1)).replace(hour=9, minute=30)
    due.fill(wanted.strftime("%Y-%m-%dT%H:%M"))
    page.route("**/v1/counter/questions", lambda route: route.fulfill(json=ELIGIBLE))
    with page.expect_request("**/v1/counter/questions") as asked:
        till.type("A" * 32)
    facts = json.loads(asked.value.post_data or "")["facts"]
    sent = wanted.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:00.000Z")
    assert facts[due.get_attribute("data-fact")] == sent
    # 11:47:30 UTC is the evening in Hangzhou.
    expect(page.locator("[data-valid]")).to_contain_text("北京时间 19:47:30")


# ------------------------------------------------------------------ when something goes wrong


def test_a_session_that_ends_leads_to_signing_in_and_back(phone: Phones, site: Site) -> None:
    mine = phone()
    till = Till(mine, site, "example-parking")
    page = till.sign_in()
    till.fill("100", "10")
    mine.will_be_refused(401)
    mine.context.clear_cookies()
    till.type("A" * 32)
    page.wait_for_url("**/counter/sign-in?return_to=%2Fcounter*")


def test_without_a_connection_it_says_so_and_asks_once(phone: Phones, site: Site) -> None:
    mine = phone()
    till = Till(mine, site, "example-camping")
    page = till.sign_in()
    till.fill("100", "10")
    mine.will_be_offline()
    mine.context.set_offline(True)
    till.type("A" * 32)
    expect(page.locator("#fault")).to_contain_text("网络不通")
    mine.context.set_offline(False)
    mine.will_be_refused(404)
    page.get_by_role("button", name="询问", exact=True).click()
    expect(page.locator("#fault")).to_contain_text("这个码不能用")


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_small_and_enlarged_pages_stay_accessible(
    phone: Phones, site: Site, scheme: str, language: str
) -> None:
    mine = phone(viewport=LEAST, color_scheme=scheme)
    page = Till(mine, site, "example-hotel").sign_in()
    for size in (REFLOW, TABLET):
        page.set_viewport_size(size)  # type: ignore[arg-type]  # a typed dictionary of two numbers
        for path in ("", "today", "desk", "sign-in", "second", "enrol"):
            page.goto(f"/counter/{path}?lang={language}")
            assert_accessible(page)
