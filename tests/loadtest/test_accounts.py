"""Every answer has its one row, or the account says so; rows beyond have a cause, or it says so."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from loadtest import population, way
from loadtest.accounts import MARKED, UNEXPLAINED, UNREAD, counted, looked_up
from loadtest.party import Shop
from loadtest.questions import Questions
from tests.gateway.city import TestCity
from tests.loadtest import sessions

COUNTS = st.integers(0, 1_000)
FIRST = UUID(int=0)


def silent(_: str) -> None:
    """Report progress to nobody."""


@given(st.lists(st.tuples(COUNTS, COUNTS, COUNTS), max_size=6), st.integers(1, 64))
def test_counting_finds_a_missing_row_in_whichever_round(
    made: list[tuple[int, int, int]], connections: int
) -> None:
    rounds = [
        msgspec.structs.replace(
            sessions.a_round(1), answers=right + wrong, wrong=wrong, recorded=rows
        )
        for right, wrong, rows in made
    ]
    account = counted("run", rounds, connections)
    answered = sum(right for right, _, _ in made)
    short = sum(max(right - rows, 0) for right, _, rows in made)
    assert (account.answered, account.once) == (answered, answered - short)
    assert account.balanced == (answered > 0 and not short)
    # Whatever lies beyond is either under way at the end of its round, or unexplained.
    beyond = sum(max(rows - right, 0) for right, _, rows in made)
    assert sum(account.beyond.values()) == beyond
    under_way = sum(connections + wrong for _, wrong, _ in made)
    assert account.beyond.get(UNREAD, 0) <= under_way


async def recorded(town: TestCity, shop: Shop, folder: Path, count: int) -> list[str]:
    """Ask about so many citizens, past the server; the ids of the answers."""
    holdings = population.shoppers(shop, list(town.city.registry), ["rent"], 3)
    people = await population.settle(town.city, town.owner, count, holdings, silent)
    questions = Questions(town.city, shop, people, ["rent"], folder)
    worker, asked = way.Way(town.city, batch=4), way.on_their_way(questions, count)
    for _, step, _ in way.STAGES:
        await step(worker, asked)
    return [msgspec.json.decode(each.sent)["decision_id"] for each in asked]


async def test_every_answered_id_is_looked_up(town: TestCity, shop: Shop, tmp_path: Path) -> None:
    ids = await recorded(town, shop, tmp_path, 6)
    account = await looked_up(town.owner, "run", FIRST, ids, {200: 6, 503: 2})
    assert account.balanced
    assert (account.answered, account.once, account.rows, account.beyond) == (6, 6, 6, {})
    assert account.refused == {"503": 2}


async def test_an_answer_that_was_made_up_or_told_twice_is_found_out(
    town: TestCity, shop: Shop, tmp_path: Path
) -> None:
    ids = await recorded(town, shop, tmp_path, 3)
    invented = await looked_up(town.owner, "run", FIRST, [*ids, str(uuid4())], {200: 4})
    assert (invented.answered, invented.once, invented.balanced) == (4, 3, False)
    twice = await looked_up(town.owner, "run", FIRST, [*ids, ids[0]], {200: 4})
    assert not twice.balanced


async def test_a_row_beyond_the_answers_has_its_cause(
    town: TestCity, shop: Shop, tmp_path: Path
) -> None:
    ids = await recorded(town, shop, tmp_path, 6)
    await town.owner.execute("INSERT INTO decision_undelivered VALUES ($1)", UUID(ids[0]))
    # One is marked, the connection of one was lost, and for the third there is no reason.
    account = await looked_up(town.owner, "run", FIRST, ids[3:], {200: 3, 0: 1})
    assert account.balanced
    assert account.beyond == {MARKED: 1, UNREAD: 1, UNEXPLAINED: 1}
    assert account.unexplained == 1
    assert account.refused == {"no answer": 1}
