"""Two live cities and one browser: recognised, used, taken back; and every way that goes wrong."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.abroad import allow, arrived, set_out, visit
from tests.browser.phone import LEAST, Phone, assert_accessible
from tests.browser.test_credit_code import redeemed, shown
from tests.pair import Pair, Side

Phones = Callable[..., Phone]
LIBRARY = "example-library-main"
#: What a withdrawal may take until no party of the visited city is told `eligible` any more.
ENDS_MAX_S = 60
_numbers = itertools.count(1)


@pytest.fixture
def phone(browser: Browser, pair: Pair) -> Iterator[Phones]:
    """Phones in Hangzhou; what went wrong in any of them fails the test when it ends."""
    phones: list[Phone] = []

    def make(**context: object) -> Phone:
        phones.append(Phone(browser, pair.a, **context))
        return phones[-1]

    yield make
    for each in phones:
        each.context.close()
    assert [fault for each in phones for fault in each.faults] == []


def let_the_library_ask(page: Page, side: Side) -> str:
    """Consent to the library's asking; by which name it knows the visitor."""
    number = f"visit-{next(_numbers)}"
    asked = side.ask_consent(LIBRARY, "library", "deposit_free_borrowing", number)
    page.goto(asked["link"])
    page.get_by_role("button", name="同意", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("已同意")
    with side.party(LIBRARY) as client:
        return str(client.get(f"/v1/consent-requests/{asked['id']}").json()["subject"])


def outcome(side: Side, subject: str) -> str:
    return str(side.answer(LIBRARY, "library", subject)["outcome"])


# ------------------------------------------------------------------ the whole way


@pytest.mark.timeout(180)
def test_recognised_used_and_taken_back_at_home_within_a_minute(phone: Phones, pair: Pair) -> None:
    mine = phone()
    page, login = mine.page, pair.b.person(band=4)
    page.goto("/app/sign-in")
    page.get_by_role("link", name="来自其他城市？").click()
    visit(page, pair, login)
    expect(page.locator("#visit")).to_contain_text("已确认")
    subject = let_the_library_ask(page, pair.a)
    page.goto("/app/code")
    scanned = redeemed(pair.a, shown(page), LIBRARY, scenario="library")
    assert scanned.json() == {"subject": subject}, "a visitor's code is like any other"
    assert outcome(pair.a, subject) == "eligible"
    page.goto("/app/lookups")
    expect(page.locator("#lookups li.card").first).to_contain_text("可以享受")

    at_home = mine.context.new_page()
    at_home.goto(f"{pair.b.base_url}/app/")
    at_home.get_by_role("button", name="结束在杭州").click()
    at_home.get_by_role("button", name="现在结束").click()
    expect(at_home.get_by_role("status")).to_contain_text("最多一分钟后")
    withdrawn = time.monotonic()
    while outcome(pair.a, subject) != "standard_path":
        assert time.monotonic() - withdrawn < ENDS_MAX_S
        time.sleep(0.5)
    print(f"\nstandard_path {time.monotonic() - withdrawn:.1f} s after the withdrawal at home")
    page.goto("/app/")
    expect(page.locator("#visit")).to_contain_text("不再确认")
    assert_accessible(page)


def test_leaving_ends_it_at_once_in_two_taps(phone: Phones, pair: Pair) -> None:
    page = phone().page
    visit(page, pair, pair.b.person(band=4))
    subject = let_the_library_ask(page, pair.a)
    assert outcome(pair.a, subject) == "eligible"
    page.goto("/app/")
    page.get_by_role("button", name="结束本次来访").click()
    assert_accessible(page)
    page.get_by_role("button", name="现在结束").click()
    expect(page.locator("#visit")).to_contain_text("您结束了本次来访")
    assert outcome(pair.a, subject) == "standard_path"


# ------------------------------------------------------------------ what is read at home


def test_the_request_says_who_what_is_learnt_how_long_and_how_to_take_it_back(
    phone: Phones, pair: Pair
) -> None:
    page = phone(viewport=LEAST).page
    set_out(page, pair, pair.b.person(band=4), "library", "rent")
    main = page.locator("main")
    for words in (
        *("杭州", "330100", "0571-00000000", "提供给另一座城市"),
        *("达到下面这些场景所需要的等级", "不会知道您的分数、等级、额度、姓名、证件号码"),
        *("【单独同意：提供给另一座城市】", "以中文文本为准"),
        *("最长 180 天", "最多一分钟后在那里不再有效", "免押金额度中有"),
    ):
        expect(main).to_contain_text(words)
    yes = page.get_by_role("button", name="同意，回到那里").bounding_box()
    no = page.get_by_role("button", name="暂不同意").bounding_box()
    assert yes is not None
    assert no is not None
    assert (yes["width"], yes["height"]) == pytest.approx((no["width"], no["height"]), abs=1)
    assert_accessible(page)
    page.goto(page.url + "?lang=en")
    expect(main).to_contain_text("Separate consent: another city")
    assert_accessible(page)


def test_some_of_it_may_be_allowed(phone: Phones, pair: Pair) -> None:
    page = phone().page
    set_out(page, pair, pair.b.person(band=4), "library", "rent")
    page.locator("input[value=rent]").uncheck()
    allow(page)
    arrived(page, pair)
    expect(page.locator("#visit")).to_contain_text("图书")
    expect(page.locator("#visit")).not_to_contain_text("信易租")


def test_who_declines_is_back_in_the_other_city_and_told_so(phone: Phones, pair: Pair) -> None:
    page, login = phone().page, pair.b.person(band=4)
    set_out(page, pair, login)
    page.get_by_role("button", name="暂不同意").click()
    page.wait_for_url(f"{pair.a.base_url}/app/visit?refused=declined")
    expect(page.get_by_role("status").first).to_contain_text("按普通方式办理")
    assert_accessible(page)
    page.goto(f"{pair.b.base_url}/app/recognitions")
    expect(page.locator("main")).to_contain_text("现在没有其他城市认可您")


def test_where_nothing_is_open_it_is_said_why_and_only_there(phone: Phones, pair: Pair) -> None:
    page = phone(viewport=LEAST).page
    set_out(page, pair, pair.b.person(band=2))
    main = page.locator("main")
    expect(main).to_contain_text("这次没有可以互认的")
    expect(main).to_contain_text("需要达到")
    expect(page.get_by_role("button", name="同意")).to_have_count(0)
    assert_accessible(page)
    page.get_by_role("button", name="回到杭州").click()
    page.wait_for_url(f"{pair.a.base_url}/app/visit?refused=declined")
    expect(page.locator("main")).not_to_contain_text("需要达到")


def test_a_request_that_was_decided_cannot_be_decided_again(phone: Phones, pair: Pair) -> None:
    page = phone().page
    set_out(page, pair, pair.b.person(band=4))
    there = page.url
    allow(page)
    arrived(page, pair)
    page.goto(there)
    expect(page.get_by_role("heading", level=1)).to_have_text("您已同意")
    expect(page.get_by_role("button")).to_have_count(0)
    assert_accessible(page)


# ------------------------------------------------------------------ what goes wrong on the way


def caught(page: Page, act: Callable[[], None]) -> str:
    """The address that leads back to the visited city, which is not gone to."""
    found: list[str] = []

    def catch(route: Route) -> None:
        found.append(route.request.url)
        route.fulfill(status=204)

    page.context.route("**/recognition/callback?*", catch)
    act()
    deadline = time.monotonic() + 10
    while not found and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    page.context.unroute("**/recognition/callback?*")
    return found[0]


#: The page of arrival as if it had been read long before.
_FIVE_MINUTES_AGO = """
new MutationObserver((_, observer) => {
  const arrival = document.getElementById("arrival");
  if (!arrival) return;
  observer.disconnect();
  arrival.dataset.now -= 300;
}).observe(document, {subtree: true, childList: true});
"""


def test_another_browser_cannot_finish_it_and_the_own_one_still_can(
    phone: Phones, pair: Pair
) -> None:
    page, other = phone().page, phone().page
    set_out(page, pair, pair.b.person(band=4))
    address = caught(page, lambda: allow(page))
    other.goto(address)
    expect(other).to_have_url(f"{pair.a.base_url}/app/visit?refused=visit-refused")
    expect(other.get_by_role("alert").first).to_contain_text("另一个浏览器")
    assert_accessible(other)
    page.goto(address)
    arrived(page, pair)


@pytest.mark.parametrize("part", ["state", "iss"])
def test_a_tampered_answer_is_refused_in_words(phone: Phones, pair: Pair, part: str) -> None:
    page = phone().page
    set_out(page, pair, pair.b.person(band=4))
    address = caught(page, lambda: allow(page))
    page.goto(re.sub(f"{part}=[^&]*", f"{part}=http%3A%2F%2F127.0.0.9", address))
    expect(page).to_have_url(f"{pair.a.base_url}/app/visit?refused=visit-refused")
    expect(page.get_by_role("alert").first).to_contain_text("重新开始")
    page.goto("/app/")
    expect(page).to_have_url(re.compile("/app/sign-in"))


def test_who_arrives_without_the_key_is_told_and_may_begin_again(phone: Phones, pair: Pair) -> None:
    page = phone(viewport=LEAST).page
    page.goto("/app/visit/arrive")
    expect(page.get_by_role("alert")).to_contain_text("不是在这个浏览器里开始的")
    assert_accessible(page)
    page.get_by_role("link", name="重新开始").click()
    expect(page).to_have_url(f"{pair.a.base_url}/app/visit")


def test_an_attempt_of_another_tab_takes_the_place_of_the_first(phone: Phones, pair: Pair) -> None:
    mine, login = phone(), pair.b.person(band=4)
    first, second = mine.page, mine.context.new_page()
    set_out(first, pair, login)
    address = caught(first, lambda: allow(first))
    set_out(second, pair, login)
    first.goto(address)
    expect(first).to_have_url(f"{pair.a.base_url}/app/visit?refused=visit-refused")
    allow(second)
    arrived(second, pair)


def test_a_proof_that_comes_too_old_is_made_again_with_the_servers_nonce(
    phone: Phones, pair: Pair
) -> None:
    mine = phone()
    mine.will_be_refused(400, 401)
    page, asked = mine.page, []
    page.add_init_script(_FIVE_MINUTES_AGO)
    page.on(
        "request",
        lambda request: asked.append(request.url) if "/v1/visits/" in request.url else None,
    )
    visit(page, pair, pair.b.person(band=4))
    paths = [url.removeprefix(pair.a.base_url) for url in asked]
    assert paths == ["/v1/visits/token"] * 2 + ["/v1/visits/session"] * 2


def test_a_network_that_fails_at_the_last_step_may_be_tried_again(
    phone: Phones, pair: Pair
) -> None:
    mine = phone()
    mine.will_be_offline()
    page, tried = mine.page, []

    def lose_once(route: Route) -> None:
        tried.append(route.request.url)
        if len(tried) == 1:
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/v1/visits/token", lose_once)
    set_out(page, pair, pair.b.person(band=4))
    allow(page)
    expect(page.get_by_role("alert")).to_contain_text("再试一次")
    page.get_by_role("link", name="再试一次").click()
    arrived(page, pair)


def test_a_browser_that_keeps_nothing_is_told_before_anybody_is_asked(
    phone: Phones, pair: Pair
) -> None:
    page, asked = phone().page, []
    page.on(
        "request",
        lambda request: asked.append(request.url) if "/v1/visits" in request.url else None,
    )
    page.add_init_script("Object.defineProperty(globalThis, 'indexedDB', {value: undefined})")
    page.goto("/app/visit")
    go = page.get_by_role("button", name="去宁波")
    go.click()
    alert = page.locator("#visit").get_by_role("alert")
    expect(alert).to_contain_text("至少选一项")
    page.locator("input[value=library]").check()
    go.click()
    expect(alert).to_contain_text("不能保存密钥")
    assert asked == []
    assert_accessible(page)


def test_a_city_that_was_expelled_is_not_offered(phone: Phones, pair: Pair) -> None:
    page = phone().page
    with pair.region.without("330200"):
        deadline = time.monotonic() + ENDS_MAX_S
        page.goto("/app/visit")
        while "现在没有可以互认的城市" not in page.locator("main").inner_text():
            assert time.monotonic() < deadline
            time.sleep(1)
            page.reload()
        assert_accessible(page)
    page.reload()
    expect(page.locator("#visit")).to_have_count(1)


# ------------------------------------------------------------------ a visitor's app


def test_a_visitors_pages_are_whole_and_lead_to_no_score(phone: Phones, pair: Pair) -> None:
    mine = phone(viewport=LEAST)
    mine.will_be_refused(403)
    page = mine.page
    visit(page, pair, pair.b.person(band=4), "library", "rent")
    let_the_library_ask(page, pair.a)
    seen: set[str] = set()
    waiting = ["/app/"]
    while waiting:
        path = waiting.pop()
        seen.add(path)
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        assert_accessible(page)
        waiting += sorted(led_to(page) - seen - set(waiting))
    assert not {path for path in seen if re.match("/app/(score|notice|recognitions)", path)}
    assert {"/app/", "/app/scenarios", "/app/code", "/app/lookups", "/app/data"} <= seen
    for path in ("/app/score", "/app/notice", "/app/recognitions"):
        page.goto(path)
        expect(page.locator("main")).to_contain_text("这里只面向本市居民")
        assert_accessible(page)


def led_to(page: Page) -> set[str]:
    """The pages of the app that this one leads to, each kind once."""
    addresses: Any = page.eval_on_selector_all(
        "a[href]", "all => all.map(a => a.getAttribute('href'))"
    )
    pages = {each.partition("#")[0] for each in addresses if each.startswith("/app")}
    return {each for each in pages if not re.search("export|/check|lang=|format=", each)}
