"""Whether what another city said of its citizens may still be relied on.

Every decision about a visitor requires in its commit that this holds, so here is where a city that
was struck off, or whose agreement stopped, stops counting: at once, whatever else is cached.
"""

from __future__ import annotations

from gateway.recognition.trust import Trust
from gateway.store import freshness as rows
from gateway.store.database import Connection


async def close_where_not_agreed(connection: Connection, trust: Trust, now_us: int) -> int:
    """End the freshness of each city with which nothing is open now; returns of how many."""
    return await rows.close(connection, trust.partners(now_us))


async def extend(
    connection: Connection, trust: Trust, code: str, until_us: int, now_us: int
) -> int | None:
    """Say until when a city's word is fresh; returns what holds now, None where none does.

    At most until the list of cities expires, and only while the list by which `trust` judges is
    still the one that PostgreSQL has: an older judgement never undoes `close_where_not_agreed`.
    The city needs its row in `issuer`.
    """
    content = trust.content
    if content is None or trust.agreed(code, now_us) is None:
        return None
    return await rows.extend(connection, code, until_us, content)
