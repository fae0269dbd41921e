"""What three dumps tell somebody who has them all, and tries everything.

A dump is every row of every table, in the order in which a dump has them. A person's rows are those
that name the person, or something that is named by them alone. The attacker knows which rows belong
together within one city, and wants to know who of one city is who of another.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from tests.engines import Database

#: A column of a table, with its values by person: of the first row of each, and apart from them of
#: the second (`table.column/2`), and so on. `place` is where the row lies in the dump.
Columns = dict[str, dict[int, Any]]

#: So far from chance (in standard deviations) is a join. Among ten thousand pairs of columns that
#: have nothing to do with each other, one lies beyond in fifty thousand runs.
FAR: Final = 6.5

#: People of whom every value is looked for everywhere, which takes long.
SOME: Final = 20

_TABLES = """
SELECT c.relname FROM pg_class AS c
 WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
"""


class Dump(msgspec.Struct):
    """One city's database, its rows sorted by person; what is nobody's is in `text` alone."""

    columns: Columns
    text: str


async def dump(database: Database, people: Sequence[UUID]) -> Dump:
    """Everything in a database; person `n` is `people[n]` there."""
    connection = await asyncpg.connect(database.superuser_url)
    try:
        names = [row[0] for row in await connection.fetch(_TABLES)]
        tables = {name: await connection.fetch(f'SELECT * FROM "{name}"') for name in names}
    finally:
        await connection.close(timeout=5)
    owners = _owners(tables, people)
    columns: Columns = defaultdict(dict)
    seen: Counter[tuple[str, int]] = Counter()
    for table, rows in tables.items():
        for place, row in enumerate(rows):
            for person in {owners[each] for each in _names(row) if each in owners}:
                seen[table, person] += 1
                nth = f"/{seen[table, person]}" if seen[table, person] > 1 else ""
                for column, value in (*row.items(), ("place", place)):
                    if value is not None:
                        columns[f"{table}.{column}{nth}"][person] = value
    text = "\n".join(_spelled(value) for rows in tables.values() for row in rows for value in row)
    return Dump(dict(columns), text)


def _owners(
    tables: Mapping[str, Sequence[asyncpg.Record]], people: Sequence[UUID]
) -> dict[UUID, int]:
    """Whose every id is: a person's, or of a row of that one person."""
    owners = {citizen: person for person, citizen in enumerate(people)}
    for _ in range(3):  # facts belong to a decision, which belongs to a person
        found: dict[UUID, set[int]] = defaultdict(set)
        for row in (row for rows in tables.values() for row in rows):
            whose = {owners[each] for each in _names(row) if each in owners}
            for name in _names(row):
                found[name] |= whose
        owners |= {name: whose.pop() for name, whose in found.items() if len(whose) == 1}
    return owners


def _names(row: asyncpg.Record) -> list[UUID]:
    return [value for value in row.values() if isinstance(value, UUID)]


def equal_for_everybody(ours: Columns) -> set[str]:
    """Columns in which everybody has the same."""
    return {name for name, values in ours.items() if len(set(map(_spelled, values.values()))) == 1}


def equalities(ours: Columns, theirs: Columns, people: int) -> Iterator[str]:
    """Pairs of columns that hold the same of one person more often than of two."""
    constant = equal_for_everybody(ours) | equal_for_everybody(theirs)
    shuffled = random.Random(5).sample(range(people), people)
    for mine, values in ours.items():
        spelled = {person: _spelled(value) for person, value in values.items()}
        for other, others in theirs.items():
            if {mine, other} & constant:
                continue
            same = sum(spelled[p] == _spelled(others[p]) for p in spelled.keys() & others.keys())
            chance = sum(
                spelled[p] == _spelled(others[shuffled[p]])
                for p in spelled
                if shuffled[p] in others
            )
            # Of numbers from 1 to n one in the mean is where it would be by chance, and never ten.
            if same > 10 + 3 * chance:
                yield f"{mine} = {other}: {same} of {len(spelled)}, by chance {chance}"


def likenesses(ours: Columns, theirs: Columns) -> Iterator[str]:
    """Pairs of columns by whose order people could be matched: the first here is the first there,
    or nearly. Spearman's rank correlation, in standard deviations of what chance gives."""
    ranked = {name: _ranks(values) for name, values in theirs.items()}
    for mine, values in ours.items():
        ranks = _ranks(values)
        for other, others in ranked.items():
            both = sorted(ranks.keys() & others.keys())
            far = _distance([ranks[p] for p in both], [others[p] for p in both])
            if abs(far) > FAR:
                yield f"{mine} ~ {other}: {far:.1f}"


def _ranks(values: Mapping[int, Any]) -> dict[int, float]:
    """Each person's rank by a column; equal values share the mean of theirs."""
    ordered = sorted(values, key=lambda person: _sortable(values[person]))
    times = Counter(_sortable(value) for value in values.values())
    ranks: dict[int, float] = {}
    start = 0
    while start < len(ordered):
        count = times[_sortable(values[ordered[start]])]
        for person in ordered[start : start + count]:
            ranks[person] = start + (count - 1) / 2
        start += count
    return ranks


def _distance(ours: Sequence[float], theirs: Sequence[float]) -> float:
    count = len(ours)
    if count < 10:
        return 0.0
    mean = sum(ours) / count, sum(theirs) / count
    spread = [
        math.sqrt(sum((rank - middle) ** 2 for rank in ranks))
        for ranks, middle in zip((ours, theirs), mean, strict=True)
    ]
    if not all(spread):
        return 0.0  # everybody has the same
    shared = sum((a - mean[0]) * (b - mean[1]) for a, b in zip(ours, theirs, strict=True))
    return shared / (spread[0] * spread[1]) * math.sqrt(count - 1)


def _sortable(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return _spelled(value) if isinstance(value, (list, UUID, bytes)) else value


def _spelled(value: Any) -> str:
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return str(int(value.timestamp()))  # to the second
    return str(value)


def found_again(ours: Columns, theirs: Dump) -> Iterator[str]:
    """Columns of whose values, too long to be guessed and not everybody's, one of some people's
    stands anywhere in another dump, as it is or as its SHA-256, which has no key."""
    for name in ours.keys() - equal_for_everybody(ours):
        for value in list(ours[name].values())[:SOME]:
            if isinstance(value, (list, date)) or len(_spelled(value)) < 20:
                continue
            raw = value if isinstance(value, bytes) else str(value).encode()
            forms = {_spelled(value), str(value), hashlib.sha256(raw).hexdigest()}
            if any(form in theirs.text for form in forms):
                yield name
                break
