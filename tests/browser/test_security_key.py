"""A security key at the counter: Chromium's own authenticator, at an address that has a name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, expect

from gateway import server
from gateway.local.processes import Supervisor, answers, free_ports
from gateway.local.running import GATEWAY_HOST, RunningCity
from gateway.settings import as_environment
from tests.browser.phone import Phone, assert_accessible
from tests.browser.site import Site
from tests.browser.till import TABLET, Till

_USB = {
    "protocol": "ctap2",
    "transport": "usb",
    "hasResidentKey": False,
    "hasUserVerification": False,
    "isUserVerified": False,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def named(site: Site, tmp_path: Path) -> Iterator[str]:
    """The site's gateway once more, at an address with a name."""
    (port,) = free_ports([GATEWAY_HOST])
    address = f"http://localhost:{port}"
    settings = msgspec.structs.replace(
        RunningCity(site.data, port=port, identity_port=0).settings,
        issuer=address,
        oidc_issuer=site.identity_url,
        workers=1,
    )
    with Supervisor(tmp_path) as processes:
        processes.start(
            "named",
            server.command(GATEWAY_HOST, port, 1, "gateway.app:create_app"),
            environment=as_environment(settings),
            ready=answers("localhost", port, "/readyz"),
        )
        yield address


def test_a_key_is_added_and_takes_the_place_of_the_digits(
    browser: Browser, site: Site, named: str
) -> None:
    mine = Phone(browser, site, base_url=named, viewport=TABLET)
    page = mine.page
    devtools = mine.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": _USB})
    till = Till(mine, site, "example-hospital-two")
    till.sign_in("/counter/desk")
    page.get_by_label("给这把密钥起个名字").fill("蓝色钥匙")
    page.get_by_role("button", name="添加安全密钥").dblclick()
    expect(page.locator(".lines")).to_contain_text("蓝色钥匙")
    expect(page.locator(".lines li")).to_have_count(1)
    assert_accessible(page)
    page.get_by_role("button", name="退出登录").click()
    page.wait_for_url("**/counter/sign-in")
    page.get_by_label("账号").fill(till.account.login)
    page.get_by_label("密码").fill(till.account.password)
    page.get_by_role("button", name="下一步").click()
    page.wait_for_url("**/counter/second?*")
    assert_accessible(page)
    page.get_by_role("button", name="用安全密钥登录").click()
    page.wait_for_url(f"{named}/counter/")
    expect(page.locator("#ask")).to_be_visible()
    page.goto("/counter/desk")
    page.get_by_role("button", name="移除").click()
    expect(page.locator(".lines li")).to_have_count(0)
    mine.context.close()
    assert mine.faults == []
