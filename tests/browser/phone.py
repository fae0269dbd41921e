"""A citizen's phone: a page of phone size that must stay free of errors and CSP violations."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.outside import Outside

#: A small phone of today; the least width is asked for where a test is about it.
SIZE = {"width": 390, "height": 844}
LEAST = {"width": 360, "height": 640}
#: Reflow without loss down to here (WCAG 2.2, 1.4.10); a smaller phone's and an enlarged page's.
REFLOW = {"width": 320, "height": 568}
#: The looks that small and enlarged pages are tried in: language and colour scheme. One in every
#: run, beside all pages in English and light with large type (test_large_type.py); all at night.
LOOKS = (
    ("zh", "dark"),
    pytest.param("zh", "light", marks=pytest.mark.nightly),
    pytest.param("en", "dark", marks=pytest.mark.nightly),
    pytest.param("en", "light", marks=pytest.mark.nightly),
)
expect.set_options(timeout=10_000)

#: Rules that axe leaves out unless they are asked for: targets' sizes (WCAG 2.2, 2.5.8).
_AXE = {"rules": {"target-size": {"enabled": True}}}
_REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")


class Phone:
    """One browser profile with one page in front.

    Everything that goes wrong in any of its pages is kept in `faults`; a refusal that a test
    provokes is announced with `will_be_refused`.
    """

    def __init__(self, browser: Browser, site: Outside, **context: Any) -> None:
        given: dict[str, Any] = {
            "viewport": SIZE,
            "device_scale_factor": 2,
            "is_mobile": True,
            "has_touch": True,
            "locale": "zh-CN",
            "timezone_id": "Asia/Shanghai",
            "base_url": site.base_url,
        }
        self.site = site
        self.faults: list[str] = []
        self._awaited: set[str] = set()
        self.context: BrowserContext = browser.new_context(**(given | context))
        self.context.on("console", self._said)
        self.context.on("weberror", lambda error: self.faults.append(str(error.error)))
        self.page: Page = self.context.new_page()

    def sign_in(self, login: str, return_to: str = "/app/") -> Page:
        """Sign in as people do: through our page and the identity provider's."""
        self.page.goto(f"/app/sign-in?return_to={return_to}")
        self.page.locator("a.button").click()
        self.page.locator("input[name=login]").fill(login)
        self.page.locator("button[type=submit], input[type=submit], button").first.click()
        self.page.wait_for_url(re.compile(re.escape(self.site.base_url) + "/app.*"))
        return self.page

    def authorise(self) -> None:
        """Read the notice and agree, for tests that need a score."""
        self.page.goto("/app/notice")
        self.page.get_by_role("button", name="同意，计算我的分数").click()
        self.page.wait_for_url("**/app/")

    def will_be_refused(self, *statuses: int) -> None:
        """The test is about to provoke answers of these statuses."""
        self._awaited |= {str(status) for status in statuses}

    def will_be_offline(self) -> None:
        """The test is about to take the network away."""
        self._awaited.add("net::")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        refused = _REFUSED.search(message.text)
        if refused and refused[1] in self._awaited:
            return
        if "net::" in message.text and "net::" in self._awaited:
            return
        self.faults.append(message.text)


def assert_accessible(page: Page) -> None:
    """Every rule of axe at 0 violations (WCAG 2.2 AA and best practices), and nothing cut off."""
    # What lies under the bar at the bottom just now is scrolled out, and so not too small.
    page.evaluate(
        "for (const bar of document.querySelectorAll('.tabs')) bar.style.position = 'static'"
    )
    found = Axe().run(page, options=_AXE)
    page.evaluate("for (const bar of document.querySelectorAll('.tabs')) bar.style.position = ''")
    told = [
        f"{each['id']}: {node['html']} {node['failureSummary']}"
        for each in found.response["violations"]
        for node in each["nodes"]
    ]
    assert not told, "\n".join(told)
    assert_whole(page)


def assert_whole(page: Page) -> None:
    """Nothing is cut off or to be scrolled to sideways."""
    # Not innerWidth: a telephone's grows with what is too wide.
    wider = page.evaluate(
        "(({scrollWidth, clientWidth}) => scrollWidth - clientWidth)(document.documentElement)"
    )
    assert wider <= 0, f"{page.url} scrolls sideways by {wider} px"
