"""Promises: signed in the page by a key that never leaves it, verified by the server."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.phone import LOOKS, REFLOW, Phone, assert_accessible
from tests.browser.site import Site

Phones = Callable[..., Phone]

RENT = "/app/commitments/new?scenario=rent"

#: The keys of this browser as IndexedDB holds them: by citizen, with what may be said of each.
_KEYS = """async () => {
  const database = await new Promise((resolve, reject) => {
    const request = indexedDB.open("qianjiang-device", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("keys");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const all = (store, what) => new Promise((resolve) => {
    const request = store[what]();
    request.onsuccess = () => resolve(request.result);
  });
  const owners = await all(database.transaction("keys").objectStore("keys"), "getAllKeys");
  const held = await all(database.transaction("keys").objectStore("keys"), "getAll");
  database.close();
  return Promise.all(held.map(async (key, place) => ({
    owner: owners[place],
    kid: key.kid,
    members: Object.keys(key).sort(),
    extractable: key.privateKey.extractable,
    refused: await Promise.all(["jwk", "pkcs8"].map((form) =>
      crypto.subtle.exportKey(form, key.privateKey).then(() => "", (fault) => fault.name))),
  })));
}"""


def keys_of(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(_KEYS)
    return found


def api(page: Page, path: str) -> Any:
    """Read as the page may."""
    answer = page.request.get(path)
    assert answer.ok, answer.text()
    return answer.json()


def opened(page: Page, address: str = RENT) -> None:
    """Open the text of a promise; its draft is there."""
    page.goto(address)
    expect(page.locator("form#sign")).to_have_attribute("data-shown", "yes")


def signed(page: Page, *, register: bool = True, name: str | None = None) -> None:
    """Tap sign, register this device where it asks, and wait for the next page."""
    page.get_by_role("button", name="签署承诺").click()
    if register:
        dialog = page.get_by_role("dialog")
        if name is not None:
            dialog.get_by_label("设备名称").fill(name)
        dialog.get_by_role("button", name="登记并签署").click()
    page.wait_for_url(re.compile(r"//[^/]+/app/commitments$"))


def test_a_promise_is_signed_in_the_page_and_verified_by_the_server(
    phone: Phones, site: Site
) -> None:
    page = phone(site.stranger()).page
    opened(page)
    for words in ("我承诺：爱护租借的物品", "I promise to take care", "没有黑名单", "照常办理"):
        expect(page.locator("main")).to_contain_text(words)
    assert_accessible(page)
    page.get_by_role("button", name="签署承诺").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("设备名称")).to_have_value("我的 Linux 电脑")
    assert_accessible(page)
    dialog.get_by_role("button", name="登记并签署").click()
    page.wait_for_url("**/app/commitments")
    expect(page.locator("main")).to_contain_text("用“我的 Linux 电脑”签署")
    assert_accessible(page)
    (made,) = api(page, "/v1/me/commitments")["commitments"]
    assert (made["scenario"], made["status"], made["version"]) == ("rent", "signed", 1)


def test_the_key_is_non_extractable_and_survives_a_reload(phone: Phones, site: Site) -> None:
    page = phone(site.stranger()).page
    opened(page)
    signed(page)
    (key,) = keys_of(page)
    assert key["members"] == ["jwk", "kid", "privateKey"]
    assert key["extractable"] is False
    assert key["refused"] == ["InvalidAccessError", "InvalidAccessError"]
    (device,) = api(page, "/v1/me/devices")["devices"]
    assert device["kid"] == key["kid"]
    opened(page, "/app/commitments/new?scenario=library")
    page.reload()
    expect(page.locator("form#sign")).to_have_attribute("data-shown", "yes")
    signed(page, register=False)
    assert [each["kid"] for each in keys_of(page)] == [key["kid"]]
    (device,) = api(page, "/v1/me/devices")["devices"]
    assert {each["scenario"] for each in device["signed"]} == {"rent", "library"}


def test_two_people_of_one_browser_have_a_key_each(phone: Phones, site: Site) -> None:
    mine = phone(site.stranger())
    opened(mine.page)
    signed(mine.page)
    (first,) = keys_of(mine.page)
    mine.context.clear_cookies()
    mine.sign_in(site.stranger())
    opened(mine.page)
    signed(mine.page)
    keys = {key["owner"]: key["kid"] for key in keys_of(mine.page)}
    assert len(set(keys.values())) == len(keys) == 2
    assert keys[first["owner"]] == first["kid"]
    assert len(api(mine.page, "/v1/me/devices")["devices"]) == 1


def test_a_device_stopped_elsewhere_asks_to_be_registered_anew(phone: Phones, site: Site) -> None:
    login = site.stranger()
    page, elsewhere = phone(login).page, phone(login).page
    opened(page)
    signed(page, name="旧的")
    (before,) = keys_of(page)
    opened(page, "/app/commitments/new?scenario=library")
    elsewhere.goto("/app/devices")
    elsewhere.get_by_role("link", name="停用这台设备 旧的").click()
    elsewhere.get_by_role("button", name="停用", exact=True).click()
    elsewhere.wait_for_url("**/app/devices")
    page.get_by_role("button", name="签署承诺").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("这台设备已被停用")
    dialog.get_by_role("button", name="现在不签").click()
    assert [each["scenario"] for each in api(page, "/v1/me/commitments")["commitments"]] == ["rent"]
    signed(page, name="新的")
    (after,) = keys_of(page)
    assert after["kid"] != before["kid"]
    names = {each["name"]: each["revoked_at"] for each in api(page, "/v1/me/devices")["devices"]}
    assert names["旧的"]
    assert names["新的"] is None


def test_stopped_between_the_look_and_the_signature_it_asks_as_well(
    phone: Phones, site: Site
) -> None:
    mine = phone(site.stranger())
    page = mine.page
    opened(page)
    signed(page, name="旧的")
    (device,) = api(page, "/v1/me/devices")["devices"]
    opened(page, "/app/commitments/new?scenario=library")
    token = page.locator('meta[name="csrf-token"]').get_attribute("content") or ""

    def stop(route: Any) -> None:
        path = f"/v1/me/devices/{device['id']}/revocation"
        stopped = page.request.post(path, data={}, headers={"x-csrf-token": token})
        assert stopped.ok, stopped.text()
        route.continue_()

    page.route("**/v1/me/commitments", stop, times=1)
    mine.will_be_refused(422)
    page.get_by_role("button", name="签署承诺").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("这台设备已被停用")
    dialog.get_by_role("button", name="登记并签署").click()
    page.wait_for_url("**/app/commitments")
    scenarios = {each["scenario"] for each in api(page, "/v1/me/commitments")["commitments"]}
    assert scenarios == {"rent", "library"}


def test_a_text_that_was_altered_on_the_page_is_not_signed(phone: Phones, site: Site) -> None:
    page = phone(site.stranger()).page
    opened(page)
    signed(page)
    opened(page, "/app/commitments/new?scenario=library")
    true = page.locator("#text-zh").inner_text()
    page.evaluate("document.getElementById('text-zh').append('，也不必归还')")
    page.get_by_role("button", name="签署承诺").click()
    expect(page.get_by_role("alert")).to_contain_text("页面上的文本和要签的不一样")
    expect(page.locator("#text-zh")).to_have_text(true)
    assert [each["scenario"] for each in api(page, "/v1/me/commitments")["commitments"]] == ["rent"]
    assert_accessible(page)
    signed(page, register=False)
    assert len(api(page, "/v1/me/commitments")["commitments"]) == 2


def test_two_taps_at_once_are_one_promise(phone: Phones, site: Site) -> None:
    page = phone(site.stranger()).page
    opened(page)
    signed(page)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.method} {request.url}"))
    opened(page, "/app/commitments/new?scenario=library")
    page.get_by_role("button", name="签署承诺").dblclick()
    page.wait_for_url("**/app/commitments")
    assert [each for each in sent if each.endswith("/v1/me/commitments")] == [
        f"POST {site.base_url}/v1/me/commitments"
    ]
    made = {each["scenario"]: each for each in api(page, "/v1/me/commitments")["commitments"]}
    assert made["library"]["version"] == 1


def test_two_tabs_have_one_key_and_one_promise(phone: Phones, site: Site) -> None:
    mine = phone(site.stranger())
    one, other = mine.page, mine.context.new_page()
    for tab in (one, other):
        opened(tab)
    for tab in (one, other):
        tab.get_by_role("button", name="签署承诺").click()
    for tab in (one, other):
        tab.get_by_role("dialog").get_by_role("button", name="登记并签署").click()
        tab.wait_for_url("**/app/commitments")
    assert len(keys_of(one)) == 1
    (device,) = api(one, "/v1/me/devices")["devices"]
    (made,) = api(one, "/v1/me/commitments")["commitments"]
    assert (made["version"], made["device"]) == (2, device["id"])


def test_after_ten_minutes_the_text_is_shown_again(phone: Phones, site: Site) -> None:
    mine = phone(site.stranger())
    page = mine.page
    page.clock.install()
    opened(page)
    page.clock.fast_forward("10:01")
    expect(page.get_by_role("status")).to_contain_text("没有签署任何东西")
    page.get_by_role("button", name="再看一遍文本").click()
    expect(page.get_by_role("status")).to_contain_text("请看过后再签署")
    signed(page)
    assert len(api(page, "/v1/me/commitments")["commitments"]) == 1


def test_a_lost_connection_makes_one_promise_in_the_end(phone: Phones, site: Site) -> None:
    mine = phone(site.stranger())
    page = mine.page
    opened(page)
    signed(page)
    opened(page, "/app/commitments/new?scenario=library")

    def recorded_but_lost(route: Any) -> None:
        assert route.fetch().status == 201
        route.abort()

    mine.will_be_offline()
    page.route("**/v1/me/commitments", recorded_but_lost, times=1)
    page.get_by_role("button", name="签署承诺").click()
    expect(page.get_by_role("alert")).to_contain_text("网络不通")
    signed(page, register=False)
    made = {each["scenario"]: each for each in api(page, "/v1/me/commitments")["commitments"]}
    assert made["library"]["version"] == 1


def test_a_browser_that_keeps_nothing_is_told_so(phone: Phones, site: Site) -> None:
    mine = phone(site.stranger())
    mine.context.add_init_script("Object.defineProperty(window, 'indexedDB', {value: undefined})")
    page = mine.page
    opened(page)
    page.get_by_role("button", name="签署承诺").click()
    expect(page.get_by_role("alert")).to_contain_text("这个浏览器不保存数据")
    page.goto("/app/devices")
    expect(page.locator("main")).to_contain_text("没有可以签署的设备")


def test_not_now_leads_on_without_another_screen(phone: Phones, site: Site) -> None:
    page = phone(site.stranger()).page
    opened(page, f"{RENT}&then=/app/score")
    page.get_by_role("link", name="现在不签").click()
    expect(page).to_have_url(f"{site.base_url}/app/score")
    assert api(page, "/v1/me/commitments")["commitments"] == []


def test_signing_leads_to_where_the_flow_goes_on(phone: Phones, site: Site) -> None:
    page = phone(site.stranger()).page
    opened(page, f"{RENT}&party=example-bikes&then=/app/score")
    expect(page.locator("main")).to_contain_text("示例单车租赁公司")
    page.get_by_role("button", name="签署承诺").click()
    page.get_by_role("dialog").get_by_role("button", name="登记并签署").click()
    expect(page).to_have_url(f"{site.base_url}/app/score")
    (made,) = api(page, "/v1/me/commitments")["commitments"]
    assert made["towards"] == "示例单车租赁公司"


def test_a_promise_is_taken_back_with_its_consequences_said(phone: Phones, site: Site) -> None:
    page = phone(site.stranger()).page
    opened(page)
    signed(page)
    page.get_by_role("button", name="撤回承诺").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("新的查询按普通方式办理")
    assert_accessible(page)
    dialog.get_by_role("button", name="撤回", exact=True).click()
    expect(page.locator(".tag")).to_have_text("已撤回")
    (made,) = api(page, "/v1/me/commitments")["commitments"]
    assert made["status"] == "withdrawn"


@pytest.mark.parametrize("form", ["文本", "JSON"])
def test_the_receipt_that_was_downloaded_checks_without_us(
    phone: Phones, site: Site, tmp_path: Path, form: str
) -> None:
    page = phone(site.stranger()).page
    opened(page)
    signed(page)
    page.get_by_role("link", name="承诺回执").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("承诺回执")
    page.locator("summary").click()
    assert_accessible(page)
    with page.expect_download() as download:
        page.get_by_role("link", name=f"下载回执（{form}）").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    commands = json.loads(file.read_text("utf-8").rstrip("\n").rpartition("\n")[2])["check"]
    script = "set -e\n" + "\n".join(commands["commands"]).replace("FILE", file.name)
    done = subprocess.run(["/bin/sh", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout.count(": ok")) == (0, 3), done.stderr


def test_the_session_ends_midway_and_nothing_is_lost_or_signed(phone: Phones, site: Site) -> None:
    login = site.stranger()
    mine = phone(login)
    page = mine.page
    opened(page, f"{RENT}&then=/app/commitments")
    mine.context.clear_cookies()
    mine.will_be_refused(401)
    page.get_by_role("button", name="签署承诺").click()
    page.get_by_role("dialog").get_by_role("button", name="登记并签署").click()
    page.wait_for_url("**/app/sign-in?**")
    page.get_by_role("link", name="登录").click()
    page.locator("input[name=login]").fill(login)
    page.locator("button").first.click()
    expect(page).to_have_url(f"{site.base_url}{RENT}&then=/app/commitments")
    expect(page.locator("form#sign")).to_have_attribute("data-shown", "yes")
    signed(page)
    assert len(api(page, "/v1/me/commitments")["commitments"]) == 1


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_small_and_enlarged_pages_stay_accessible(
    phone: Phones, scheme: str, language: str
) -> None:
    page = phone("lin", viewport=REFLOW, color_scheme=scheme).page
    page.goto(f"/app/commitments?lang={language}")
    (first, *_) = api(page, "/v1/me/commitments")["commitments"]
    for path in ("/app/commitments", RENT, f"/app/commitments/{first['id']}"):
        page.goto(path)
        for summary in page.locator("summary").all():
            summary.click()
        assert_accessible(page)
