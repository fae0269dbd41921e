"""Signing in at the counter: two factors, one message, bounds that keep no honest person out."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gateway.counter import staff
from gateway.counter.passwords import Passwords
from gateway.counter.sign_in import WRONG_CODES
from tests.gateway.callers import body
from tests.gateway.counter.till import LOGIN, ME, PASSWORD, SECOND, SIGN_IN, Till

REFUSED = "urn:qianjiang:problem:sign-in-refused"


def refused(answer: httpx.Response) -> bool:
    return answer.status_code == 403 and answer.json()["type"] == REFUSED


async def sign_in(browser: httpx.AsyncClient, login: str, password: str) -> httpx.Response:
    return await browser.post(SIGN_IN, json={"login": login, "password": password})


async def second(browser: httpx.AsyncClient, code: str) -> httpx.Response:
    return await browser.post(SECOND, json={"code": code})


# ------------------------------------------------------------------ who does not get in


async def test_every_refusal_of_the_first_step_reads_alike(till: Till) -> None:
    account = await till.account()
    await till.account("stopped.one")
    await staff.suspend(till.owner, "stopped.one")
    await till.invite("not.yet")
    answers = [
        await sign_in(till.browser(), "nobody", PASSWORD),
        await sign_in(till.browser(), account.login, PASSWORD + "x"),
        await sign_in(till.browser(), "stopped.one", PASSWORD),
        await sign_in(till.browser(), "not.yet", PASSWORD),
    ]
    assert all(refused(answer) for answer in answers)
    assert len({answer.content for answer in answers}) == 1
    assert not any(answer.cookies for answer in answers)
    await till.owner.execute("UPDATE party SET status = 'suspended'")
    assert (await sign_in(till.browser(), account.login, PASSWORD)).content == answers[0].content


async def test_a_login_that_nobody_has_costs_a_hash_like_any_other(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await till.account()
    checked: list[bool] = []
    check = Passwords._check

    def counting(self: Passwords, password: str, kept: str | None) -> bool:
        checked.append(kept is not None)
        return check(self, password, kept)

    monkeypatch.setattr(Passwords, "_check", counting)
    await sign_in(till.browser(), "nobody", PASSWORD)
    await sign_in(till.browser(), account.login, "wrong password")
    assert checked == [False, True]


async def test_the_second_step_cannot_be_skipped_or_reached_without_the_first(till: Till) -> None:
    account = await till.account()
    browser = till.browser()
    assert refused(await second(browser, till.code(account.secret)))
    await till.first(browser, account)
    assert (await browser.get(ME)).status_code == 401
    ticket = next(iter(browser.cookies.jar))
    for cookie in (till.city.counter_sessions.cookie, till.city.sessions.cookie):
        forged = till.browser(cookie=f"{cookie}={ticket.value}")
        assert (await forged.get(ME)).status_code == 401
    for value in ("", "x", "A" * 3000, f"{ticket.value}"[:-2] + "AA"):
        forged = till.browser(cookie=f"{ticket.name}={value}")
        assert refused(await second(forged, till.code(account.secret)))


async def test_a_ticket_dies_with_the_password_that_it_was_given_for(till: Till) -> None:
    account = await till.account()
    browser = till.browser()
    await till.first(browser, account)
    again = await till.take_up(await staff.reset(till.owner, till.city.ids, LOGIN))
    assert refused(await second(browser, till.code(again.secret)))
    assert refused(await second(browser, till.code(account.secret)))


# ------------------------------------------------------------------ the code


async def test_a_code_is_good_once_and_none_before_it_is_good_any_more(till: Till) -> None:
    account = await till.account()  # used the code of the step before
    for steps, good in ((-1, False), (0, True), (0, False), (-1, False), (1, True), (1, False)):
        browser = till.browser()
        await till.first(browser, account)
        answer = await second(browser, till.code(account.secret, steps))
        assert (answer.status_code == 204) is good, (steps, answer.text)
        assert good or refused(answer)


@pytest.mark.parametrize("steps", [-3, 3])
async def test_a_code_of_another_minute_is_wrong(till: Till, steps: int) -> None:
    account = await till.account()
    browser = till.browser()
    await till.first(browser, account)
    assert refused(await second(browser, till.code(account.secret, steps)))


async def test_of_two_browsers_with_one_code_one_gets_in(till: Till) -> None:
    account = await till.account()
    browsers = [till.browser(), till.browser()]
    for browser in browsers:
        await till.first(browser, account)
    code = till.code(account.secret)
    statuses = sorted([(await second(browser, code)).status_code for browser in browsers])
    assert statuses == [204, 403]


async def test_wrong_codes_lock_for_a_while_and_never_for_good(till: Till) -> None:
    account = await till.account()
    browser = till.browser()
    await till.first(browser, account)
    code = till.code(account.secret)
    wrong = f"{(int(code) + 7) % 1_000_000:06}"
    for _ in range(WRONG_CODES):
        assert refused(await second(browser, wrong))
    locked = await second(browser, code)
    assert locked.status_code == 429
    assert int(locked.headers["retry-after"]) >= 50
    # A lock is longer after each further failure, up to a quarter of an hour.
    for expected_s in (120, 240, 480, 900, 900):
        await till.owner.execute("UPDATE counter_staff SET locked_until = clock_timestamp()")
        assert refused(await second(browser, wrong))
        left = "SELECT extract(epoch FROM locked_until - clock_timestamp()) FROM counter_staff"
        assert expected_s - 5 < await till.owner.fetchval(left) <= expected_s
    await till.owner.execute("UPDATE counter_staff SET locked_until = clock_timestamp()")
    assert (await second(browser, till.code(account.secret))).status_code == 204
    assert await till.owner.fetchval("SELECT failures FROM counter_staff") == 0


# ------------------------------------------------------------------ bounds on attempts


async def test_guessers_are_told_to_come_back_and_the_known_browser_is_not(till: Till) -> None:
    account = await till.account()
    known = await till.signed_in(account)
    known.cookies.delete(till.city.counter_sessions.cookie)
    throttle = till.city.sign_in._attempts._by_login
    # Guesses from thirty places.
    assert [throttle.wait_s(account.login) for _ in range(30)][-1] > 0
    stranger = await sign_in(till.browser(), account.login, "a guess of mine")
    assert stranger.status_code == 429
    assert int(stranger.headers["retry-after"]) > 0
    assert body(await till.first(known, account)) == {"second": "totp"}


async def test_an_unknown_login_is_bounded_like_a_known_one(till: Till) -> None:
    account = await till.account()

    async def tries(login: str) -> int:
        # The hash is not what is counted here.
        till.city.sign_in._attempts._by_address._full_at.clear()
        for n in range(12):
            if (await sign_in(till.browser(), login, "guess")).status_code == 429:
                return n
        return -1

    assert await tries("nobody") == await tries(account.login) == 10


# ------------------------------------------------------------------ the session


async def test_a_session_begins_with_a_new_identifier(till: Till) -> None:
    account = await till.account()
    name = till.city.counter_sessions.cookie
    planted = "A" * 32
    browser = till.browser()
    browser.cookies.set(name, planted, domain="127.0.0.1")
    await till.first(browser, account)
    answer = await second(browser, till.code(account.secret))
    fresh = answer.cookies[name]
    assert fresh != planted
    assert (await till.browser(cookie=f"{name}={planted}").get(ME)).status_code == 401
    again = till.browser(cookie=f"{name}={fresh}")
    told = body(await again.get(ME))
    assert (told["login"], told["party"]) == (account.login, "bike-shop")


async def test_signing_in_again_ends_the_browsers_session_before(till: Till) -> None:
    account = await till.account()
    browser = await till.signed_in(account)
    name = till.city.counter_sessions.cookie
    before = browser.cookies[name]
    await till.first(browser, account)
    assert (await second(browser, till.code(account.secret, 1))).status_code == 204
    assert (await till.browser(cookie=f"{name}={before}").get(ME)).status_code == 401


async def test_cookies_are_out_of_scripts_and_other_sites_reach(till: Till) -> None:
    account = await till.account()
    browser = till.browser()
    first = await till.first(browser, account)
    answer = await second(browser, till.code(account.secret))
    set_cookies = [
        field for each in (first, answer) for field in each.headers.get_list("set-cookie")
    ]
    assert len(set_cookies) == 4
    for field in set_cookies:
        assert "HttpOnly" in field
        assert "SameSite=strict" in field
        assert "Path=/" in field


@pytest.mark.parametrize("path", [SIGN_IN, SECOND])
async def test_another_sites_page_signs_nobody_in(till: Till, path: str) -> None:
    for origin in ("https://evil.example", "null"):
        asked: dict[str, Any] = {"login": LOGIN, "password": PASSWORD}
        sent = asked if path == SIGN_IN else {"code": "123456"}
        answer = await till.browser(origin=origin).post(path, json=sent)
        assert answer.json()["type"] == "urn:qianjiang:problem:forbidden"


async def test_signing_out_ends_it_everywhere(till: Till) -> None:
    browser = await till.signed_in(await till.account())
    copy = till.browser(
        cookie=f"{(name := till.city.counter_sessions.cookie)}={browser.cookies[name]}"
    )
    assert (await browser.post("/v1/counter/sign-out")).status_code == 204
    assert (await copy.get(ME)).status_code == 401


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE counter_session SET idle_until = clock_timestamp()",
        "UPDATE counter_session SET expires_at = clock_timestamp()",
        "UPDATE counter_staff SET status = 'suspended'",
        "UPDATE counter_staff SET status = 'closed'",
        "UPDATE party SET status = 'suspended'",
        "UPDATE party SET tokens_not_before = clock_timestamp()",
    ],
)
async def test_a_session_ends_at_once_with_what_it_stands_on(till: Till, end: str) -> None:
    browser = await till.signed_in(await till.account())
    assert (await browser.get(ME)).status_code == 200
    await till.owner.execute(end)
    assert (await browser.get(ME)).status_code == 401


async def test_a_session_in_use_goes_on(till: Till) -> None:
    browser = await till.signed_in(await till.account())
    await till.owner.execute(
        "UPDATE counter_session SET idle_until = clock_timestamp() + interval '10 seconds'"
    )
    assert (await browser.get(ME)).status_code == 200
    left = "SELECT extract(epoch FROM idle_until - clock_timestamp()) FROM counter_session"
    assert max(row[0] for row in await till.owner.fetch(left)) > 1100


async def test_without_a_name_there_are_no_security_keys(till: Till) -> None:
    browser = await till.signed_in(await till.account())
    assert body(await browser.get("/v1/counter/keys")) == {"keys": [], "possible": False}
    assert (await browser.post("/v1/counter/keys/options")).status_code == 404
    assert (await till.browser().post("/v1/counter/second/key/options")).status_code == 404
