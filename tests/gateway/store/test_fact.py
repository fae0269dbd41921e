"""Negative facts are deleted when their five years are over, to the day (ZJ 16), and no others."""

from __future__ import annotations

from datetime import date, timedelta

import asyncpg
import pytest

from gateway.store import fact as rows
from gateway.store.migrate import Connection
from scoring import Dimension, Fact, negative_end
from tests.engines import Database

ALL = 1 << 20
DAY = timedelta(days=1)


def fact(source: str, determined: date | None, expires: date | None = None) -> Fact:
    """A fact about nobody in particular."""
    return Fact(
        department="enforcement",
        code="penalty",
        dimension=Dimension.LAW,
        value="serious",
        effective=determined or date(2019, 1, 1),
        expires=expires,
        determined=determined,
        source=source,
    )


async def put(owner: Connection, *facts: Fact) -> None:
    """Facts of one person."""
    await rows.put(owner, [(b"index", one) for one in facts])


async def left(owner: Connection) -> list[str]:
    """The sources of what is on file."""
    found = await owner.fetch("SELECT source_ref FROM fact ORDER BY source_ref")
    return [row["source_ref"] for row in found]


async def test_the_statement_counts_the_five_years_as_the_rules_do(owner: Connection) -> None:
    first = date(2020, 1, 1)
    days = [first + n * DAY for n in range(10 * 366)]
    await put(owner, *(fact(day.isoformat(), day) for day in days))
    for today in (
        *(date(2025, 2, 28), date(2025, 3, 1), date(2028, 2, 28), date(2028, 2, 29)),
        *(date(2028, 3, 1), date(2029, 2, 27), date(2029, 2, 28), date(2029, 3, 1)),
    ):
        await rows.forget_ended(owner, today, ALL)
        lawful = [day.isoformat() for day in days if negative_end(day) > today]
        assert await left(owner) == lawful


async def test_only_negative_facts_whose_use_has_ended_are_deleted(owner: Connection) -> None:
    today = date(2026, 6, 15)
    long_ago, lately = date(2021, 6, 15), date(2021, 6, 16)
    await put(
        owner,
        fact("ended today", long_ago),
        fact("said to last longer", long_ago, date(2030, 1, 1)),
        fact("shorter term, over", lately, today),
        fact("a day left", lately),
        fact("shorter term, a day left", lately, today + DAY),
        fact("positive and over", None, date(2020, 1, 1)),
        fact("positive", None),
    )
    assert await rows.forget_ended(owner, today, 2) == 2
    assert await rows.forget_ended(owner, today, 2) == 1
    assert await rows.forget_ended(owner, today, 2) == 0
    assert await left(owner) == [
        *("a day left", "positive", "positive and over", "shorter term, a day left")
    ]


async def test_a_fact_that_is_being_corrected_is_not_waited_for(
    owner: Connection, database: Database
) -> None:
    await put(owner, fact("1", date(2020, 1, 1)), fact("2", date(2020, 1, 1)))
    other = await asyncpg.connect(database.owner_url)
    async with other.transaction():
        await other.execute("UPDATE fact SET value = '1' WHERE source_ref = '1'")
        assert await rows.forget_ended(owner, date(2026, 1, 1), ALL) == 1
    await other.close()
    assert await rows.forget_ended(owner, date(2026, 1, 1), ALL) == 1


async def test_the_serving_role_can_delete_no_fact(connection: Connection) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await rows.forget_ended(connection, date(2026, 1, 1), ALL)
