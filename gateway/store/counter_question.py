"""What staff asked at a counter, in PostgreSQL."""

from __future__ import annotations

from uuid import UUID

import msgspec

from gateway.store.database import Connection
from gateway.store.sql import queries

_sql = queries("counter_question")


class NewQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question as it is asked. `key` is the page's own name for it."""

    id: UUID
    party: int
    staff: UUID
    key: str
    desk: str | None
    scenario: str
    reference: str | None


class QuestionRow(msgspec.Struct, frozen=True):
    """A question of the list; `outcome` is the answer's, `request` the consent request's state."""

    id: UUID
    at_us: int
    scenario: str
    staff: str
    mine: bool
    desk: str | None
    reference: str | None
    decision: UUID | None
    outcome: int | None
    request: str | None


async def add(connection: Connection, question: NewQuestion) -> UUID:
    """Note a question before it is asked; a repeat of one gets that one's id."""
    values = msgspec.structs.astuple(question)
    added: UUID | None = await connection.fetchval(_sql.add, *values)
    if added is not None:
        return added
    # A statement of its own: only now is a rival's row under the same key visible.
    known: UUID = await connection.fetchval(_sql.of_key, question.staff, question.key)
    return known


async def is_undecided(connection: Connection, question: UUID, staff: UUID) -> bool:
    """Whether a question of this person has no answer yet."""
    return bool(await connection.fetchval(_sql.undecided, question, staff))


async def waits(connection: Connection, question: UUID, request: UUID) -> None:
    """The citizen is asked for a consent first."""
    await connection.execute(_sql.waits, question, request)


async def decided(connection: Connection, question: UUID, decision: UUID) -> None:
    """The answer came."""
    await connection.execute(_sql.decided, question, decision)


async def page(
    connection: Connection, party: int, staff: UUID, *, before: UUID, since_us: int, limit: int
) -> list[QuestionRow]:
    """Questions of a party's staff since an instant, newest first."""
    rows = await connection.fetch(_sql.page, party, staff, before, since_us, limit)
    return [QuestionRow(**row) for row in rows]
