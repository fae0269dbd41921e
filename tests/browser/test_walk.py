"""The whole walk of somebody new, without a manual, on one phone and at one counter.

Sign in, see the score, enable deposit-free renting, have the counter grant it by scanning, see the
look-up appear, withdraw, and see the counter get the ordinary way: in under three minutes. The
times of its steps are printed (`pytest -s tests/browser/test_walk.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.phone import Phone
from tests.browser.pictures import of_png
from tests.browser.site import Site
from tests.browser.till import Till, hold_to, seeing

Phones = Callable[..., Phone]

#: Somebody with records of keeping the word who was never here.
NEWCOMER = "shi"
WALK_MAX_S = 180


class Steps:
    """What was done, and when it was done, in seconds since the walk began."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.done: list[tuple[float, str]] = []

    def __call__(self, what: str) -> None:
        self.done.append((time.monotonic() - self._began, what))

    def __str__(self) -> str:
        return "\n".join(f"{at:6.1f} s  {what}" for at, what in self.done)


@pytest.mark.timeout(WALK_MAX_S + 60)
def test_somebody_new_gets_a_deposit_waived_and_takes_the_consent_back(
    browser: Browser, phone: Phones, site: Site, tmp_path: Path
) -> None:
    mine = phone(device_scale_factor=1)
    page = mine.page
    video = tmp_path / "camera.y4m"
    with seeing(browser, site, video) as tablet:
        till = Till(tablet, site, "example-bikes")
        till.sign_in()
        step = Steps()

        page.goto("/app/")
        page.get_by_role("link", name="登录").click()
        page.locator("input[name=login]").fill(NEWCOMER)
        page.locator("button").first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("看分数之前")
        step("signed in; the notice is shown before anything else")
        page.get_by_role("button", name="同意，计算我的分数").click()
        page.locator("a.figure").click()
        expect(page.locator(".score strong")).to_be_visible()
        step("the score, its band and every factor")

        page.get_by_role("link", name="场景").click()
        page.get_by_role("link", name="信易租：免押金租借").click()
        page.get_by_role("button", name="在“示例单车租赁”开通").click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        step("who asks for what, in which words")
        page.get_by_role("button", name="同意", exact=True).click()
        page.wait_for_url("**/app/commitments/new?*")
        step("consented; the promise is a second, separate act")
        page.get_by_role("button", name="签署承诺").click()
        page.get_by_role("button", name="登记并签署").click()
        page.wait_for_url("**/app/scenarios/rent*")
        step("signed with this phone's own key; deposit-free renting is open")

        page.get_by_role("link", name="信用码").click()
        expect(page.locator("#qr img")).to_be_visible()
        hold_to(video, of_png(page.locator("#qr").screenshot()))
        till.fill("200", "5")
        till.scan()
        answer = tablet.page.locator("#answer")
        expect(answer.get_by_role("heading")).to_have_text("可以享受")
        step("the counter has scanned the code: the deposit is waived")

        page.get_by_role("link", name="谁查过我").click()
        lookups = page.locator("#lookups li.card")
        expect(lookups.first).to_contain_text("示例单车租赁")
        expect(lookups.first).to_contain_text("可以享受")
        seen = lookups.count()
        step("the look-up is there, with who asked and what was answered")

        tablet.page.get_by_role("button", name="同一位顾客，换个金额").click()
        till.page.get_by_label("本次租借通常要交的押金").fill("180")
        till.page.get_by_role("button", name="询问", exact=True).click()
        expect(answer.get_by_role("heading")).to_have_text("可以享受")
        expect(lookups).to_have_count(seen + 1)
        step("another question appears on the phone by itself")

        page.get_by_role("link", name="首页").click()
        held = page.get_by_role("button", name="撤回对“示例单车租赁公司”的同意")
        held.click()
        page.get_by_role("button", name="现在撤回").click()
        expect(held).to_have_count(0)
        step("withdrawn, in two taps from the first page")
        tablet.page.get_by_role("button", name="同一位顾客，换个金额").click()
        till.page.get_by_label("本次租借通常要交的押金").fill("150")
        till.page.get_by_role("button", name="询问", exact=True).click()
        expect(answer.get_by_role("heading")).to_have_text("按普通方式办理")
        step("the counter gets the ordinary way")
        print(f"\n{step}")
        assert step.done[-1][0] < WALK_MAX_S
