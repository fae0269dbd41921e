"""Durability, run by run: every answered id has exactly one row, and the rest by its cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal
from uuid import UUID

import msgspec

from loadtest.closed import Round
from loadtest.offered import NO_ANSWER, UNSENT, Result
from loadtest.serving import Owner

#: Why a row may have no answer that was read.
MARKED = "recorded, and marked as not delivered"
UNREAD = "its answer was not read: the connection or the run ended first"
UNEXPLAINED = "unexplained"


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `by` says whether every id was looked up or rows were counted.

    Of `answered`, `once` have exactly one row. `beyond` are rows without an answer that was read,
    by cause; `refused` are answers that were none, by status.
    """

    run: str
    by: Literal["id", "count"]
    answered: int
    once: int
    rows: int
    beyond: dict[str, int]
    refused: dict[str, int]

    @property
    def balanced(self) -> bool:
        """Whether there were answers, and each has its one row."""
        return 0 < self.answered == self.once

    @property
    def unexplained(self) -> int:
        """Rows that should not be there."""
        return self.beyond.get(UNEXPLAINED, 0)


def counted(run: str, rounds: Iterable[Round], connections: int) -> Account:
    """The account of a closed loop that keeps no ids: as many rows as answers.

    At the end of a round as many questions as there are connections may be under way, and to
    answers read twice a row that is missing elsewhere would be lost: so it is counted by round.
    """
    answered = once = rows = unread = unexplained = wrong = 0
    for each in rounds:
        right = each.answers - each.wrong
        more = max(each.recorded - right, 0)
        answered, rows, wrong = answered + right, rows + each.recorded, wrong + each.wrong
        once += min(right, each.recorded)
        unread += min(more, connections + each.wrong)
        unexplained += max(more - connections - each.wrong, 0)
    return Account(
        run=run,
        by="count",
        answered=answered,
        once=once,
        rows=rows,
        beyond=_present({UNREAD: unread, UNEXPLAINED: unexplained}),
        refused=_present({"other than 200": wrong}),
    )


async def looked_up(
    owner: Owner, run: str, first: UUID, ids: Sequence[str], statuses: Mapping[int, int]
) -> Account:
    """The account of a run that kept the id of every answer, from all rows since `first`."""
    rows = await owner.fetch(
        "SELECT d.id::text AS id, u.decision IS NOT NULL AS marked FROM decision AS d"
        " LEFT JOIN decision_undelivered AS u ON u.decision = d.id WHERE d.id >= $1",
        first,
    )
    held, answered = Counter(row["id"] for row in rows), set(ids)
    beyond = [row for row in rows if row["id"] not in answered]
    marked = sum(row["marked"] for row in beyond)
    unread = min(len(beyond) - marked, statuses.get(NO_ANSWER, 0))
    return Account(
        run=run,
        by="id",
        answered=len(ids),
        once=sum(held[each] == 1 for each in answered),
        rows=len(rows),
        beyond=_present(
            {MARKED: marked, UNREAD: unread, UNEXPLAINED: len(beyond) - marked - unread}
        ),
        refused=_present(
            {_named(status): count for status, count in statuses.items() if status != 200}
        ),
    )


async def of_stream(owner: Owner, run: str, first: UUID, result: Result, stream: str) -> Account:
    """The account of one stream of an open-loop run."""
    answers = next(each for each in result.streams if each.name == stream)
    ids = [each.id for each in answers if each.status == 200]
    return await looked_up(owner, run, first, ids, answers.statuses)


def _named(status: int) -> str:
    return {NO_ANSWER: "no answer", UNSENT: "never sent"}.get(status, str(status))


def _present(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}
