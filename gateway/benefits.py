"""What keeping their word gave a citizen: deposits that did not have to be paid, in fen.

Only what is on file as a waived deposit counts; nothing is estimated. A waiver is settled when what
was borrowed is back, and open until then.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from gateway.store import city_fact as rows
from gateway.store.city_fact import WaivedInMonth
from gateway.store.database import Database

#: Lines by month and legal entity, the newest first; the sums count everything.
LINES_MAX: Final = 120


class Benefits(msgspec.Struct, frozen=True):
    """Deposits waived so far: sums over all of them, and the newest months by legal entity.

    `more` says that older months have lines as well.
    """

    total_fen: int
    settled_fen: int
    open_fen: int
    times: int
    settled_times: int
    open_times: int
    lines: list[WaivedInMonth]
    more: bool


async def benefits_of(database: Database, citizen: UUID) -> Benefits:
    """What a citizen's kept promises have been worth."""
    async with database.connection() as connection:
        total, lines = await rows.waived(connection, citizen, LINES_MAX + 1)
    return Benefits(
        total_fen=total.deposit_fen,
        settled_fen=total.settled_fen,
        open_fen=total.deposit_fen - total.settled_fen,
        times=total.times,
        settled_times=total.settled_times,
        open_times=total.times - total.settled_times,
        lines=lines[:LINES_MAX],
        more=len(lines) > LINES_MAX,
    )
