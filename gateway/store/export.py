"""What PostgreSQL holds about one citizen, a page of one section at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("export")

Row: TypeAlias = dict[str, Any]


class RuleRow(msgspec.Struct, frozen=True):
    """A rule that answered, with its stored manifest and the version of the compiler."""

    num: int
    scenario: str
    revision: bytes
    manifest: str
    compiler: int


class TextKey(msgspec.Struct, frozen=True, order=True):
    """A text that was agreed to: the `consent` or the `commitment` of a scenario, by its hash."""

    kind: str
    scenario: str
    text_sha256: bytes


class TextRow(msgspec.Struct, frozen=True):
    """The same with its words, as they were published."""

    text_sha256: str
    kind: str
    scenario: str
    version: str
    zh: str
    en: str


async def page(
    connection: Connection, section: str, citizen: UUID, after: Sequence[Any], limit: int
) -> list[Row]:
    """At most so many rows of a section, in the order of their keys, from after a place on."""
    rows = await connection.fetch(getattr(_sql, section), citizen, *after, limit)
    return [dict(row) for row in rows]


async def texts(connection: Connection, wanted: Sequence[TextKey]) -> list[TextRow]:
    """The words of texts; those that were never published are left out."""
    rows = await connection.fetch(
        _sql.texts,
        [key.kind for key in wanted],
        [key.scenario for key in wanted],
        [key.text_sha256 for key in wanted],
    )
    return [TextRow(**row) for row in rows]


async def rules(connection: Connection, numbers: Sequence[int]) -> list[RuleRow]:
    """Rules by their numbers."""
    return [RuleRow(**row) for row in await connection.fetch(_sql.rules, numbers)]
