"""A counter in a browser: staff who sign in there, and a camera that sees what it is held to."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright._impl._api_structures import SetCookieParam  # exported nowhere else
from playwright.sync_api import Browser, Page

from gateway.clock import SystemClock
from gateway.local.upfile import UpStaff
from tests.browser.conftest import CHROMIUM
from tests.browser.phone import Phone
from tests.browser.pictures import Picture, write_video
from tests.browser.site import Site
from tests.gateway.counter.till import code_of

#: A tablet beside a till.
TABLET = {"width": 820, "height": 1180}

#: The step of the code that each account used last: a code is good once.
_used: dict[str, int] = {}


def staff_of(site: Site, party: str) -> UpStaff:
    """The member of staff of a party of the seeds."""
    return next(each for each in site.up.staff if each.party == party)


def fresh_code(account: UpStaff) -> str:
    """A code that was not used yet; waits for the next one where it must."""
    while True:
        now = int(time.time()) // 30
        step = max(now, _used.get(account.login, 0) + 1)
        if step <= now + 1:
            break
        time.sleep(0.5)
    _used[account.login] = step
    return code_of(account.totp_secret, SystemClock().now_us(), step - int(time.time()) // 30)


def signed_in(site: Site, party: str) -> list[SetCookieParam]:
    """The cookies of a fresh session of the party's member of staff, without a page."""
    account = staff_of(site, party)
    with httpx.Client(base_url=site.base_url) as browser:
        first = {"login": account.login, "password": account.password}
        assert browser.post("/v1/counter/sign-in", json=first).status_code == 200
        answer = browser.post("/v1/counter/second", json={"code": fresh_code(account)})
        assert answer.status_code == 204, answer.text
        return [
            {"name": cookie.name, "value": cookie.value or "", "url": site.base_url}
            for cookie in browser.cookies.jar
        ]


class Till:
    """The page of a member of staff."""

    def __init__(self, phone: Phone, site: Site, party: str) -> None:
        self.phone, self.page = phone, phone.page
        self.account = staff_of(site, party)

    def sign_in(self, path: str = "/counter/") -> Page:
        """Both steps, as people take them."""
        page = self.page
        page.goto(path)
        page.get_by_label("账号").fill(self.account.login)
        page.get_by_label("密码").fill(self.account.password)
        page.get_by_role("button", name="下一步").click()
        page.wait_for_url("**/counter/second?*")
        page.get_by_label("六位数").fill(fresh_code(self.account))
        page.get_by_role("button", name="登录柜台").click()
        page.wait_for_url(re.compile(re.escape(path.rstrip("/")) + "/?$"))
        return page

    def fill(self, deposit: str = "200", rent: str = "5") -> None:
        """A rental; the day of its return is the one that the form begins with."""
        self.page.get_by_label("本次租借通常要交的押金").fill(deposit)
        self.page.get_by_label("每日租金").fill(rent)

    def type(self, code: str) -> None:
        """A code, typed."""
        self.page.get_by_label("或输入代码").fill(code)
        self.page.get_by_role("button", name="询问", exact=True).click()

    def scan(self) -> None:
        """Open the camera."""
        self.page.get_by_role("button", name="扫描信用码").click()


@contextmanager
def seeing(browser: Browser, site: Site, video: Path, **context: Any) -> Iterator[Phone]:
    """A tablet whose camera plays a file, which may be written until the camera is opened."""
    held = browser.browser_type.launch(
        executable_path=CHROMIUM,
        args=[
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={video}",
        ],
    )
    try:
        mine = Phone(held, site, **({"viewport": TABLET} | context))
        yield mine
        assert mine.faults == []
    finally:
        held.close()


def hold_to(video: Path, screen: Picture) -> None:
    """Hold the camera to a screen: 640 × 480 of it, as large as it is shown there."""
    wall = bytes([150]) * 640
    above = max(0, (480 - screen.height) // 2)
    left = max(0, (640 - screen.width) // 2)
    rows = [wall] * above
    for row in screen.rows[: 480 - above]:
        rows.append((wall[:left] + row + wall)[:640])
    write_video(video, Picture(rows + [wall] * (480 - len(rows))))
