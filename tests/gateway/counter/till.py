"""A member of staff with a browser and an authenticator app, and the operator who let them in."""

from __future__ import annotations

import base64
import hmac
import struct
from typing import Any

import httpx
import msgspec

from gateway.clock import SECOND_US, FixedClock
from gateway.counter import staff
from tests.gateway.callers import Callers, body
from tests.gateway.city import MERCHANT

PASSWORD = "correct horse 电池 staple"
LOGIN = "li.na"

SIGN_IN, SECOND = "/v1/counter/sign-in", "/v1/counter/second"
LINK, CHOICE = "/v1/counter/enrolment/link", "/v1/counter/enrolment"
CONFIRM, ME = "/v1/counter/enrolment/confirmation", "/v1/counter/me"


def code_of(secret: str, now_us: int, steps: int = 0) -> str:
    """The six digits of RFC 6238, computed here and not by the library that the gateway uses."""
    counter = struct.pack(">Q", now_us // SECOND_US // 30 + steps)
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    at = digest[-1] & 15
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


class Account(msgspec.Struct, frozen=True):
    """An account that was taken up."""

    login: str
    secret: str
    password: str = PASSWORD


class Till:
    """The counter's own side of the tests: operators, links, browsers."""

    def __init__(self, callers: Callers) -> None:
        self.callers, self.town = callers, callers.town
        self.city, self.owner = callers.town.city, callers.town.owner
        # Codes are of one instant, however long a test takes.
        self.clock = FixedClock(self.city.clock.now_us())
        self.city.sign_in._one_time._clock = self.clock

    async def invite(self, login: str = LOGIN, party: str = MERCHANT) -> str:
        """Open an account as the operator does; the link's token."""
        return await staff.add(self.owner, self.city.ids, party, login, f"{login} 示例")

    def code(self, secret: str, steps: int = 0) -> str:
        """What the app shows now, or some steps of 30 s from now."""
        return code_of(secret, self.clock.now_us(), steps)

    async def take_up(self, token: str, login: str = LOGIN) -> Account:
        """Open a link and set the account up, in a browser that is then thrown away."""
        browser = self.browser()
        offered = body(await browser.post(CHOICE, json={"token": token, "password": PASSWORD}))
        confirmed = await browser.post(CONFIRM, json={"code": self.code(offered["secret"], -1)})
        assert confirmed.status_code == 204, confirmed.text
        return Account(login, offered["secret"])

    async def account(self, login: str = LOGIN, party: str = MERCHANT) -> Account:
        """An account that was opened and taken up. The code of the step before now is used."""
        return await self.take_up(await self.invite(login, party), login)

    def browser(self, **headers: str) -> httpx.AsyncClient:
        """A browser without any cookie."""
        return self.callers.stranger(**headers)

    async def first(self, browser: httpx.AsyncClient, account: Account) -> Any:
        """The first step."""
        asked = {"login": account.login, "password": account.password}
        return await browser.post(SIGN_IN, json=asked)

    async def signed_in(self, account: Account, steps: int = 0) -> httpx.AsyncClient:
        """A browser through both steps, whose page sends the CSRF token."""
        browser = self.browser()
        assert body(await self.first(browser, account)) == {"second": "totp"}
        code = self.code(account.secret, steps)
        assert (await browser.post(SECOND, json={"code": code})).status_code == 204
        browser.headers["x-csrf-token"] = body(await browser.get(ME))["csrf_token"]
        return browser
