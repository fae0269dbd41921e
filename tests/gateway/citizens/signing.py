"""Making promises as a citizen's page does: a device, a draft, a signature."""

from __future__ import annotations

from typing import Any

import httpx

from tests.gateway.citizens.browser import Browser, Phone

PATH, DEVICES = "/v1/me/commitments", "/v1/me/devices"


async def with_phone(browser: Browser, login: str = "lin") -> Phone:
    """Sign in and register a device."""
    await browser.log_in(login)
    phone = Phone()
    answer = await browser.post(DEVICES, {"name": "phone", "jwk": phone.jwk})
    assert answer.status_code == 201
    return phone


async def shown(browser: Browser, party: str | None = None) -> dict[str, Any]:
    """The draft of a commitment to return what is rented."""
    wish = {"scenario": "rent"} | ({"party": party} if party else {})
    answer = await browser.post(f"{PATH}/drafts", wish)
    assert answer.status_code == 201, answer.text
    draft: dict[str, Any] = answer.json()
    return draft


async def sent(browser: Browser, jws: str, key: str | None = None) -> httpx.Response:
    """Hand in a signature."""
    return await browser.post(PATH, {"jws": jws}, key=key)


async def signed(browser: Browser, phone: Phone, party: str | None = None) -> dict[str, Any]:
    """Read a text, sign it, hand it in; the commitment as the API shows it."""
    answer = await sent(browser, phone.sign(await shown(browser, party)))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made
