"""Security keys: a second factor that is its owner's, answers each challenge once, and no other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.counter import staff
from gateway.counter.security_keys import MOST, host_name
from gateway.counter.sign_in import WRONG_CODES
from gateway.local.valkey import Valkey
from gateway.store.migrate import Connection
from tests.engines import Database
from tests.gateway.callers import Callers, body
from tests.gateway.city import open_test_city
from tests.gateway.counter.authenticator import ORIGIN, Authenticator
from tests.gateway.counter.till import LOGIN, ME, SECOND, Account, Till

KEYS, MAKE = "/v1/counter/keys", "/v1/counter/keys/options"
USE, ASK = "/v1/counter/second/key", "/v1/counter/second/key/options"


@pytest.fixture
async def till(
    database: Database, valkey: Valkey, owner: Connection, tmp_path: Path
) -> AsyncIterator[Till]:
    """A shop whose gateway has a name."""
    urls = database.gateway_url, owner, valkey.url
    async with open_test_city(*urls, tmp_path, issuer=ORIGIN) as town:
        await town.party()
        yield Till(Callers(town))


async def registered(till: Till, account: Account, key: Authenticator) -> httpx.AsyncClient:
    """A signed-in browser of an account to which the key was added."""
    browser = await till.signed_in(account)
    made = await add(browser, key)
    assert made.status_code == 201, made.text
    return browser


async def add(browser: httpx.AsyncClient, key: Authenticator, name: str = "key") -> httpx.Response:
    options = body(await browser.post(MAKE))["options"]
    return await browser.post(KEYS, json={"name": name, "credential": key.make(options)})


async def use(browser: httpx.AsyncClient, credential: Any) -> int:
    return (await browser.post(USE, json={"credential": credential})).status_code


async def asked(till: Till, account: Account) -> tuple[httpx.AsyncClient, dict[str, Any]]:
    """A browser through the first step, and what its key is to sign."""
    browser = till.browser()
    assert body(await till.first(browser, account)) == {"second": "webauthn"}
    return browser, body(await browser.post(ASK))["options"]


async def test_strangers_have_no_keys_and_no_challenge(till: Till) -> None:
    stranger = till.browser()
    assert (await stranger.get(KEYS)).status_code == 401
    assert (await stranger.post(MAKE)).status_code == 401
    assert (await stranger.post(ASK)).status_code == 403
    assert await use(stranger, Authenticator().sign({"challenge": "AAAA"})) == 403


async def test_a_key_takes_the_place_of_the_digits_which_go_on_working(till: Till) -> None:
    account, key = await till.account(), Authenticator()
    await registered(till, account, key)
    browser, options = await asked(till, account)
    assert (await browser.get(ME)).status_code == 401
    assert options["rpId"] == "localhost"
    assert await use(browser, key.sign(options)) == 204
    assert body(await browser.get(ME))["login"] == LOGIN
    digits, _ = await asked(till, account)
    code = till.code(account.secret, 1)
    assert (await digits.post(SECOND, json={"code": code})).status_code == 204


async def test_a_challenge_is_answered_once(till: Till) -> None:
    account, key = await till.account(), Authenticator()
    await registered(till, account, key)
    browser, options = await asked(till, account)
    jar = {cookie.name: cookie.value or "" for cookie in browser.cookies.jar}
    answer = key.sign(options)
    assert await use(browser, answer) == 204
    thief = till.browser()
    thief.cookies.update(jar)
    assert await use(thief, answer) == 403
    key.count = 100  # a later signature over the same challenge is refused as well
    assert await use(thief, key.sign(options)) == 403


async def test_anothers_answer_is_none(till: Till) -> None:
    account, key = await till.account(), Authenticator()
    await registered(till, account, key)
    mate, theirs = await till.account("wang.wei"), Authenticator()
    await registered(till, mate, theirs)
    browser, options = await asked(till, account)
    phished = Authenticator(origin="https://evil.example")
    phished.key, phished.identifier = key.key, key.identifier
    elsewhere = Authenticator(host="evil.example")
    elsewhere.key, elsewhere.identifier = key.key, key.identifier
    stranger = Authenticator()
    stranger.identifier = key.identifier
    for wrong in (
        theirs.sign(options),
        phished.sign(options),
        elsewhere.sign(options),
        stranger.sign(options),
        {},
        {"rawId": 7},
    ):
        assert await use(browser, wrong) == 403
        await till.owner.execute("UPDATE counter_staff SET failures = 0")
    assert await use(browser, key.sign({"challenge": "AAAA"})) == 403
    assert await use(browser, key.sign(options)) == 204


async def test_wrong_answers_lock_like_wrong_codes(till: Till) -> None:
    account, key = await till.account(), Authenticator()
    await registered(till, account, key)
    browser, options = await asked(till, account)
    for _ in range(WRONG_CODES):
        assert await use(browser, {}) == 403
    assert await use(browser, key.sign(options)) == 429


async def test_a_key_is_added_in_the_session_that_asked_for_it(till: Till) -> None:
    account, key = await till.account(), Authenticator()
    browser = await till.signed_in(account)
    other = await till.signed_in(account, 1)
    options = body(await browser.post(MAKE))["options"]
    made = {"name": "key", "credential": key.make(options)}
    assert (await other.post(KEYS, json=made)).status_code == 400
    evil = Authenticator(origin="https://evil.example").make(options)
    assert (await browser.post(KEYS, json={"name": "x", "credential": evil})).status_code == 400
    assert (await browser.post(KEYS, json={"name": "x", "credential": {}})).status_code == 400
    assert (await browser.post(KEYS, json=made)).status_code == 201
    assert (await add(browser, key)).status_code == 400, "it was registered before"
    for n in range(MOST - 1):
        assert (await add(browser, Authenticator(), f"key {n}")).status_code == 201
    assert (await add(browser, Authenticator())).status_code == 400


async def test_a_key_that_was_taken_away_opens_nothing(till: Till) -> None:
    account, key = await till.account(), Authenticator()
    browser = await registered(till, account, key)
    mate = await till.signed_in(await till.account("wang.wei"))
    (mine,) = body(await browser.get(KEYS))["keys"]
    assert (await mate.post(f"{KEYS}/{mine['id']}/removal")).status_code == 404
    waiting, options = await asked(till, account)
    assert (await browser.post(f"{KEYS}/{mine['id']}/removal")).status_code == 204
    assert await use(waiting, key.sign(options)) == 403
    assert body(await till.first(till.browser(), account)) == {"second": "totp"}


async def test_a_reset_takes_every_key_away(till: Till) -> None:
    account, key = await till.account(), Authenticator()
    await registered(till, account, key)
    again = await till.take_up(await staff.reset(till.owner, till.city.ids, LOGIN))
    assert body(await till.first(till.browser(), again)) == {"second": "totp"}


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://qjf.example.cn", "qjf.example.cn"),
        ("http://localhost:8700", "localhost"),
        ("http://127.0.0.1:8700", None),
        ("http://[::1]:8700", None),
    ],
)
def test_an_ip_address_is_no_name(address: str, name: str | None) -> None:
    assert host_name(address) == name
