"""Whose word on their citizens stops counting: struck off the list, or without an agreement.

Every decision about a visitor requires in its commit that the home city is fresh, so here is where
a city that is out stops: at once, whatever else is cached.
"""

from __future__ import annotations

from gateway.recognition.trust import Trust
from gateway.store import freshness as rows
from gateway.store.database import Connection


async def close_where_not_agreed(connection: Connection, trust: Trust, now_us: int) -> int:
    """End the freshness of each city with which nothing is open now; returns of how many."""
    return await rows.close(connection, trust.partners(now_us))


async def still_agreed(connection: Connection, trust: Trust, code: str, now_us: int) -> bool:
    """Whether something is open with a city, by the list that PostgreSQL has this very moment.

    The list cannot be replaced until the transaction ends. Whoever makes a city fresh asks here in
    the same transaction: a judgement by the list before would undo `close_where_not_agreed`.
    """
    content = trust.content
    if content is None or trust.agreed(code, now_us) is None:
        return False
    return await rows.is_kept(connection, content)
