"""Strangers who use up what there is at an address keep nobody out who shows more than they can."""

from __future__ import annotations

import pytest

from gateway.clock import FixedClock
from gateway.counter.attempts import Attempts, place_of
from gateway.errors import TooManyRequests
from tests.gateway.callers import body
from tests.gateway.counter.till import (
    CHOICE,
    CONFIRM,
    LINK,
    LOGIN,
    PASSWORD,
    SECOND,
    SIGN_IN,
    Till,
)

OTHER = "wang.wei"


async def flood(till: Till) -> None:
    """Strangers try people whom nobody knows until nothing from this address is looked at.

    It is one instant long: nothing comes back meanwhile.
    """
    attempts = Attempts(till.clock)
    till.city.sign_in._attempts = till.city.enrolments._attempts = attempts
    for n in range(60):
        attempts.stranger(f"nobody-{n}", "127.0.0.1")
    asked = {"login": "nobody", "password": "a guess of mine"}
    assert (await till.browser().post(SIGN_IN, json=asked)).status_code == 429


async def test_in_a_flood_from_its_own_address_the_known_browser_gets_in(till: Till) -> None:
    account = await till.account()
    browser = await till.signed_in(account)
    browser.cookies.delete(till.city.counter_sessions.cookie)
    await flood(till)
    assert body(await till.first(browser, account)) == {"second": "totp"}
    code = till.code(account.secret, 1)
    assert (await browser.post(SECOND, json={"code": code})).status_code == 204


async def test_in_a_flood_a_browser_known_for_one_login_is_a_stranger_for_another(
    till: Till,
) -> None:
    browser = await till.signed_in(await till.account())
    other = await till.account(OTHER)
    await flood(till)
    assert (await till.first(browser, other)).status_code == 429


async def test_in_a_flood_whoever_passed_the_first_step_finishes_the_second(till: Till) -> None:
    account, browser = await till.account(), till.browser()
    await till.first(browser, account)
    await flood(till)
    assert (await browser.post(SECOND, json={"code": till.code(account.secret)})).status_code == 204


async def test_in_a_flood_a_link_is_taken_up(till: Till) -> None:
    token, browser = await till.invite(), till.browser()
    await flood(till)
    assert body(await browser.post(LINK, json={"token": token}))["login"] == LOGIN
    offered = body(await browser.post(CHOICE, json={"token": token, "password": PASSWORD}))
    code = till.code(offered["secret"])
    assert (await browser.post(CONFIRM, json={"code": code})).status_code == 204


async def test_a_link_and_a_second_step_are_bounded_by_themselves(till: Till) -> None:
    account, token = await till.account(), await till.invite(OTHER)
    browser, attempts = till.browser(), Attempts(till.clock)
    till.city.sign_in._attempts = till.city.enrolments._attempts = attempts
    opened = [(await browser.post(LINK, json={"token": token})).status_code for _ in range(31)]
    assert (opened[:30], opened[30]) == ([200] * 30, 429)
    await till.first(browser, account)
    number = await till.owner.fetchval(
        "SELECT id FROM counter_staff WHERE login = $1", account.login
    )
    for _ in range(30):
        attempts.account(number)
    # The code is right, and there was no wrong one for which the account would wait.
    code = till.code(account.secret)
    assert (await browser.post(SECOND, json={"code": code})).status_code == 429


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("", ""),
    ],
)
def test_an_address_of_ipv6_counts_as_its_customers_network(address: str, place: str) -> None:
    assert place_of(address) == place


def test_strangers_of_one_network_are_one() -> None:
    attempts = Attempts(FixedClock(0))
    for n in range(60):
        attempts.stranger(f"login-{n}", f"2001:db8::{n + 1:x}")
    with pytest.raises(TooManyRequests):
        attempts.stranger("another", "2001:db8::ffff")
    attempts.stranger("another", "2001:db8:0:1::1")
