"""Whoever holds the databases of two cities cannot join them to one person.

The same people visit two cities. Neither two visited cities nor the home city and a visited one
have anything of a person in common, not even hashed; and the order of what visitors did at two
cities joins no better than chance. What is left at the end of the day, when nothing was done, is
in tests/gateway/apart.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from tests.adversity.recognition.dumps import Values, common, dump, shared
from tests.adversity.recognition.league import League, Visitor
from tests.adversity.recognition.town import PARTY, Town
from tests.gateway.citizens.browser import Phone

PEOPLE = 10


@pytest.fixture
def cities() -> int:
    return 3


async def live(visitor: Visitor, at: Town) -> None:
    """What a visitor does in a town: in, a device, a consent, a promise, a question."""
    citizen = await visitor.visit("library", "rent")
    device = {"name": "phone", "jwk": Phone().jwk}
    made = await visitor.write(at, f"{at.issuer}/v1/me/devices", device)
    assert made.status_code == 201, made.text
    await at.town.consent(citizen, recipient="library", scenario="library")
    await at.town.commitment(citizen, scenario="library")
    await at.town.ask(citizen, at.town.principal(PARTY), scenario="library")
    await visitor.close()


async def order_of(town: Town, table: str, column: str, who: str = "citizen") -> list[object]:
    """The people of a table's rows, by a time of theirs."""
    rows = await town.rows(f"SELECT {who} FROM {table} ORDER BY {column}")
    return list(dict.fromkeys(row[who] for row in rows))


def auc(first: Sequence[int], second: Sequence[int]) -> float:
    """How well nearness in rank tells the same person from another: 0.5 is chance."""
    near = {(a, b): -abs(i - j) for i, a in enumerate(first) for j, b in enumerate(second)}
    same = [score for (a, b), score in near.items() if a == b]
    other = [score for (a, b), score in near.items() if a != b]
    wins = sum((s > o) + (s == o) / 2 for s in same for o in other)
    return wins / (len(same) * len(other))


async def test_dumps_of_two_cities_join_no_better_than_chance(
    league: League, capsys: pytest.CaptureFixture[str]
) -> None:
    home, here, there = league.towns
    for number in range(1, PEOPLE + 1):
        await home.person(number)
    before = [await dump(town) for town in league.towns]
    orders = []
    for place, at in enumerate((here, there)):
        orders.append(random.Random(place).sample(range(1, PEOPLE + 1), PEOPLE))
        for number in orders[-1]:
            await live(league.visitor(number, home=home, at=at), at)
    dumps = [await dump(town) for town in league.towns]
    # What was there before anybody came, and what half of them have alike, is nobody's.
    alike = set().union(*(common(each, PEOPLE) for each in dumps))
    known = set().union(*map(set, before)) | alike
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert shared(dumps[one], dumps[other], known) == {}
    ranks = []
    for at, numbers in zip((here, there), orders, strict=True):
        people = await order_of(at, "consent", "from_at")
        ranks.append([numbers[people.index(each)] for each in people])
        for table, column in (("decision", "at_us"), ("device", "registered_at")):
            assert await order_of(at, table, column) == people, table
    chance = auc(*ranks)
    with capsys.disabled():
        told = sum(len(each) for each in dumps)
        print(f"\n{told} values of three cities; AUC of a join by time {chance:.2f}")
    assert abs(chance - 0.5) < 0.25
    assert sum(a == b for a, b in zip(*ranks, strict=True)) <= 4


async def test_the_search_finds_what_is_shared(league: League) -> None:
    """The negative control: a visited city that keeps a home city's names as they came."""
    home, here, _ = league.towns
    await home.person(1)
    before: set[str] = set().union(*map(set, [await dump(town) for town in league.towns]))
    await live(league.visitor(1, home=home, at=here), here)
    (row,) = await home.rows("SELECT id, consent FROM recognition")
    kept = str(row["id"]), row["consent"]
    await here.owner.execute("UPDATE visit SET jti = $1, home_consent = $2", *kept)
    dumps: list[Values] = [await dump(town) for town in league.towns]
    found = shared(dumps[0], dumps[1], before)
    assert ("recognition.id", "visit.jti") in found
    assert ("recognition.consent", "visit.home_consent") in found
