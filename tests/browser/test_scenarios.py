"""Scenarios: open or what is missing, found by searching, enabled by two separate acts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.owner import arrange
from tests.browser.phone import LOOKS, REFLOW, Phone, assert_accessible
from tests.browser.site import Site
from tests.gateway.web.corpus import CORPUS

Phones = Callable[..., Phone]


def shown(page: Page) -> list[str]:
    """The titles in the list that can be seen."""
    return page.locator("#scenarios h2:visible").all_inner_texts()


def test_the_five_come_first_and_say_whether_they_are_open(phone: Phones) -> None:
    page = phone("lin").page
    page.get_by_role("link", name="场景", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("场景")
    assert [title.split("：")[0] for title in shown(page)[:5]] == [
        *("信易租", "信用+图书", "舒心就医", "社区积分兑换", "跨城互认")
    ]
    expect(page.locator("#scenarios .tag", has_text="现在对您开放")).to_have_count(5)
    assert_accessible(page)


def test_what_is_missing_is_said_with_the_way_to_do_it(phone: Phones, site: Site) -> None:
    """Without a score, a consent and a promise: each has its way, and none is a dead end."""
    page = phone(site.stranger()).page
    page.goto("/app/scenarios/rent")
    missing = page.get_by_role("region", name="现在对您").locator(".lacks > li")
    expect(missing.filter(has_text="您还没有同意任何机构")).to_have_count(1)
    expect(missing.locator(".tag", has_text="未满足")).to_have_count(missing.count())
    ways = {
        "选一家机构开通": "/app/scenarios/rent#parties",
        "先阅读告知": "/app/notice?then=%2Fapp%2Fscenarios%2Frent",
        "阅读并签署承诺": "/app/commitments/new?scenario=rent&then=%2Fapp%2Fscenarios%2Frent",
    }
    for words, address in ways.items():
        expect(missing.get_by_role("link", name=words)).to_have_attribute("href", address)
    expect(page.locator("main")).to_contain_text("不开通也没有任何不利")
    assert_accessible(page)
    missing.get_by_role("link", name="先阅读告知").click()
    page.get_by_role("button", name="同意，计算我的分数").click()
    expect(page).to_have_url(f"{site.base_url}/app/scenarios/rent")
    expect(missing.get_by_role("link", name="看看怎样能提高")).to_be_visible()


def test_searching_works_while_typing_and_without_a_script(phone: Phones) -> None:
    page = phone("lin").page
    page.goto("/app/scenarios")
    page.get_by_label("找场景").fill("图书")
    expect(page.get_by_role("status")).to_have_text("找到 1 个")
    assert shown(page) == ["信用+图书：免押金借阅"]
    page.get_by_label("找场景").fill("deposit RENT")
    expect(page.get_by_role("status")).to_have_text("找到 1 个")
    page.get_by_role("button", name="查找").click()
    page.reload()
    assert len(shown(page)) == 1
    page.get_by_label("找场景").fill("没有这样的东西")
    expect(page.get_by_role("status")).to_have_text("找到 0 个")
    plain = phone("lin")
    cookies = plain.context.cookies()
    unscripted = phone(java_script_enabled=False)
    unscripted.context.add_cookies(cookies)  # type: ignore[arg-type]  # what it gave, it takes
    unscripted.page.goto("/app/scenarios")
    unscripted.page.get_by_label("找场景").fill("看病")
    unscripted.page.get_by_role("button", name="查找").click()
    assert shown(unscripted.page) == ["舒心就医：先看病，后付费"]


def test_a_scenario_shows_its_rule_its_figures_and_who_offers_it(phone: Phones) -> None:
    page = phone("lin").page
    page.goto("/app/scenarios/rent")
    main = page.locator("main")
    expect(main).to_contain_text("示例承诺：免押金租车，车辆故障不向租车人收费。")
    rules = page.get_by_role("region", name="规则", exact=True)
    expect(rules.locator(".tag", has_text="示例")).to_have_count(3)
    expect(rules).to_contain_text("¥2,000")
    expect(rules).to_contain_text("信用良好")
    expect(rules).to_contain_text("第二十二条")
    expect(rules).to_contain_text("不收取押金，也不以其他名义收取类似费用。")
    page.get_by_text("这是按什么例子判断的").click()
    expect(main).to_contain_text("¥200")
    expect(main).not_to_contain_text("单位为分")
    expect(rules).not_to_contain_text("City credit office")
    assert_accessible(page)


def test_enabling_is_two_acts_and_comes_back_open(phone: Phones, site: Site) -> None:
    """The promise stands already, so the consent alone opens it."""
    page = phone("wang").page
    page.goto("/app/scenarios/rent")
    page.get_by_role("button", name="在“示例湖畔酒店”开通").dblclick()
    page.wait_for_url("**/app/consent/*")
    expect(page.locator("main")).to_contain_text("对方不知道您在看")
    page.get_by_role("button", name="同意", exact=True).click()
    expect(page).to_have_url(f"{site.base_url}/app/scenarios/rent?done=granted")
    expect(page.get_by_role("status")).to_contain_text("已同意，承诺也已签署")
    hotel = page.locator(".party", has_text="示例湖畔酒店")
    expect(hotel).to_contain_text("现在对您开放")
    expect(hotel.get_by_role("button")).to_have_count(0)
    # Going back shows how it stands now, not how it stood.
    page.go_back()
    expect(page.get_by_role("status")).to_contain_text("已同意")
    expect(page.get_by_role("button", name="同意", exact=True)).to_have_count(0)


def test_the_promise_is_the_second_act_and_refusing_it_is_the_ordinary_way(
    phone: Phones, site: Site
) -> None:
    page = phone("han").page
    page.goto("/app/scenarios/rent")
    page.get_by_role("button", name="在“示例停车场”开通").click()
    page.wait_for_url("**/app/consent/*")
    page.get_by_role("button", name="同意", exact=True).click()
    page.wait_for_url("**/app/commitments/new?scenario=rent&party=example-parking&then=*")
    expect(page.locator("main")).to_contain_text("示例停车场管理公司")
    page.get_by_role("link", name="现在不签").click()
    # Back with one line, and nothing more is asked.
    expect(page).to_have_url(f"{site.base_url}/app/scenarios/rent?done=granted")
    expect(page.get_by_role("status")).to_contain_text("没有签署承诺，按普通方式办理")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert_accessible(page)
    # It stays possible: read, signed by a key of this browser, and open.
    parking = page.locator(".party", has_text="示例停车场")
    expect(parking).not_to_contain_text("现在对您开放")
    page.get_by_role("link", name="阅读并签署承诺").first.click()
    expect(page.locator("form#sign")).to_have_attribute("data-shown", "yes")
    page.get_by_role("button", name="签署承诺").click()
    page.get_by_role("dialog").get_by_role("button", name="登记并签署").click()
    page.wait_for_url("**/app/scenarios/rent")
    expect(parking).to_contain_text("现在对您开放")
    assert_accessible(page)


def test_refusing_ends_at_the_ordinary_way_without_another_screen(
    phone: Phones, site: Site
) -> None:
    page = phone(site.known()).page
    page.goto("/app/scenarios/library")
    page.get_by_role("button", name="在“示例市图书馆城东分馆”开通").click()
    page.wait_for_url("**/app/consent/*")
    page.get_by_role("button", name="暂不同意").click()
    expect(page).to_have_url(f"{site.base_url}/app/scenarios/library?done=ordinary")
    expect(page.get_by_role("status")).to_have_text("好的，按普通方式办理。")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert_accessible(page)


def test_what_a_party_says_of_itself_is_text(phone: Phones, site: Site) -> None:
    words = "\n".join(CORPUS)
    arrange(
        site,
        "UPDATE legal_entity SET name = $1, promise = $1, contact = $1 WHERE id = $2",
        *(words, "example-costumes"),
    )
    arrange(site, "UPDATE party SET name = $1 WHERE id = $2", words, "example-costumes")
    page = phone("chen").page  # who lets this party ask
    try:
        for path in ("/app/", "/app/consents", "/app/scenarios", "/app/scenarios/rent"):
            page.goto(path)
            assert page.locator("main script, main iframe, main img, main base").count() == 0
        expect(page.locator("main")).to_contain_text("<svg/onload=alert(1)>")
        assert_accessible(page)
    finally:
        arrange(site, "UPDATE party SET name = '示例二手礼服' WHERE id = 'example-costumes'")
        arrange(
            site,
            "UPDATE legal_entity SET name = '示例二手礼服租赁店', promise = '', contact = '示例'"
            " WHERE id = 'example-costumes'",
        )


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_small_and_enlarged_pages_stay_accessible(
    phone: Phones, site: Site, scheme: str, language: str
) -> None:
    mine = phone("zhu", viewport=REFLOW, color_scheme=scheme)
    mine.page.goto(f"/app/scenarios?lang={language}")
    for path in (
        *("/app/scenarios", "/app/scenarios/hospital", "/app/scenarios/points?q=潮"),
        *("/app/consents", "/app/"),
    ):
        mine.page.goto(path)
        assert_accessible(mine.page)
