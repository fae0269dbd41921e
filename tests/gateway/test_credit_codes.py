"""A code works once, over two workers, while its session lasts; and PostgreSQL holds no code."""

from __future__ import annotations

import asyncio
import hashlib
from typing import NamedTuple
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.credit_codes import QR_CHARS, CreditCodes, Redeemed, Shown, is_typed
from gateway.errors import GatewayError, NotFound, Unauthenticated
from gateway.store.migrate import Connection
from tests.gateway.city import TestCity
from tests.gateway.desks import open_desk

DESK = "123456"


class Browser(NamedTuple):
    """A signed-in citizen's browser: whose, its cookie, and the hash under which it is kept."""

    citizen: UUID
    cookie: str
    session: bytes

    async def show(self, town: TestCity, desk: str | None = None) -> Shown:
        return await town.city.credit_codes.show(self.citizen, self.session, desk)


@pytest.fixture
async def browser(town: TestCity) -> Browser:
    await town.party()
    await open_desk(town, DESK)
    citizen = await town.ready()
    cookie = await town.city.sessions.begin(citizen)
    return Browser(citizen, cookie, hashlib.sha256(cookie.encode()).digest())


async def tried(town: TestCity, code: str, desk: str | None = None) -> Redeemed | GatewayError:
    try:
        return await town.city.credit_codes.redeem(town.principal(), code, "rent", desk=desk)
    except GatewayError as fault:
        return fault


@pytest.mark.parametrize("desk", [None, DESK])
async def test_of_two_hundred_at_once_over_two_workers_one_gets_it(
    town: TestCity, other_worker: TestCity, browser: Browser, desk: str | None
) -> None:
    await other_worker.city.parties.refresh(force=True)
    shown = await browser.show(town, desk)
    workers = town, other_worker
    answers = await asyncio.gather(*(tried(workers[n % 2], shown.code, desk) for n in range(200)))
    assert len([answer for answer in answers if isinstance(answer, Redeemed)]) == 1
    # Who came later was late, or is told to come again, and is late then.
    assert any(isinstance(answer, NotFound) for answer in answers)
    used = "SELECT count(*) FROM credit_code WHERE used_at IS NOT NULL"
    assert await town.owner.fetchval(used) == 1


async def test_a_code_dies_with_the_session_it_was_made_in_and_with_no_other(
    town: TestCity, browser: Browser
) -> None:
    shown = await browser.show(town)
    await town.city.sessions.begin(browser.citizen)
    await town.owner.execute(
        "UPDATE session SET ended_at = clock_timestamp() WHERE id_hash <> $1", browser.session
    )
    assert isinstance(await tried(town, shown.code), Redeemed)
    shown = await browser.show(town)
    await town.owner.execute("UPDATE session SET expires_at = clock_timestamp()")
    assert isinstance(await tried(town, shown.code), NotFound)
    with pytest.raises(Unauthenticated):
        await browser.show(town)


async def test_a_login_anew_ends_the_codes_of_the_session_before(
    town: TestCity, browser: Browser
) -> None:
    shown = await browser.show(town)
    await town.city.sessions.begin(browser.citizen, instead_of=browser.cookie)
    assert isinstance(await tried(town, shown.code), NotFound)


async def test_nobody_shows_a_code_in_anothers_session(town: TestCity, browser: Browser) -> None:
    other = await town.ready()
    await town.city.sessions.begin(other)
    with pytest.raises(Unauthenticated):
        await town.city.credit_codes.show(other, browser.session)


async def test_an_erased_citizens_code_leads_nowhere(town: TestCity, browser: Browser) -> None:
    shown = await browser.show(town)
    await town.owner.execute("UPDATE citizen SET erased_at = clock_timestamp()")
    assert isinstance(await tried(town, shown.code), NotFound)


async def test_the_database_holds_neither_codes_nor_what_eight_digits_can_be_found_from(
    town: TestCity, browser: Browser
) -> None:
    codes = [(await browser.show(town, desk)).code for desk in (None, DESK)]
    row = "SELECT string_agg(to_jsonb(k)::text, '') FROM credit_code AS k"
    held = await town.owner.fetchval(row)
    for code in codes:
        for plain in (code, f"{DESK}/{code}", f"/{code}"):
            assert code not in held
            assert hashlib.sha256(plain.encode()).hexdigest() not in held


async def test_the_serving_role_cannot_move_a_code_to_another(connection: Connection) -> None:
    for statement in (
        "UPDATE credit_code SET citizen = gen_random_uuid()",
        "UPDATE credit_code SET expires_at = 'infinity'",
        "INSERT INTO desk (number, party, kind, place) VALUES ('123456', 1, 'counter', 'x')",
        "UPDATE desk SET party = 1",
        "UPDATE consent_request SET desk = '123456'",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)


async def test_a_code_that_is_taken_at_its_desk_is_drawn_again(
    town: TestCity, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter(["11111111", "11111111", "22222222"])
    monkeypatch.setattr(CreditCodes, "_digits", lambda _self: next(drawn))
    assert [(await browser.show(town, DESK)).code for _ in range(2)] == ["11111111", "22222222"]


@given(st.text(max_size=10) | st.text("0123456789", min_size=7, max_size=9))
def test_a_typed_code_is_eight_digits_and_nothing_else(text: str) -> None:
    assert is_typed(text) == (len(text) == 8 and all(char in "0123456789" for char in text))
    assert not is_typed(text * QR_CHARS)
