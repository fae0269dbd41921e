"""Who may have a record, that it is one, and that nobody can read it."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from litestar.types import ASGIApp

from gateway.errors import AdultsOnly, IdentityRefused
from gateway.identity_number import check_letter, parse_identity_number
from gateway.local.people import person
from gateway.oidc import Told
from gateway.store.migrate import Connection
from gateway.vault import SealBroken
from tests.gateway.citizens.browser import Browser, Phone, open_browser
from tests.gateway.citizens.conftest import NOT_SYNTHETIC, personas
from tests.gateway.city import TestCity

TABLES = (
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
)


def told(login: int = 1, **changes: Any) -> Told:
    who = person(login)
    given: dict[str, Any] = {
        "issuer": "https://login.example",
        "subject": who.login,
        "name": who.name,
        "id_number": who.id_number,
        "birthdate": who.birthdate.isoformat(),
        "full_capacity": True,
    }
    return Told(**(given | changes))


async def records(owner: Connection) -> int:
    """Rows that would be about a person."""
    return sum(
        [
            await owner.fetchval(f"SELECT count(*) FROM {table}")
            for table in ("citizen", "login", "session", "standing", "standing_change", "device")
        ]
    )


@pytest.mark.parametrize("login", ["child", "ward"])
async def test_a_minor_or_one_without_full_capacity_hears_a_plain_word_and_leaves_no_trace(
    browser: Browser, owner: Connection, login: str
) -> None:
    answer = await browser.log_in(login)
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:qianjiang:problem:adults-only"
    assert "十八周岁" in answer.json()["title"]
    assert "set-cookie" not in answer.headers
    assert await records(owner) == 0


@pytest.mark.parametrize("login", ["solid", "twisted", "garbled"])
async def test_an_identity_that_the_issuer_cannot_vouch_for_leaves_no_trace(
    browser: Browser, owner: Connection, login: str
) -> None:
    answer = await browser.log_in(login)
    assert (answer.status_code, answer.json()["type"]) == (
        403,
        "urn:qianjiang:problem:identity-refused",
    )
    assert await records(owner) == 0


async def test_an_issuer_of_real_people_cannot_make_one_up(
    strict_town: TestCity, owner: Connection
) -> None:
    async with open_browser(strict_town.city) as browser:
        answer = await browser.log_in("lin")
        assert answer.json()["type"] == "urn:qianjiang:problem:identity-refused"
        assert await records(owner) == 0
        assert (await browser.log_in("solid")).status_code == 303


async def test_majority_begins_on_the_birthday_in_hangzhou(
    strict_town: TestCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 2026-06-01 00:00 in Hangzhou is 16:00 UTC of the day before.
    digits = "11010520080601001"
    birthday = told(id_number=digits + check_letter(digits), birthdate="2008-06-01")
    midnight_us = 1_780_243_200_000_000
    monkeypatch.setattr(strict_town.city.clock, "now_us", lambda: midnight_us - 1)
    with pytest.raises(AdultsOnly):
        await strict_town.city.citizens.enrol(birthday)
    monkeypatch.setattr(strict_town.city.clock, "now_us", lambda: midnight_us)
    await strict_town.city.citizens.enrol(birthday)


async def test_capacity_is_asked_at_every_login(town: TestCity) -> None:
    await town.city.citizens.enrol(told())
    with pytest.raises(AdultsOnly):
        await town.city.citizens.enrol(told(full_capacity=False))


async def test_a_person_is_one_citizen_by_whichever_login(
    browser: Browser, other: Browser, owner: Connection
) -> None:
    await browser.log_in("lin")
    await browser.log_in("lin")
    await other.log_in("lin-again")
    assert await owner.fetchval("SELECT count(*) FROM citizen") == 1
    assert await owner.fetchval("SELECT count(*) FROM login") == 2
    assert await owner.fetchval("SELECT count(*) FROM standing") == 1
    assert (await other.get("/v1/me")).json()["who"] == (await browser.get("/v1/me")).json()["who"]


async def test_two_first_logins_at_once_make_one_citizen(town: TestCity, owner: Connection) -> None:
    citizens = town.city.citizens
    found = await asyncio.gather(*(citizens.enrol(told(n % 3 + 1)) for n in range(12)))
    assert len(set(found)) == 3
    assert await owner.fetchval("SELECT count(*) FROM citizen") == 3
    assert await owner.fetchval("SELECT count(*) FROM standing") == 3


async def test_a_login_never_becomes_another_persons(town: TestCity, owner: Connection) -> None:
    await town.city.citizens.enrol(told(1))
    await town.city.citizens.enrol(told(2))
    for number in (2, 3):
        with pytest.raises(IdentityRefused):
            await town.city.citizens.enrol(told(number, subject=told(1).subject))
    assert await owner.fetchval("SELECT count(*) FROM citizen") == 2


async def test_a_citizens_key_says_nothing_and_is_never_the_same_in_two_cities(
    town: TestCity, owner: Connection
) -> None:
    citizen = await town.city.citizens.enrol(told())
    number = told().id_number
    index = await owner.fetchval("SELECT identity_index FROM citizen")
    assert number not in citizen.hex
    assert len(index) == 32
    assert (await town.city.citizens.person(citizen)).id_number == number


async def test_another_citizens_seal_does_not_open(town: TestCity, owner: Connection) -> None:
    one = await town.city.citizens.enrol(told(1))
    two = await town.city.citizens.enrol(told(2))
    await owner.execute(
        "UPDATE citizen SET identity = (SELECT identity FROM citizen WHERE id = $1) WHERE id = $2",
        *(one, two),
    )
    with pytest.raises(SealBroken):
        await town.city.citizens.person(two)


async def test_no_table_and_no_log_holds_a_number_or_a_name(
    site: ASGIApp,
    town: TestCity,
    owner: Connection,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = [NOT_SYNTHETIC]
    for who in personas():
        secrets += [who.id_number, who.name]
        async with open_browser(town.city, site) as browser:
            if (await browser.log_in(who.login)).status_code == 303:
                await lived_in(browser)
    dump = ""
    for table in await owner.fetch(TABLES):
        rows = await owner.fetch(f'SELECT row_to_json(t)::text FROM "{table["relname"]}" AS t')
        dump += "\n".join(row[0] for row in rows)
    logged = caplog.text + "".join(capfd.readouterr())
    assert dump.count("identity_index") == 2
    for secret in secrets:
        for spelling in (secret, secret.encode().hex(), json.dumps(secret)[1:-1]):
            assert spelling not in dump
            assert spelling not in logged


async def lived_in(browser: Browser) -> None:
    """Say and sign all that a citizen can."""
    text = (await browser.get("/v1/me/notice")).json()["text_sha256"]
    word = {"status": "given", "text_sha256": text}
    assert (await browser.post("/v1/me/score-authorisation", word)).status_code == 200
    phone = Phone()
    made = await browser.post("/v1/me/devices", {"name": "phone", "jwk": phone.jwk})
    draft = (await browser.post("/v1/me/commitments/drafts", {"scenario": "rent"})).json()
    signed = await browser.post("/v1/me/commitments", {"jws": phone.sign(draft)})
    assert (made.status_code, signed.status_code) == (201, 201)


def test_what_the_provider_said_shows_itself_to_no_log() -> None:
    said = told()
    for shown in (repr(said), str(said), repr([said])):
        assert said.id_number not in shown
        assert said.name not in shown
    assert parse_identity_number(said.id_number).synthetic
