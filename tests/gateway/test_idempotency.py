"""The same write sent twice happens once, whatever the timing."""

from __future__ import annotations

import asyncio
from uuid import UUID

import asyncpg
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import IdempotencyMismatch, Malformed, StillRunning
from gateway.idempotency import Act, act, citizen_key, once, parse_key, party_key
from tests.gateway.city import TestCity


class Made(msgspec.Struct, frozen=True):
    number: int


def an_act(body: bytes = b"{}", *, key: str = "k1", principal: str = "party:1") -> Act:
    return act(principal, key, "POST", "/v1/things", body)


class Work:
    """A write that can be counted: one row of staff accesses each time it is done."""

    def __init__(self, town: TestCity, *, pause_s: float = 0.0) -> None:
        self.town, self.pause_s, self.done = town, pause_s, 0

    async def run(self, act: Act | None) -> Made:
        async with self.town.city.database.transaction() as connection:

            async def work() -> Made:
                self.done += 1
                await asyncio.sleep(self.pause_s)
                await connection.execute(
                    "INSERT INTO staff_access (id, staff, purpose, action, citizen)"
                    " VALUES (uuidv7(), 's', 'p', 'a', $1)",
                    UUID(int=self.done),
                )
                return Made(self.done)

            return await once(connection, act, Made, work)

    async def rows(self) -> int:
        return int(await self.town.owner.fetchval("SELECT count(*) FROM staff_access"))


async def test_a_repeat_gets_the_first_answer_and_does_nothing(town: TestCity) -> None:
    work = Work(town)
    assert await work.run(an_act()) == await work.run(an_act()) == Made(1)
    assert await work.rows() == 1


async def test_without_a_key_every_request_is_its_own(town: TestCity) -> None:
    work = Work(town)
    assert [await work.run(None), await work.run(None)] == [Made(1), Made(2)]


async def test_a_key_stands_for_one_method_path_and_body(town: TestCity) -> None:
    work = Work(town)
    await work.run(an_act())
    for other in (
        an_act(b'{"a":1}'),
        act("party:1", "k1", "PUT", "/v1/things", b"{}"),
        act("party:1", "k1", "POST", "/v1/others", b"{}"),
    ):
        with pytest.raises(IdempotencyMismatch):
            await work.run(other)
    assert await work.rows() == 1


async def test_two_callers_keys_never_meet(town: TestCity) -> None:
    work = Work(town)
    await work.run(an_act())
    await work.run(an_act(principal="party:2"))
    assert await work.rows() == 2


async def test_two_at_once_write_one_row_and_read_one_answer(town: TestCity) -> None:
    work = Work(town, pause_s=0.02)
    answers = await asyncio.gather(*(work.run(an_act()) for _ in range(4)))
    assert answers == [Made(1)] * 4
    assert await work.rows() == 1


async def test_a_repeat_is_told_that_a_slow_first_request_still_runs(town: TestCity) -> None:
    slow = asyncio.create_task(Work(town, pause_s=0.5).run(an_act()))
    await asyncio.sleep(0.1)
    work = Work(town)
    with pytest.raises(StillRunning):
        await work.run(an_act())
    assert await slow == Made(1)
    assert await work.run(an_act()) == Made(1)
    assert await work.rows() == 1


async def test_a_failed_write_frees_its_key(town: TestCity) -> None:
    class Lost(Exception):
        """What went wrong on the way."""

    async def fails() -> Made:
        raise Lost

    with pytest.raises(Lost):
        async with town.city.database.transaction() as connection:
            await once(connection, an_act(), Made, fails)
    work = Work(town)
    assert await work.run(an_act(b"another body")) == Made(1)


async def test_the_gateways_role_can_neither_rename_nor_move_a_key(
    connection: asyncpg.Connection[asyncpg.Record],
) -> None:
    for column in ("principal", "key", "body_hash", "at"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f"UPDATE idempotency SET {column} = {column}")


def test_a_citizens_keys_do_not_name_the_citizen() -> None:
    citizen = UUID("01234567-89ab-cdef-0123-456789abcdef")
    assert citizen.hex not in citizen_key(citizen).replace("-", "")
    assert citizen_key(citizen) != citizen_key(UUID(int=1))
    assert party_key(7) == "party:7"


@pytest.mark.parametrize(
    "field",
    ["", "abc", "'abc'", '""', '"abc', '"a"b"', '"a\\b"', '"é"', '"a\tb"', '"' + "a" * 256 + '"'],
)
def test_a_key_is_a_quoted_string_of_at_most_255_characters(field: str) -> None:
    with pytest.raises(Malformed):
        parse_key(field)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=120))
def test_every_printable_key_is_read_as_it_was_meant(key: str) -> None:
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    assert parse_key(f'"{escaped}"') == key
