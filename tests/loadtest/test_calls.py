"""Every call is sent once over HTTP and found again, and the books see a row that is not there."""

from __future__ import annotations

import asyncpg
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest import calls, client, population, requests, whole
from loadtest.books import Books, books
from loadtest.calls import Options, audit
from loadtest.party import Shop
from loadtest.questions import Questions
from tests.engines import Database
from tests.gateway.city import TestCity
from tests.loadtest.conftest import Gateway

SMALL = Options(calls=6, rounds=1, connections=2)
PAIRS = st.dictionaries(st.text(max_size=3), st.uuids().map(str), min_size=1, max_size=8)


def silent(_: str) -> None:
    """Report progress to nobody."""


async def test_every_kind_of_call_is_answered_and_on_record_exactly_once(
    gateway: Gateway, town: TestCity, shop: Shop
) -> None:
    lines = await calls.run(gateway, town.city, town.owner, shop, SMALL, silent)

    assert [line.name for line in lines] == [
        *("token", "consent grant", "commitment sign", "lookups", "withdrawal")
    ]
    for line in lines:
        assert (line.failed, line.books.balanced, line.books.beyond) == (0, True, 0), line
        assert line.books.acknowledged == line.calls == 12
        assert 0 < line.p50_ms <= line.p99_ms


async def test_a_grant_whose_row_is_gone_or_doubled_is_found_out(
    gateway: Gateway, town: TestCity, shop: Shop, database: Database
) -> None:
    """The negative control of the bookkeeping."""
    people = await whole.visitors(town.city, 4, silent)
    links = await whole.links(town.city, shop, len(people))
    granting = requests.grants(gateway, town.city, people, links)
    replies = await client.send_each(gateway.host, gateway.port, granting.requests, 2)
    assert (await audit(town.owner, granting, replies)).balanced

    superuser = await asyncpg.connect(database.superuser_url)
    try:
        # Promises refuse to be forgotten; only a superuser gets around that.
        await superuser.execute("SET session_replication_role = replica")
        await superuser.execute("DELETE FROM consent WHERE citizen = $1", people[0].citizen)
        await superuser.execute(
            "INSERT INTO consent SELECT gen_random_uuid(), version, citizen, recipient, scenario,"
            " purpose, fields, text_version, text_sha256, from_at, to_at, frequency, status"
            " FROM consent WHERE citizen = $1",
            people[1].citizen,
        )
    finally:
        await superuser.close()

    found = await audit(town.owner, granting, replies)
    assert found == Books(acknowledged=4, once=2, missing=1, doubled=1, beyond=0)
    assert not found.balanced


async def test_a_write_that_was_refused_is_not_acknowledged(
    gateway: Gateway, town: TestCity, shop: Shop
) -> None:
    people = await whole.visitors(town.city, 2, silent)
    links = await whole.links(town.city, shop, len(people))
    honest = requests.grants(gateway, town.city, people, links)
    forged = msgspec.structs.replace(people[1], csrf="x" * 43)
    granting = requests.grants(gateway, town.city, [people[0], forged], links)
    assert granting.keys == honest.keys

    replies = await client.send_each(gateway.host, gateway.port, granting.requests, 1)

    assert [reply.status for reply in replies] == [200, 403]
    kept = await audit(town.owner, granting, replies)
    assert kept == Books(acknowledged=1, once=1, missing=0, doubled=0, beyond=0)


async def test_a_populations_questions_are_all_answered_yes(
    gateway: Gateway, town: TestCity, shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> None:
    holdings = population.shoppers(shop, list(town.city.registry), ["rent"], 3)
    people = await population.settle(town.city, town.owner, 5, holdings, silent)
    folder = tmp_path_factory.mktemp("questions")
    questions = Questions(town.city, shop, people, ["rent"], folder)

    sent = questions.requests(gateway.host, gateway.port)
    replies = await client.send_each(gateway.host, gateway.port, sent, 2)

    bodies = [msgspec.json.decode(reply.body) for reply in replies if reply.status == 200]
    assert [body["outcome"] for body in bodies] == ["eligible"] * 5


@given(PAIRS)
def test_books_balance_where_each_write_has_its_row(pairs: dict[str, str]) -> None:
    kept = books(pairs.items(), pairs.items())
    assert kept.balanced
    assert (kept.once, kept.beyond) == (len(pairs), 0)


@given(PAIRS, st.data())
def test_a_row_that_is_missing_is_counted(pairs: dict[str, str], data: st.DataObject) -> None:
    lost = data.draw(st.sampled_from(sorted(pairs)))
    kept = books(pairs.items(), [(k, v) for k, v in pairs.items() if k != lost])
    assert (kept.missing, kept.once, kept.balanced) == (1, len(pairs) - 1, False)


@given(PAIRS, st.data())
def test_a_row_nobody_acknowledged_is_told_apart(
    pairs: dict[str, str], data: st.DataObject
) -> None:
    """The client may have gone before the answer: such rows are listed, and are no fault."""
    unread = data.draw(st.sampled_from(sorted(pairs)))
    kept = books([(k, v) for k, v in pairs.items() if k != unread], pairs.items())
    assert (kept.beyond, kept.missing, kept.doubled) == (1, 0, 0)
    assert kept.balanced == (len(pairs) > 1)


def test_books_in_which_nothing_was_acknowledged_do_not_balance() -> None:
    assert not books([], []).balanced
