"""A request for a consent in the browser: read, decided once, whatever happens on the way."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.owner import arrange
from tests.browser.phone import LEAST, Phone, assert_accessible
from tests.browser.site import Site

Phones = Callable[..., Phone]
_numbers = itertools.count(1)


def asked(site: Site, party: str = "example-cameras", scenario: str = "rent", **more: Any) -> Any:
    """A fresh request of a party."""
    purposes = {
        "rent": "deposit_free_rental",
        "hospital": "pay_after_treatment",
        "recognition": "cross_city_recognition",
        "library": "deposit_free_loan",
    }
    body = {
        "scenario": scenario,
        "purpose": purposes[scenario],
        "out_request_no": f"browser-{next(_numbers)}",
    }
    with site.party(party) as client:
        answer = client.post("/v1/consent-requests", json=body | more)
    assert answer.status_code == 201, answer.text
    return answer.json()


def state(site: Site, request: Any, party: str = "example-cameras") -> str:
    """What the party learns of its request."""
    with site.party(party) as client:
        return str(client.get(f"/v1/consent-requests/{request['id']}").json()["status"])


def versions(site: Site, request: Any) -> int:
    """How many versions of a consent came of a request."""
    (row,) = arrange(site, "SELECT count(*) AS n FROM consent WHERE request = $1", request["id"])
    return int(row["n"])


def agree(page: Page) -> Any:
    return page.get_by_role("button", name="同意", exact=True)


def decided(page: Page) -> Any:
    return page.get_by_role("status")


def test_a_link_leads_a_stranger_over_the_identity_provider_and_back(
    phone: Phones, site: Site
) -> None:
    request = asked(site)
    page = phone().page
    page.goto(request["link"])
    expect(page).to_have_url(re.compile(r"/app/sign-in\?return_to=/app/consent/"))
    page.get_by_role("link", name="登录").click()
    assert page.url.startswith(site.identity_url)
    page.locator("input[name=login]").fill(site.known())
    page.locator("button").first.click()
    expect(page).to_have_url(request["link"])
    expect(page.get_by_role("heading", level=1)).to_have_text("是否同意这次查询")


def test_the_page_says_who_what_for_which_answers_and_how_long(phone: Phones, site: Site) -> None:
    page = phone(site.known()).page
    page.goto(asked(site)["link"])
    main = page.locator("main")
    for words in (
        *("示例相机租赁", "示例影像器材租赁公司", "示例：0571-00000002"),
        "示例承诺：归还时当面验收，不事后追加费用。",
        *("信易租：免押金租借", "一个答案，以及只在该机构有效的您的代号"),
        *("可以享受“信易租：免押金租借”", "按普通方式办理", "机构提供的信息不足"),
        *("我同意上面写明的商家", "365 天", "以中文文本为准", "不同意也可以使用服务"),
        *("最多还有一分钟有效", "保存十年"),
    ):
        expect(main).to_contain_text(words)
    expect(page.locator("div[lang='zh-CN']")).to_contain_text("我可以随时暂停或撤回")
    page.get_by_text("英文译文").click()
    expect(page.locator("div[lang=en]")).to_contain_text("I allow the merchant named above")
    yes, no = agree(page).bounding_box(), page.get_by_role("button", name="暂不同意").bounding_box()
    assert yes is not None
    assert no is not None
    assert (yes["width"], yes["height"]) == pytest.approx((no["width"], no["height"]))
    assert_accessible(page)
    page.goto(page.url + "?lang=en")
    expect(main).to_contain_text("The Chinese text is the binding one.")
    expect(page.locator("div[lang='zh-CN']")).to_contain_text("我可以随时暂停或撤回")
    assert_accessible(page)


def test_it_may_be_given_for_less(phone: Phones, site: Site) -> None:
    page, request = phone(site.known()).page, asked(site)
    page.goto(request["link"])
    page.get_by_label("同意多久").select_option("7 天")
    page.get_by_label("每天至多回答").select_option("每天 2 次")
    agree(page).click()
    expect(page.locator("body")).not_to_contain_text("您同意的就是这段话")
    (row,) = arrange(
        site,
        "SELECT frequency, extract(day FROM to_at - from_at)::integer AS days FROM consent"
        " WHERE request = $1",
        request["id"],
    )
    assert (row["frequency"], row["days"]) in {(2, 6), (2, 7)}


def test_two_clicks_are_one_consent(phone: Phones, site: Site) -> None:
    page = phone("lin").page
    request = asked(site)
    page.goto(request["link"])
    agree(page).dblclick()
    expect(decided(page)).to_contain_text("已同意")
    assert versions(site, request) == 1
    assert state(site, request) == "granted"
    page.go_back()
    expect(agree(page)).to_have_count(0)


def test_two_tabs_decide_once_and_the_second_is_told(phone: Phones, site: Site) -> None:
    mine = phone("lin")
    mine.will_be_refused(409)
    request = asked(site)
    first, second = mine.page, mine.context.new_page()
    for tab in (first, second):
        tab.goto(request["link"])
    agree(first).click()
    expect(decided(first)).to_contain_text("已同意")
    second.get_by_role("button", name="暂不同意").click()
    expect(second.get_by_role("alert").filter(has_text="情况已经变了")).to_be_visible()
    second.reload()
    expect(decided(second)).to_contain_text("已同意")
    assert state(site, request) == "granted"


@pytest.mark.parametrize("arrives", [True, False])
def test_a_network_lost_while_granting_is_said_and_the_next_tap_is_the_same_act(
    phone: Phones, site: Site, arrives: bool
) -> None:
    mine = phone("lin")
    mine.will_be_offline()
    page, request, keys = mine.page, asked(site), []

    def lose(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) > 1:
            route.continue_()
            return
        if arrives:  # the gateway did it, only its answer is lost
            route.fetch()
        route.abort("connectionreset")

    page.route("**/grant", lose)
    page.goto(request["link"])
    agree(page).click()
    expect(page.locator("#grant").get_by_role("alert")).to_contain_text("网络不通")
    assert versions(site, request) == (1 if arrives else 0)
    agree(page).click()
    expect(decided(page)).to_contain_text("已同意")
    assert versions(site, request) == 1
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_a_session_that_ends_on_the_way_comes_back_to_the_same_page(
    phone: Phones, site: Site
) -> None:
    mine, login = phone(), site.known()
    mine.will_be_refused(401)
    page, request = mine.sign_in(login), asked(site)
    page.goto(request["link"])
    session = next(each for each in mine.context.cookies() if each["name"].endswith("session"))
    arrange(
        site,
        "UPDATE session SET ended_at = clock_timestamp() WHERE id_hash = sha256($1)",
        session["value"].encode(),
    )
    agree(page).click()
    expect(page).to_have_url(re.compile(r"/app/sign-in\?return_to=%2Fapp%2Fconsent%2F"))
    page.get_by_role("link", name="登录").click()
    page.locator("input[name=login]").fill(login)
    page.locator("button").first.click()
    expect(page).to_have_url(request["link"])
    assert versions(site, request) == 0
    page.get_by_role("button", name="暂不同意").click()
    expect(decided(page)).to_contain_text("没有同意，按普通方式办理")
    assert state(site, request) == "declined"


def test_where_to_go_afterwards_is_a_plain_link_and_never_followed(
    phone: Phones, site: Site
) -> None:
    page = phone(site.known()).page
    request = asked(site, return_uri="https://shop.example/back?order=7")
    page.goto(request["link"])
    page.get_by_role("button", name="暂不同意").click()
    expect(decided(page)).to_contain_text("没有同意")
    back = page.get_by_role("link", name="shop.example")
    expect(back).to_have_attribute("href", "https://shop.example/back?order=7")
    page.wait_for_timeout(300)
    expect(page).to_have_url(request["link"])
    assert_accessible(page)


def test_a_request_that_ran_out_says_so(phone: Phones, site: Site) -> None:
    mine = phone(site.known())
    request = asked(site)
    arrange(
        site,
        "UPDATE consent_request SET expires_at = clock_timestamp() WHERE id = $1",
        request["id"],
    )
    mine.page.goto(request["link"])
    expect(decided(mine.page)).to_contain_text("已过时")
    expect(agree(mine.page)).to_have_count(0)
    assert_accessible(mine.page)


def test_anothers_request_is_not_there(phone: Phones, site: Site) -> None:
    request = asked(site)
    first = phone(site.known()).page
    first.goto(request["link"])
    first.get_by_role("button", name="暂不同意").click()
    expect(decided(first)).to_contain_text("没有同意")
    other = phone(site.known())
    other.will_be_refused(404)
    other.page.goto(request["link"])
    expect(other.page.locator("main")).to_contain_text("这里没有内容")


SPECIAL = [
    ("example-hospital-one", "hospital", "属于敏感个人信息", "示例医疗费用结算机构"),
    (
        "example-city-330200",
        "recognition",
        "提供给另一座城市",
        "示例伙伴城市信用中心（宁波，330200）",
    ),
]


@pytest.mark.parametrize(("party", "scenario", "head", "recipient"), SPECIAL)
def test_health_and_another_city_have_a_screen_of_their_own_first(
    phone: Phones, site: Site, party: str, scenario: str, head: str, recipient: str
) -> None:
    page = phone(site.known(), viewport=LEAST).page
    request = asked(site, party, scenario)
    # Nobody who hands out the link can lead past it.
    for address in (request["link"], request["link"] + "?read=1", request["link"] + "?read="):
        page.goto(address)
        expect(page.get_by_role("heading", level=2)).to_contain_text(head)
        expect(page.locator("main")).to_contain_text(recipient)
        expect(agree(page)).to_have_count(0)
    assert_accessible(page)
    page.get_by_role("link", name="我知道了，继续阅读").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("是否同意这次查询")
    expect(page.locator("div[lang='zh-CN']")).to_contain_text("【单独同意：")
    assert_accessible(page)
    page.go_back()
    page.get_by_role("button", name="暂不同意").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("您没有同意")
    expect(decided(page)).to_contain_text("按普通方式办理")
    assert state(site, request, party) == "declined"
