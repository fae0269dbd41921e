"""Device keys: one citizen's for ever, and stopped at once when lost."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from gateway.devices import DEVICES_MAX
from gateway.store.migrate import Connection
from tests.gateway.citizens.browser import Browser, Phone

PATH = "/v1/me/devices"


async def registered(browser: Browser, phone: Phone, name: str = "我的手机") -> httpx.Response:
    return await browser.post(PATH, {"name": name, "jwk": phone.jwk})


async def test_a_stranger_has_no_devices(browser: Browser) -> None:
    assert (await browser.get(PATH)).status_code == 401
    assert (await registered(browser, Phone())).status_code == 401
    await browser.log_in()
    token = browser.csrf
    browser.csrf = "x"
    assert (await registered(browser, Phone())).status_code == 403
    browser.csrf = token
    nobodys = f"{PATH}/00000000-0000-0000-0000-000000000000/revocation"
    assert (await browser.post(nobodys)).status_code == 404
    assert (await browser.post(f"{PATH}/not-an-id/revocation")).status_code == 404


async def test_a_device_is_registered_under_its_own_thumbprint(browser: Browser) -> None:
    await browser.log_in()
    phone = Phone()
    answer = await registered(browser, phone)
    assert answer.status_code == 201
    assert answer.json()["kid"] == phone.kid
    assert (await browser.get(PATH)).json() == {"devices": [answer.json()]}
    again = await registered(browser, phone, "another name")
    assert again.json() == answer.json()


async def test_what_webcrypto_exports_is_taken(browser: Browser) -> None:
    await browser.log_in()
    jwk = Phone().jwk | {"ext": True, "key_ops": ["verify"]}
    assert (await browser.post(PATH, {"name": "p", "jwk": jwk})).status_code == 201


@pytest.mark.parametrize(
    "change",
    [
        {"d": "A" * 43},
        {"kid": "mine"},
        {"crv": "P-384"},
        {"kty": "OKP", "crv": "Ed25519"},
        {"x": "A" * 43},
        {"x": "A" * 42},
        {"use": "enc"},
        {"key_ops": ["sign"]},
        {"y": None},
    ],
)
async def test_only_a_public_key_of_the_right_kind_is_taken(
    browser: Browser, owner: Connection, change: dict[str, Any]
) -> None:
    await browser.log_in()
    answer = await browser.post(PATH, {"name": "p", "jwk": Phone().jwk | change})
    assert answer.status_code == 400
    assert await owner.fetchval("SELECT count(*) FROM device") == 0


@pytest.mark.parametrize("name", ["", "x" * 41, "a\nb", 7])
async def test_a_device_has_a_name_that_people_can_read(browser: Browser, name: object) -> None:
    await browser.log_in()
    answer = await browser.post(PATH, {"name": name, "jwk": Phone().jwk})
    assert answer.status_code == 400


async def test_a_key_is_one_citizens_for_ever(browser: Browser, other: Browser) -> None:
    await browser.log_in("lin")
    await other.log_in("mei")
    phone = Phone()
    device = (await registered(browser, phone)).json()["id"]
    assert (await registered(other, phone)).status_code == 409
    await browser.post(f"{PATH}/{device}/revocation")
    for again in (browser, other):
        assert (await registered(again, phone)).status_code == 409


async def test_a_citizen_sees_and_revokes_the_own_devices_only(
    browser: Browser, other: Browser
) -> None:
    await browser.log_in("lin")
    await other.log_in("mei")
    device = (await registered(browser, Phone())).json()["id"]
    assert (await other.get(PATH)).json() == {"devices": []}
    assert (await other.post(f"{PATH}/{device}/revocation")).status_code == 404
    (held,) = (await browser.get(PATH)).json()["devices"]
    assert held["revoked_at"] is None


async def test_there_are_so_many_devices_and_no_more_even_at_once(browser: Browser) -> None:
    await browser.log_in()
    for _ in range(DEVICES_MAX - 1):
        assert (await registered(browser, Phone())).status_code == 201
    at_once = await asyncio.gather(*(registered(browser, Phone()) for _ in range(3)))
    assert sorted(answer.status_code for answer in at_once) == [201, 409, 409]


async def test_a_loss_may_be_found_out_later_and_is_never_unlearned(browser: Browser) -> None:
    await browser.log_in()
    device = (await registered(browser, Phone())).json()["id"]
    path = f"{PATH}/{device}/revocation"
    first = (await browser.post(path)).json()
    assert first["revoked_at"] is not None
    assert first["compromised_since"] is None
    for told, held in (
        ("2026-03-01T00:00:00+08:00", "2026-02-28T16:00:00.000Z"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z"),
        ("2026-04-01T00:00:00Z", "2026-01-01T00:00:00.000Z"),
    ):
        answer = (await browser.post(path, {"compromised_since": told})).json()
        assert answer["compromised_since"] == held
        assert answer["revoked_at"] == first["revoked_at"]


@pytest.mark.parametrize("since", ["2999-01-01T00:00:00Z", "2026-01-01T00:00:00", "yesterday", 5])
async def test_a_loss_lies_in_the_past_at_an_instant(browser: Browser, since: object) -> None:
    await browser.log_in()
    device = (await registered(browser, Phone())).json()["id"]
    answer = await browser.post(f"{PATH}/{device}/revocation", {"compromised_since": since})
    assert answer.status_code == 400
    (held,) = (await browser.get(PATH)).json()["devices"]
    assert held["revoked_at"] is None
