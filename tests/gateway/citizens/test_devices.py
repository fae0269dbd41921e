"""Device keys: one citizen's for ever, and stopped at once when lost."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from gateway.clock import rfc3339
from gateway.devices import DEVICES_EVER, DEVICES_MAX
from gateway.store.migrate import Connection
from tests.gateway.citizens.browser import Browser, Phone
from tests.gateway.citizens.signing import DEVICES as PATH
from tests.gateway.citizens.signing import PATH as COMMITMENTS
from tests.gateway.citizens.signing import signed, with_phone
from tests.gateway.city import MERCHANT, TestCity


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


async def test_a_name_may_change_and_nothing_else_does(browser: Browser, other: Browser) -> None:
    nobodys = f"{PATH}/00000000-0000-0000-0000-000000000000/name"
    assert (await browser.post(nobodys, {"name": "x"})).status_code == 401
    await browser.log_in("lin")
    await other.log_in("mei")
    assert (await browser.post(nobodys, {"name": "x"})).status_code == 404
    device = (await registered(browser, Phone(), "旧手机")).json()
    path = f"{PATH}/{device['id']}/name"
    assert (await other.post(path, {"name": "mine"})).status_code == 404
    for name in ("", "x" * 41, "a\nb", 7):
        assert (await browser.post(path, {"name": name})).status_code == 400
    answer = await browser.post(path, {"name": "家里的平板"})
    assert (answer.status_code, answer.json()) == (200, device | {"name": "家里的平板"})
    await browser.post(f"{PATH}/{device['id']}/revocation")
    assert (await browser.post(path, {"name": "丢了的"})).json()["name"] == "丢了的"


async def test_one_device_too_many_is_told_so(browser: Browser, owner: Connection) -> None:
    await browser.log_in()
    citizen = await owner.fetchval("SELECT id FROM citizen")
    # As many as there may ever be, all of them stopped long ago.
    await owner.execute(
        "INSERT INTO device (id, citizen, kid, jwk, name, revoked_at)"
        " SELECT gen_random_uuid(), $1, n::text, '{}', 'old', now() FROM generate_series(1, $2) n",
        *(citizen, DEVICES_EVER - 1),
    )
    assert (await registered(browser, Phone())).status_code == 201
    answer = await registered(browser, Phone())
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:qianjiang:problem:too-many-devices"


async def test_a_device_says_what_it_signed(browser: Browser) -> None:
    phone = await with_phone(browser)
    other_phone = Phone()
    await registered(browser, other_phone)
    made = await signed(browser, phone)
    first, second = (await browser.get(PATH)).json()["devices"]
    assert second["signed"] == []
    (told,) = first["signed"]
    assert told == {
        **{name: made[name] for name in ("id", "scenario", "towards", "status", "signed_at")},
        "title": told["title"],
    }
    assert told["title"]["zh"]
    # Signed anew with the other device, it is that device's.
    await signed(browser, other_phone)
    first, second = (await browser.get(PATH)).json()["devices"]
    assert first["signed"] == []
    assert [each["id"] for each in second["signed"]] == [made["id"]]


async def test_what_a_revocation_would_void_is_what_it_voids(
    browser: Browser, other: Browser, town: TestCity
) -> None:
    nobodys = f"{PATH}/00000000-0000-0000-0000-000000000000/revocation"
    assert (await browser.get(nobodys)).status_code == 401
    await town.party()
    phone = await with_phone(browser)
    assert (await browser.get(nobodys)).status_code == 404
    before = await signed(browser, phone)
    since = rfc3339(town.city.clock.now_us() + 1000)  # written in milliseconds, rounded down
    after = await signed(browser, phone, MERCHANT)
    (device,) = (await browser.get(PATH)).json()["devices"]
    path = f"{PATH}/{device['id']}/revocation"
    await other.log_in("mei")
    assert (await other.get(path)).status_code == 404

    async def void(query: str) -> set[str]:
        answer = await browser.get(path + query)
        assert answer.status_code == 200, answer.text
        return {each["id"] for each in answer.json()["void"]}

    assert await void("") == set()
    assert await void("?compromised_since=2026-01-01T00:00:00Z") == {before["id"], after["id"]}
    assert await void("?compromised_since=2026-01-01T08:00:00%2B08:00") == {
        before["id"],
        after["id"],
    }
    foreseen = await void(f"?compromised_since={since}")
    assert foreseen == {after["id"]}
    assert (await browser.get(PATH)).json()["devices"] == [device], "asking stops nothing"
    await browser.post(path, {"compromised_since": since})
    states = {c["id"]: c["status"] for c in (await browser.get(COMMITMENTS)).json()["commitments"]}
    assert {each for each, status in states.items() if status == "void"} == foreseen
    assert await void(f"?compromised_since={since}") == set(), "what is void stays so"


@pytest.mark.parametrize("since", ["2999-01-01T00:00:00Z", "2026-01-01T00:00:00", "x", "", "5"])
async def test_a_foreseen_loss_lies_in_the_past_at_an_instant(browser: Browser, since: str) -> None:
    await browser.log_in()
    device = (await registered(browser, Phone())).json()["id"]
    answer = await browser.get(f"{PATH}/{device}/revocation?compromised_since={since}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/compromised_since"
