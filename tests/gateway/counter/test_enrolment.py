"""Taking up an account: a link is good once, for a day, and for whom it was made."""

from __future__ import annotations

import base64
import urllib.parse

import pytest

from gateway import qr
from gateway.counter import staff
from gateway.counter.passwords import COMMON, LENGTH_MIN
from tests.gateway.callers import body
from tests.gateway.counter.till import CHOICE, CONFIRM, LINK, LOGIN, ME, PASSWORD, Till, code_of


async def test_a_strangers_link_opens_nothing(till: Till) -> None:
    token = await till.invite()
    for other in ("A" * 32, token[:-1], token[:-1] + ("A" if token[-1] != "A" else "B"), "x"):
        browser = till.browser()
        for path, sent in ((LINK, {}), (CHOICE, {"password": PASSWORD})):
            assert (await browser.post(path, json={"token": other} | sent)).status_code == 404
        assert (await browser.post(CONFIRM, json={"code": "123456"})).status_code == 403


async def test_a_link_shows_whose_account_it_is(till: Till) -> None:
    shown = body(await till.browser().post(LINK, json={"token": await till.invite()}))
    assert shown == {"login": LOGIN, "name": f"{LOGIN} 示例", "party": "bike-shop"}


async def test_a_link_is_good_once(till: Till) -> None:
    token = await till.invite()
    browser = till.browser()
    first = body(await browser.post(CHOICE, json={"token": token, "password": PASSWORD}))
    # Giving up in between leaves the link as it was, for this browser or another.
    late = till.browser()
    other = body(await late.post(CHOICE, json={"token": token, "password": PASSWORD}))
    assert first["secret"] != other["secret"]
    confirmed = await browser.post(CONFIRM, json={"code": till.code(first["secret"])})
    assert confirmed.status_code == 204
    assert body(await browser.get(ME))["login"] == LOGIN
    too_late = await late.post(CONFIRM, json={"code": till.code(other["secret"])})
    assert too_late.status_code == 403
    assert (await late.post(LINK, json={"token": token})).status_code == 404
    kept = await till.owner.fetchrow("SELECT password, totp FROM counter_staff")
    assert kept is not None
    assert kept["password"].startswith("$argon2id$")
    assert base64.b32decode(first["secret"]) not in kept["totp"]
    assert first["secret"].encode() not in kept["totp"]


async def test_a_wrong_code_takes_up_nothing(till: Till) -> None:
    browser = till.browser()
    asked = {"token": await till.invite(), "password": PASSWORD}
    secret = body(await browser.post(CHOICE, json=asked))["secret"]
    wrong = f"{(int(till.code(secret)) + 7) % 1_000_000:06}"
    assert (await browser.post(CONFIRM, json={"code": wrong})).status_code == 403
    assert await till.owner.fetchval("SELECT password FROM counter_staff") is None
    assert (await browser.post(CONFIRM, json={"code": till.code(secret)})).status_code == 204


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE counter_enrolment SET expires_at = clock_timestamp()",
        "UPDATE counter_enrolment SET used_at = clock_timestamp()",
        "UPDATE counter_staff SET status = 'suspended'",
        "UPDATE party SET status = 'suspended'",
    ],
)
async def test_a_link_ends_between_its_two_steps_too(till: Till, end: str) -> None:
    token, browser = await till.invite(), till.browser()
    secret = body(await browser.post(CHOICE, json={"token": token, "password": PASSWORD}))["secret"]
    await till.owner.execute(end)
    assert (await browser.post(LINK, json={"token": token})).status_code == 404
    if "party" not in end:  # the party's suspension ends the session instead
        assert (await browser.post(CONFIRM, json={"code": till.code(secret)})).status_code == 403
    assert (await browser.get(ME)).status_code == 401


async def test_a_reset_ends_password_second_factor_sessions_and_older_links(till: Till) -> None:
    before = await till.account()
    browser = await till.signed_in(before)
    first = await staff.reset(till.owner, till.city.ids, LOGIN)
    token = await staff.reset(till.owner, till.city.ids, LOGIN)
    assert (await browser.get(ME)).status_code == 401
    assert (await till.first(till.browser(), before)).status_code == 403
    assert (await till.browser().post(LINK, json={"token": first})).status_code == 404
    assert body(await till.browser().post(LINK, json={"token": token}))["login"] == LOGIN


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("x" * (LENGTH_MIN - 1), "too-short"),
        ("elevenchars", "too-short"),
        (f"my-{LOGIN}-word-1", "holds-login"),
        (f"MY-{LOGIN.upper()}-WORD-1", "holds-login"),
        ("aaaaaaaaaaaaaaaa", "too-common"),
        ("Password1234", "too-common"),
        ("ｐａｓｓｗｏｒｄ１２３４", "too-common"),
    ],
)
async def test_a_weak_password_is_not_taken(till: Till, password: str, reason: str) -> None:
    asked = {"token": await till.invite(), "password": password}
    answer = await till.browser().post(CHOICE, json=asked)
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"pointer": "/password", "detail": reason}]
    assert password not in answer.text


def test_the_list_of_common_passwords_holds_what_the_length_lets_through() -> None:
    assert all(len(each) >= LENGTH_MIN and each == each.casefold() for each in COMMON)


async def test_the_qr_code_is_the_secret_of_an_authenticator_app(till: Till) -> None:
    asked = {"token": await till.invite(), "password": PASSWORD}
    offered = body(await till.browser().post(CHOICE, json=asked))
    address = till.city.enrolments._one_time.address(offered["secret"], LOGIN)
    assert offered["qr"] == qr.svg(address)
    parts = urllib.parse.urlsplit(address)
    given = urllib.parse.parse_qs(parts.query)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert given["secret"] == [offered["secret"]]
    # The library's defaults are the ones that every app assumes: SHA-1, six digits, 30 seconds.
    assert not given.keys() & {"algorithm", "digits", "period"}


def test_the_codes_of_the_tests_are_those_of_the_rfc() -> None:
    """RFC 6238, appendix B: the last six digits of its SHA-1 column."""
    secret = base64.b32encode(b"12345678901234567890").decode()
    for second, code in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        assert code_of(secret, second * 1_000_000) == code
