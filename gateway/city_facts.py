"""Loading what the city knows of its citizens besides the score.

Decisions read these facts from the standing, so they are only ever written inside a change of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from uuid import UUID

from gateway.standing import StandingWriter
from gateway.store import city_fact as rows
from gateway.store.city_fact import CityFact

#: Citizens of one change.
BATCH = 200


async def load(writer: StandingWriter, facts: Iterable[CityFact]) -> None:
    """Write facts about existing citizens, each of whom gets one new version of the standing.

    `writer` works on the owner's database: the serving role cannot write these tables. Loading
    the same facts again leaves them as they are.

    Raises:
        AccountClosed: one of them closed the account; the facts of that batch are not written.
    """
    for batch in _by_citizens(facts):
        async with writer.change(*batch) as connection:
            await rows.put(connection, [fact for of_one in batch.values() for fact in of_one])


def _by_citizens(facts: Iterable[CityFact]) -> Iterator[dict[UUID, list[CityFact]]]:
    """The facts of so many citizens at a time, all of one citizen's together."""
    by_citizen: defaultdict[UUID, list[CityFact]] = defaultdict(list)
    for fact in facts:
        by_citizen[fact.citizen].append(fact)
    citizens = list(by_citizen)
    for start in range(0, len(citizens), BATCH):
        yield {citizen: by_citizen[citizen] for citizen in citizens[start : start + BATCH]}
