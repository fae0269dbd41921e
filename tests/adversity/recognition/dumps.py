"""All rows of a city's database as values, and which of them two databases have in common."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from tests.adversity.recognition.town import Town

#: Whole numbers below say nothing about whom they belong to: amounts, counts, versions.
TELLING = 100_000
#: As are texts and bytes that are shorter.
CHARS = 8

Column = str  # table.column
Values = dict[str, Counter[Column]]  # value → the columns that have it, and how often


async def dump(town: Town) -> Values:
    """Every value of every row, in one spelling."""
    found: Values = defaultdict(Counter)
    for row in await town.rows(_TABLES):
        table = row["name"]
        for each in await town.rows(f'SELECT * FROM "{table}"'):  # the catalogue's own names
            for column, value in each.items():
                for text in atoms(value):
                    found[text][f"{table}.{column}"] += 1
    return found


def atoms(value: Any) -> Iterator[str]:
    """What of a value could tell whom it belongs to."""
    match value:
        case bool() | None:
            return
        case UUID():
            yield value.hex
        case bytes() if len(value) >= CHARS:
            yield value.hex()
        case str() if len(value) >= CHARS:
            # A UUID is the same in whatever spelling.
            yield value.replace("-", "").lower() if _is_uuid(value) else value
        case int() if abs(value) >= TELLING:
            yield str(value)
        case datetime() if value.microsecond:  # whole seconds and days are many people's
            yield value.isoformat()
        case list() | tuple():
            for each in value:
                yield from atoms(each)


def derived(text: str) -> set[str]:
    """The value, and what anybody can compute of it: its hash, in each spelling."""
    made = {text}
    for raw in (text.encode(), *([bytes.fromhex(text)] if _is_hex(text) else [])):
        digest = hashlib.sha256(raw).digest()
        made |= {digest.hex(), base64.urlsafe_b64encode(digest).rstrip(b"=").decode()}
    return made


def shared(ours: Values, theirs: Values, everybodys: set[str]) -> dict[tuple[Column, Column], int]:
    """The columns that have values in common, as they stand or hashed, and how many; but for
    those that are everybody's."""
    index = defaultdict(set)
    for text in theirs:
        for each in derived(text):
            index[each].add(text)
    found: Counter[tuple[Column, Column]] = Counter()
    for text, columns in ours.items():
        if text in everybodys:
            continue
        others = {other for each in derived(text) for other in index.get(each, ())} - everybodys
        for column in columns:
            found.update((column, at) for at in {at for o in others for at in theirs[o]})
    return dict(found)


def common(values: Values, people: int) -> set[str]:
    """Values that half of the people have in one column: they tell nobody apart."""
    return {text for text, columns in values.items() if max(columns.values()) * 2 >= people}


def _is_hex(text: str) -> bool:
    try:
        return bool(bytes.fromhex(text))
    except ValueError:
        return False


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


_TABLES = """
SELECT relname AS name FROM pg_class
 WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname
"""
